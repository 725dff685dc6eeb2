import { map, type Observable, Subject, startWith } from 'rxjs'
import type { Mutable } from '../codecs/Mutable.js'
import type { FlushReport, SinkStats } from '../tracing/Sink.js'

/** Where a finished span can be. */
export type Whereabouts = Exclude<keyof SinkStats, 'accepted'>

/** A sink's counts, and who watches them. */
export interface SinkCounts {
  /** Where each finished span is. Whoever moves one keeps the sum of the other six equal to `accepted`. */
  readonly counts: Mutable<SinkStats>
  readonly stats: () => SinkStats
  readonly stats$: Observable<SinkStats>
  /** Counts spans that came in, and tells it. */
  readonly accept: (place: Whereabouts, spans?: number) => void
  /** To be called after each change, when the sum is right again; costs nothing while nobody watches. */
  readonly changed: () => void
}

/** No spans anywhere. */
export const NO_STATS: SinkStats = {
  accepted: 0,
  delivered: 0,
  dropped: 0,
  rejected: 0,
  spooled: 0,
  queued: 0,
  inFlight: 0,
}

/** A flush that was about nothing. */
export const NO_REPORT: FlushReport = { delivered: 0, dropped: 0, rejected: 0, spooled: 0, queued: 0 }

/** Makes a sink's counts, all zero. */
export const sinkCounts = (): SinkCounts => {
  const counts: Mutable<SinkStats> = { ...NO_STATS }
  const changes = new Subject<void>()
  const stats = (): SinkStats => ({ ...counts })
  const changed = (): void => {
    if (changes.observed) changes.next()
  }
  return {
    counts,
    stats,
    // Each watcher reads the counts when it is told, so that one that is told late never goes back in time.
    stats$: changes.pipe(startWith(undefined), map(stats)),
    accept: (place, spans = 1) => {
      counts.accepted += spans
      counts[place] += spans
      changed()
    },
    changed,
  }
}
