import type { Numbered } from './outbox.js'
import type { PendingFlushes } from './pendingFlushes.js'
import { type SinkCounts, sinkCounts, type Whereabouts } from './sinkCounts.js'

/**
 * Where a sink's spans are. Moving spans takes them out of one count and adds them to another, so that at every moment
 * `accepted = delivered + dropped + rejected + spooled + queued + inFlight`.
 */
export interface SpanBook extends SinkCounts {
  /** Moves spans, and notifies pending flushes and subscribers of the counts. `error` says why they are not delivered. */
  readonly move: (spans: ReadonlyArray<Numbered>, from: Whereabouts, to: Whereabouts, error?: Error) => void
}

/** Makes an empty book. */
export const spanBook = (pending: Pick<PendingFlushes, 'moved'>): SpanBook => {
  const book = sinkCounts()
  const { counts, changed } = book
  return {
    ...book,
    move: (spans, from, to, error) => {
      if (spans.length === 0) return
      counts[from] -= spans.length
      counts[to] += spans.length
      pending.moved(spans, from, to, error)
      changed()
    },
  }
}
