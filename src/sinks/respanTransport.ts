import { defer, map, type Observable, throwError } from 'rxjs'
import { isLeft } from '#fp/Either'
import { checked } from '../codecs/checked.js'
import type { Environment } from '../codecs/Environment.js'
import { Fields } from '../codecs/Fields.js'
import { SpanPayload } from '../codecs/SpanPayload.js'
import type { Answer } from '../http/Answer.js'
import type { Connection } from '../http/Connection.js'
import { connectionPolicy } from '../http/connectionPolicy.js'
import { endpoint } from '../http/endpoint.js'
import { fetchAnswer } from '../http/fetchAnswer.js'
import { parseJson } from '../http/parseJson.js'
import { jsonOf } from '../tracing/contentText.js'
import type { Span } from '../tracing/SpanEvent.js'
import { tried } from '../util/tried.js'
import { complaints } from './complaints.js'
import type { Receipt, Transport } from './Transport.js'
import { toSpanPayload } from './toSpanPayload.js'
import { traceUrl } from './traceUrl.js'

/** Default limit of one attempt, ms: shorter than that for a model, since ingesting spans takes little time. */
const TIMEOUT = 15_000

const TOO_LONG: Receipt = {
  rejected: [],
  warnings: ['more than a megabyte, which was not read; spans may have been refused'],
}

/**
 * One span as JSON.
 *
 * @param index - its position in the batch, by which the sink isolates a span that can't be serialised
 */
const toJson = (span: Span, index: number): string =>
  jsonOf(
    checked(
      'Span',
      SpanPayload,
      tried(() => toSpanPayload(span)),
      `[${index}]`,
    ),
  )

// Any 2xx means accepted, whatever its body: empty, HTML, or of a future shape. Only its `errors` are read.
const receiptOf = (answer: Answer, batch: ReadonlyArray<Span>): Receipt => {
  if (answer.cut) return TOO_LONG
  const body = parseJson(answer.text)
  const { named, others } = complaints(Fields.is(body) ? { errors: body.errors } : undefined, batch)
  const rejected = [...named].flatMap(([index, reason]) => {
    const span = batch[index]
    return span === undefined ? [] : [{ span, reason }]
  })
  return others.length === 0 ? { rejected } : { rejected, warnings: others }
}

/**
 * The transport to Respan.
 *
 * @param environment - for what the connection does not say. Default: the environment at each batch
 */
export const transportTo = (connection: Connection, environment?: Environment): Transport => {
  const { idleTimeout } = connectionPolicy('respanTransport', connection)
  const policy = { timeout: connection.timeout ?? TIMEOUT, idleTimeout }
  const reach = (): ReturnType<typeof endpoint> => endpoint('respan', connection, environment)
  const baseUrl = (): string | undefined => {
    const where = reach()
    return isLeft(where) ? undefined : where.right.baseUrl
  }

  const transport: Transport = (batch, { keepalive } = {}): Observable<Receipt> =>
    defer(() => {
      const where = reach()
      if (isLeft(where)) return throwError(() => where.left)
      return fetchAnswer({
        url: `${where.right.baseUrl}/v1/traces/ingest`,
        body: `[${batch.map(toJson).join(',')}]`,
        apiKey: where.right.apiKey,
        connection,
        policy,
        headers: { 'x-respan-dogfood': '1' },
        ...(keepalive === undefined ? {} : { keepalive }),
      }).pipe(map((answer) => receiptOf(answer, batch)))
    })

  return Object.defineProperties(transport, {
    destination: {
      get: (): string => {
        const url = baseUrl()
        return url === undefined ? 'respan' : `respan (${new URL(url).origin})`
      },
    },
    bytes: { value: (span: Span): number => new TextEncoder().encode(toJson(span, 0)).length + 1 },
    traceUrl: {
      enumerable: true,
      configurable: true,
      get: (): Transport['traceUrl'] => {
        const url = baseUrl()
        return url === undefined ? undefined : traceUrl(url)
      },
    },
  })
}

/**
 * Sends spans to Respan's ingest endpoint, or to a server at `baseUrl` that speaks its protocol: one POST with a bare
 * JSON array for each batch. A header (`X-Respan-Dogfood`) keeps the server from tracing these requests in turn.
 *
 * Buffers nothing and does not retry, whatever `retry` says: pass it to `bufferedSink`. A key or address that is not
 * given comes from the environment (`RESPAN_API_KEY`, `RESPAN_BASE_URL`), read at each batch. Any 2xx means that the
 * server has the spans, except those that its `errors` name, which were refused. If an answer breaks off, the outcome is
 * unknown, and `bufferedSink` sends the batch again. `timeout` is 15,000 ms by default.
 *
 * Emits the errors `MissingApiKey` (Respan's own hosts require a key), `InvalidInput` (an environment variable; a path
 * where there is no page; or a span that can't be sent, with its position as the path), `HttpError`, `RateLimited`,
 * `Timeout`, `NetworkError`, `StreamInterrupted` and `Aborted`.
 *
 * @param connection - where to send, and with which key
 * @throws InvalidInput if the connection is wrong
 * @see https://respan.ai/docs/apis/observe/traces/traces-ingest-from-logs
 */
export const respanTransport = (connection: Connection = {}): Transport => transportTo(connection)
