import type { Monoid } from 'fp-ts/lib/Monoid.js'
import { combineLatest, map } from 'rxjs'
import { isLeft, left, right } from '#fp/Either'
import { guardedAsync, nameOf, reporterOf } from '../tracing/guarded.js'
import type { FlushReport, Sink, SinkError, SinkStats } from '../tracing/Sink.js'
import type { SpanEvent } from '../tracing/SpanEvent.js'
import { checkSink } from './checkSink.js'
import { isReadableError } from './isReadableError.js'
import { noopSink } from './noopSink.js'
import type { FlushOutcome } from './pendingFlushes.js'
import { NO_REPORT } from './sinkCounts.js'

const addReports = (first: FlushReport, second: FlushReport): FlushReport => ({
  delivered: first.delivered + second.delivered,
  dropped: first.dropped + second.dropped,
  rejected: first.rejected + second.rejected,
  spooled: first.spooled + second.spooled,
  queued: first.queued + second.queued,
})

const addStats = (first: SinkStats, second: SinkStats): SinkStats => ({
  ...addReports(first, second),
  accepted: first.accepted + second.accepted,
  inFlight: first.inFlight + second.inFlight,
})

const toSinkError = (outcome: FlushOutcome): SinkError =>
  isLeft(outcome) ? outcome.left : { failures: [], report: outcome.right }

const join = (first: FlushOutcome, second: FlushOutcome): FlushOutcome => {
  const [one, other] = [toSinkError(first), toSinkError(second)]
  const report = addReports(one.report, other.report)
  return isLeft(first) || isLeft(second)
    ? left({ failures: [...one.failures, ...other.failures], report })
    : right(report)
}

/** Runs `flush` or `close`, which must never reject, though a user's own sink might. */
const settled = async (sink: Sink, task: 'flush' | 'close'): Promise<FlushOutcome> => {
  try {
    return await sink[task]()
  } catch (thrown) {
    const error = isReadableError(thrown) ? thrown : new Error('A sink failed to flush.')
    return left({ failures: [{ sink: 'sink', error }], report: NO_REPORT })
  }
}

/** A sink's `next` that never throws, so that the other sink gets the event, too. The first error is reported. */
const guardedNext = (sink: Sink): ((event: SpanEvent) => void) => {
  const report = reporterOf(
    'RESPAN_SINK',
    (name) => `A sink threw ${name}; the other sinks carry on.`,
    nameOf,
  )
  return (event) => guardedAsync(report, () => sink.next(event))
}

const concat = (first: Sink, second: Sink): Sink => {
  checkSink('sinkMonoid', 'first', first)
  checkSink('sinkMonoid', 'second', second)
  if (first === noopSink) return second
  if (second === noopSink) return first
  const nextFirst = guardedNext(first)
  const nextSecond = guardedNext(second)
  const both = (task: 'flush' | 'close') => async (): Promise<FlushOutcome> => {
    const [one, other] = await Promise.all([settled(first, task), settled(second, task)])
    return join(one, other)
  }
  return {
    next: (event) => {
      nextFirst(event)
      nextSecond(event)
    },
    flush: both('flush'),
    close: both('close'),
    stats: () => addStats(first.stats(), second.stats()),
    stats$: combineLatest([first.stats$, second.stats$]).pipe(map(([one, other]) => addStats(one, other))),
    get traceUrl() {
      return first.traceUrl ?? second.traceUrl
    },
  }
}

/**
 * Combines sinks: both get every event, in order, and both are always flushed and closed, concurrently, even if the other
 * one fails. Reports and counts are sums, so a span that went to two sinks counts twice; a flush is `Left` if either one
 * is, with the failures of both. `traceUrl` is that of the first sink that has one. The first error that a sink throws
 * is reported as a process warning (`RESPAN_SINK`).
 *
 * The monoid laws hold for what the sinks receive, and for the results of `flush`, `close` and `stats`.
 */
export const sinkMonoid: Monoid<Sink> = { concat, empty: noopSink }
