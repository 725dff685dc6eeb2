import * as t from 'io-ts'
import { finite, received, strings, wire } from './wire.js'

/**
 * The answer to an ingest request. Every 2xx means accepted, whatever the body, even an empty one. Observed shapes are
 * `{status, ingested_spans, created_traces, trace_ids, errors}`, `{message}` and `{success, ingested_count}`. The
 * shape of `errors` is undocumented; so far it has been a list.
 *
 * @see https://respan.ai/docs/apis/observe/traces/traces-ingest-from-logs
 */
export const IngestResponse = wire(
  received({
    status: t.string,
    message: t.string,
    success: t.boolean,
    ingested_spans: finite,
    ingested_count: finite,
    created_traces: finite,
    trace_ids: strings,
    errors: t.readonlyArray(t.unknown, 'list of errors'),
  }),
  'IngestResponse',
)

/** The answer to an ingest request. */
export type IngestResponse = t.TypeOf<typeof IngestResponse>
