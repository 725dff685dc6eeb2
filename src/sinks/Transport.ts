import type { Observable } from 'rxjs'
import type { Span } from '../tracing/SpanEvent.js'

/** The server's answer to a batch: it has what it did not refuse. */
export interface Receipt {
  /** The spans of the batch that the server refused, for what they are. */
  readonly rejected: ReadonlyArray<{ readonly span: Span; readonly reason: string }>
  /** What else the server complained about, without naming spans. */
  readonly warnings?: ReadonlyArray<string>
}

/** How the sender would like a batch to be sent. */
export interface Sending {
  /** The page is going away: the request should outlive it (`keepalive` of fetch, bodies up to 64 KiB). */
  readonly keepalive?: boolean
}

/**
 * Takes a batch of finished spans somewhere: a cold Observable that sends once per subscription, stops when it is
 * unsubscribed, and emits one receipt. It knows nothing of queues and makes no second attempt: the buffer does.
 *
 * What could not be sent is an error, a `RespanError` where it can be: by that the buffer knows what to do next.
 * Completing without a receipt means that the server has the whole batch.
 */
export interface Transport {
  (batch: ReadonlyArray<Span>, sending?: Sending): Observable<Receipt>
  /** Where it delivers to, as reports name it; without secrets. */
  readonly destination?: string
  /** Bytes that a span takes in a request, exactly; needed only where requests are tightly limited (`keepalive`). */
  readonly bytes?: (span: Span) => number
  /** The page that shows a trace, where there is one; read when it is needed, since it may depend on the environment. */
  readonly traceUrl?: ((traceId: string) => string) | undefined
}
