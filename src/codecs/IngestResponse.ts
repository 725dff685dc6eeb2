import * as t from 'io-ts'
import { errorMessage } from './ErrorBody.js'
import { Fields } from './Fields.js'
import { finite, nullable, strings, wire } from './wire.js'

/**
 * The answer to an ingest request. Every 2xx means accepted, whatever the body, also an empty one. Seen are
 * `{status, ingested_spans, created_traces, trace_ids, errors}`, `{message}` and `{success, ingested_count}`. The
 * shape of an entry of `errors` is undocumented: see {@link ingestErrors}.
 *
 * @see https://respan.ai/docs/apis/observe/traces/traces-ingest-from-logs
 */
export const IngestResponse = wire(
  t.partial({
    status: nullable(t.string),
    message: nullable(t.string),
    success: nullable(t.boolean),
    ingested_spans: nullable(finite),
    ingested_count: nullable(finite),
    created_traces: nullable(finite),
    trace_ids: nullable(strings),
    errors: nullable(t.readonlyArray(t.unknown, 'list of errors')),
  }),
  'IngestResponse',
)

/** The answer to an ingest request. */
export type IngestResponse = t.TypeOf<typeof IngestResponse>

/** One span that the platform did not take, as far as its answer says which and why. */
export interface IngestError {
  /** Id of the span, when the entry names it in a field. */
  readonly spanId: string | undefined
  /** What the platform says, at most 300 characters. */
  readonly reason: string
}

/**
 * The `errors` of an ingest answer, read as well as their undocumented shape allows: a text is the reason; of an
 * object, `span_unique_id` (or `span_id`) is the span and `message`, `error` or `detail` the reason.
 *
 * @param response - the decoded answer
 */
export const ingestErrors = (response: IngestResponse): ReadonlyArray<IngestError> =>
  (response.errors ?? []).map((entry) => {
    if (!Fields.is(entry)) return { spanId: undefined, reason: reasonOf(entry) }
    const id = entry.span_unique_id ?? entry.span_id
    return {
      spanId: typeof id === 'string' ? id : undefined,
      reason: errorMessage(entry) ?? 'no reason given',
    }
  })

const reasonOf = (entry: unknown): string =>
  (typeof entry === 'string' ? errorMessage(entry) : undefined) ?? 'no reason given'
