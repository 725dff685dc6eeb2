// The same with a trace around it: each run one trace, the stream one trace of all its items.

import { check } from '../../lib/measure.js'
import { respan, rxjs } from '../../lib/respan.js'
import { sumOf } from './plainRxjs.js'
import { asynchronous, synchronous } from './respan.js'

const { respanTrace } = respan
const { lastValueFrom, of } = rxjs

/** Counts what reaches the queue, and keeps nothing. */
export const countingSink = () => {
  const counts = { SpanStarted: 0, SpanFirstOutput: 0, SpanEnded: 0 }
  return {
    counts,
    sink: {
      next: ({ _tag }) => {
        counts[_tag]++
      },
    },
  }
}

export const run = (components) => {
  const operators = asynchronous(components)
  const { counts, sink } = countingSink()
  const trace = respanTrace('run', { sink })
  return async (x) => {
    const before = counts.SpanEnded
    const value = await lastValueFrom(of(x).pipe(...operators, trace))
    check('spans of a run', counts.SpanEnded - before, components + 1)
    return value
  }
}

export const stream = (components) => {
  const operators = synchronous(components)
  return async (items) => {
    const { counts, sink } = countingSink()
    const sum = await sumOf(items, [...operators, respanTrace('run', { sink })])
    check('spans of a stream', counts.SpanEnded, items * components + 1)
    return sum
  }
}
