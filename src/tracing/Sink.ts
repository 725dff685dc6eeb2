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
  /** Taken by the server. */
  readonly delivered: number
  /**
   * Given up: the queue was full, no attempt worked or none may (no key), the sink was closed or the process ended, the
   * spool lost them, or a start was never seen.
   */
  readonly dropped: number
  /** Refused for what they are, by the server or because they can't be written. */
  readonly rejected: number
  /** Kept by the spool for later. */
  readonly spooled: number
  /** Waiting to be sent. */
  readonly queued: number
  /** In a request that is under way. */
  readonly inFlight: number
}

/** What became of the spans a flush was about: what it delivered and lost, and what is still waiting. */
export interface FlushReport {
  readonly delivered: number
  readonly dropped: number
  readonly rejected: number
  readonly spooled: number
  readonly queued: number
}

/** A flush that could not deliver everything: why, sink by sink, and what became of the spans. */
export interface SinkError {
  readonly failures: ReadonlyArray<{ readonly sink: string; readonly error: Error }>
  readonly report: FlushReport
}

/**
 * Where span events go: an observer that never ends with a trace, never throws and never blocks.
 *
 * `flush` and `close` are lazy: call them. Both begin one microtask later, so that what ends in this tick is included.
 */
export interface Sink extends NextObserver<SpanEvent> {
  /** Delivers what has come in so far, and waits for what is in flight. */
  readonly flush: TaskEither<SinkError, FlushReport>
  /** A last flush. What comes in after it counts as dropped. */
  readonly close: TaskEither<SinkError, FlushReport>
  /** The counts at this moment. */
  readonly stats: () => SinkStats
  /** Emits the current counts on subscription and after each change. */
  readonly stats$: Observable<SinkStats>
  /** The page that shows a trace, where there is one; read for each trace, since it may depend on the environment. */
  readonly traceUrl?: ((traceId: string) => string) | undefined
}
