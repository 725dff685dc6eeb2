import type { Observable } from 'rxjs'
import type { Span } from '../tracing/SpanEvent.js'

/** The server's answer to a batch: it has all spans that it did not reject. */
export interface Receipt {
  /** The spans of the batch that the server rejected because of their content. */
  readonly rejected: ReadonlyArray<{ readonly span: Span; readonly reason: string }>
  /** Complaints of the server that name no span. */
  readonly warnings?: ReadonlyArray<string>
}

/** How the sender would like a batch to be sent. */
export interface Sending {
  /** The page is going away: the request should outlive it (`keepalive` of fetch, bodies up to 64 KiB). */
  readonly keepalive?: boolean
}

/**
 * Delivers a batch of finished spans: a cold Observable that sends once per subscription, stops when it is unsubscribed,
 * and emits one receipt. It knows nothing of queues and does not retry: the buffer does.
 *
 * A failure is an error, preferably a `RespanError`, from which the buffer decides what to do next. Completing without a
 * receipt means that the server has the whole batch.
 */
export interface Transport {
  (batch: ReadonlyArray<Span>, sending?: Sending): Observable<Receipt>
  /** Where it delivers to, as reports name it; without secrets. */
  readonly destination?: string
  /** The exact number of bytes that a span takes in a request; needed only where the body is limited (`keepalive`). */
  readonly bytes?: (span: Span) => number
  /** The page that shows a trace, if there is one; read when it is needed, since it may depend on the environment. */
  readonly traceUrl?: ((traceId: string) => string) | undefined
}
