import { NEVER, startWith } from 'rxjs'
import { right } from '#fp/Either'
import type { Sink } from '../tracing/Sink.js'
import { NO_REPORT, NO_STATS } from './sinkCounts.js'

const nothingToDo: Sink['flush'] = () => Promise.resolve(right(NO_REPORT))

/** Keeps nothing and counts nothing: the neutral element of `sinkMonoid`, and a way to trace for `onStart` alone. */
export const noopSink: Sink = {
  next: () => undefined,
  flush: nothingToDo,
  close: nothingToDo,
  stats: () => NO_STATS,
  stats$: NEVER.pipe(startWith(NO_STATS)),
}
