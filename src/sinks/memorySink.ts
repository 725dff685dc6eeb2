import { right } from '#fp/Either'
import { foldSpans, spanFold } from '../tracing/foldSpans.js'
import type { Sink } from '../tracing/Sink.js'
import type { Span, SpanEvent } from '../tracing/SpanEvent.js'
import { NO_REPORT, sinkCounts } from './sinkCounts.js'

/**
 * Keeps every event, for tests.
 *
 * Starts when it is made, and is lossless. It is unbounded: everything is kept until the sink itself is garbage
 * collected. A span counts as delivered as soon as it ends, so `flush` and `close` have nothing to wait for; after
 * `close`, events are not kept, and spans that end count as dropped. When the process ends, everything is lost.
 *
 * @returns a sink with the `events` so far, in order of arrival, and the finished `spans()` among them
 */
export const memorySink = (): Sink & {
  readonly events: ReadonlyArray<SpanEvent>
  readonly spans: () => ReadonlyArray<Span>
} => {
  const events: Array<SpanEvent> = []
  const fold = spanFold(Number.POSITIVE_INFINITY)
  const { accept, stats, stats$ } = sinkCounts()
  let closed = false

  return {
    events,
    spans: () => foldSpans(events),
    next: (event) => {
      if (closed) {
        if (event._tag === 'SpanEnded') accept('dropped')
        return
      }
      events.push(event)
      const finished = fold(event)
      if (finished !== undefined) accept(finished === 'orphan' ? 'dropped' : 'delivered')
    },
    flush: () => Promise.resolve().then(() => right(NO_REPORT)),
    close: () =>
      Promise.resolve().then(() => {
        closed = true
        return right(NO_REPORT)
      }),
    stats,
    stats$,
  }
}
