import { map, type Observable, Subject, startWith } from 'rxjs'
import type { FlushReport, SinkStats } from '../tracing/Sink.js'
import type { Mutable } from '../util/Mutable.js'

/** Where a finished span can be. */
export type Whereabouts = Exclude<keyof SinkStats, 'accepted'>

/** A sink's counts, which can be observed. */
export interface SinkCounts {
  /** Where the finished spans are. Code that moves one keeps the sum of the other six equal to `accepted`. */
  readonly counts: Mutable<SinkStats>
  readonly stats: () => SinkStats
  readonly stats$: Observable<SinkStats>
  /** Counts spans that came in, and emits the counts. */
  readonly accept: (place: Whereabouts, spans?: number) => void
  /** To be called after each change, when the sum is right again; free while `stats$` has no subscriber. */
  readonly changed: () => void
}

/** The counts before the first span. */
export const NO_STATS: SinkStats = {
  accepted: 0,
  delivered: 0,
  dropped: 0,
  rejected: 0,
  spooled: 0,
  queued: 0,
  inFlight: 0,
}

/** The report of a flush that covered no spans. */
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
    // Each subscriber reads the counts when it is notified, so that a late notification never goes back in time.
    stats$: changes.pipe(startWith(undefined), map(stats)),
    accept: (place, spans = 1) => {
      counts.accepted += spans
      counts[place] += spans
      changed()
    },
    changed,
  }
}
