import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { NextObserver, Observable } from 'rxjs'
import type { SpanEvent } from './SpanEvent.js'

/**
 * Counts of finished spans since the sink was made. At every moment
 * `accepted = delivered + dropped + rejected + spooled + queued + inFlight`.
 */
export interface SinkStats {
  /** Finished spans that came in. */
  readonly accepted: number
  /** Accepted by the server. */
  readonly delivered: number
  /**
   * Given up: the queue was full, every attempt failed or none could be made (no key), the sink was closed, the process
   * ended, the spool lost the span, or its start was never seen.
   */
  readonly dropped: number
  /** Refused for their content: by the server, or because they can't be serialised. */
  readonly rejected: number
  /** Kept by the spool for later. */
  readonly spooled: number
  /** Waiting to be sent. */
  readonly queued: number
  /** In a request that is under way. */
  readonly inFlight: number
}

/** What became of the finished spans that a flush covers: how many it delivered and lost, and how many are still waiting. */
export interface FlushReport {
  readonly delivered: number
  readonly dropped: number
  readonly rejected: number
  readonly spooled: number
  readonly queued: number
}

/** A flush that couldn't deliver everything: why, sink by sink, and what became of the spans. */
export interface SinkError {
  /** What went wrong, and in which sink: a buffered one is named after its transport's destination. */
  readonly failures: ReadonlyArray<{ readonly sink: string; readonly error: Error }>
  readonly report: FlushReport
}

/**
 * Where span events go: an observer that outlives its traces, never throws and never blocks.
 *
 * `flush` and `close` are lazy: nothing happens until you call them. Both begin one microtask after the call, so that spans
 * that end in the same tick are included.
 */
export interface Sink extends NextObserver<SpanEvent> {
  /** Delivers the spans that have come in so far, and waits for those in flight. */
  readonly flush: TaskEither<SinkError, FlushReport>
  /** Flushes for the last time. Spans that come in afterwards count as dropped. */
  readonly close: TaskEither<SinkError, FlushReport>
  /** The counts at this moment. */
  readonly stats: () => SinkStats
  /** Emits the current counts on subscription and after each change. */
  readonly stats$: Observable<SinkStats>
  /** The URL of the page that shows a trace, if there is one. Called for each trace, since it may depend on the environment. */
  readonly traceUrl?: ((traceId: string) => string) | undefined
}
