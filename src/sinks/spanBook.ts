import type { Flushes } from './flushes.js'
import type { Numbered } from './outbox.js'
import { type SinkCounts, sinkCounts, type Whereabouts } from './sinkCounts.js'

/**
 * Where a sink's spans are. Whoever moves some takes them out of one count and puts them into another, so that at every
 * moment `accepted = delivered + dropped + rejected + spooled + queued + inFlight`.
 */
export interface SpanBook extends SinkCounts {
  /** Tells those who wait for these spans, and those who watch; `error` is why they are not delivered. */
  readonly move: (spans: ReadonlyArray<Numbered>, from: Whereabouts, to: Whereabouts, error?: Error) => void
}

/** Makes an empty book. */
export const spanBook = (waits: Pick<Flushes, 'moved'>): SpanBook => {
  const book = sinkCounts()
  const { counts, changed } = book
  return {
    ...book,
    move: (spans, from, to, error) => {
      if (spans.length === 0) return
      counts[from] -= spans.length
      counts[to] += spans.length
      waits.moved(spans, from, to, error)
      changed()
    },
  }
}
