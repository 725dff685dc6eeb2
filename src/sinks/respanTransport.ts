import { defer, map, type Observable, throwError } from 'rxjs'
import { isLeft } from '#fp/Either'
import { checked } from '../codecs/checked.js'
import type { Environment } from '../codecs/Environment.js'
import { Fields } from '../codecs/Fields.js'
import { SpanPayload } from '../codecs/SpanPayload.js'
import { tried } from '../codecs/tried.js'
import type { Answer } from '../http/Answer.js'
import type { Connection } from '../http/Connection.js'
import { connectionPolicy } from '../http/connectionPolicy.js'
import { endpoint } from '../http/endpoint.js'
import { fetchAnswer } from '../http/fetchAnswer.js'
import { parseJson } from '../http/parseJson.js'
import { jsonOf } from '../tracing/contentText.js'
import type { Span } from '../tracing/SpanEvent.js'
import { complaints } from './complaints.js'
import type { Receipt, Transport } from './Transport.js'
import { toSpanPayload } from './toSpanPayload.js'
import { traceUrl } from './traceUrl.js'

/** Limit of one attempt, ms: nobody waits for a trace as for a model. */
const TIMEOUT = 15_000

const TOO_LONG: Receipt = {
  rejected: [],
  warnings: ['more than a megabyte, which was not read; spans may have been refused'],
}

/** One span as JSON. `index` is its position in the batch: what can't be written must not hold up the spans beside it. */
const toJson = (span: Span, index: number): string =>
  jsonOf(
    checked(
      'Span',
      SpanPayload,
      tried(() => toSpanPayload(span)),
      `[${index}]`,
    ),
  )

// Any 2xx is accepted, whatever its body is: empty, HTML, of a shape to come. Its `errors` are all that is read.
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
 * @param environment - counts where the connection says nothing. Default: that of each batch
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
 * Sends spans to Respan's ingest endpoint, or to whatever speaks its protocol at `baseUrl`: one POST with a bare JSON
 * array for each batch, which the server does not trace in turn (`X-Respan-Dogfood`).
 *
 * Buffers nothing and makes no second attempt, whatever `retry` says: give it to `bufferedSink`. A key or an address
 * that it is not given it takes from the environment (`RESPAN_API_KEY`, `RESPAN_BASE_URL`), at each batch. Any 2xx
 * means that the server has the spans; those that its `errors` name were refused. Of an answer that breaks off nothing is
 * known: `bufferedSink` sends the batch again. `timeout` is 15,000 ms by default.
 *
 * Emits the errors `MissingApiKey` (Respan's own hosts demand a key), `InvalidInput` (a variable of the environment; a
 * path where there is no page; or a span that can't be sent, with its position as the path), `HttpError`, `RateLimited`,
 * `Timeout`, `NetworkError`, `StreamInterrupted` and `Aborted`.
 *
 * @param connection - where to, with which key
 * @throws InvalidInput when the connection is wrong
 * @see https://respan.ai/docs/apis/observe/traces/traces-ingest-from-logs
 */
export const respanTransport = (connection: Connection = {}): Transport => transportTo(connection)
