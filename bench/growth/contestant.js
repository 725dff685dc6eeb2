// Does an item cost the same in a long run as in a short one? One series in one round: sizes in turn, each with the same
// total of work, so that what differs is only how long a single run, trace or pipeline is.

import { check, measured } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { respan, rxjs } from '../lib/respan.js'
import { countingSink } from '../pipelines/contestants/respanTraced.js'

const { series, sizes, total } = options()
const { component, respanTrace } = respan
const { concatMap, lastValueFrom, mergeMap, of, range, reduce, Subject, take } = rxjs

const sum = reduce((left, right) => left + right, 0)
const addOne = (name) => component(name, (x) => of(x + 1))

const traceInto = () => {
  const { counts, sink } = countingSink()
  return { counts, trace: respanTrace('growth', { sink }) }
}

/** Each runs once with a size, and resolves to the number of items (or components) that it dealt with. */
const SERIES = {
  /** A run of so many items through one concatMap. */
  rxjs: async (size) => {
    await lastValueFrom(
      range(0, size).pipe(
        concatMap((x) => of(x + 1)),
        sum,
      ),
    )
    return size
  },
  /** A run of so many items through one component. */
  untraced: async (size) => {
    await lastValueFrom(range(0, size).pipe(addOne('a'), sum))
    return size
  },
  /** A trace of so many spans, one after the other. */
  traced: async (size) => {
    const { counts, trace } = traceInto()
    await lastValueFrom(range(0, size).pipe(addOne('a'), trace, sum))
    check('spans', counts.SpanEnded, size + 1)
    return size
  },
  /** A trace of so many spans, all of them open at once. */
  open: async (size) => {
    const { counts, trace } = traceInto()
    const gate = new Subject()
    const waiting = component('waiting', () => gate.pipe(take(1)), { flatten: mergeMap })
    const done = lastValueFrom(range(0, size).pipe(waiting, trace, sum))
    check('spans open', counts.SpanStarted, size + 1)
    gate.next(1)
    check('sum', await done, size)
    check('spans', counts.SpanEnded, size + 1)
    return size
  },
  /** As many mergeMap projections, all of them open at once, without us. */
  openRxjs: async (size) => {
    const gate = new Subject()
    const done = lastValueFrom(
      range(0, size).pipe(
        mergeMap(() => gate.pipe(take(1))),
        sum,
      ),
    )
    gate.next(1)
    check('sum', await done, size)
    return size
  },
  /** A pipeline of so many components, one item each time; untraced. */
  pipelineUntraced: async (size) => {
    const components = Array.from({ length: size }, (_, index) => addOne(`c${index}`))
    check('result', await lastValueFrom(of(0).pipe(...components)), size)
    return size
  },
  /** The same, traced. */
  pipelineTraced: async (size) => {
    const { counts, trace } = traceInto()
    const components = Array.from({ length: size }, (_, index) => addOne(`c${index}`))
    check('result', await lastValueFrom(of(0).pipe(...components, trace)), size)
    check('spans', counts.SpanEnded, size + 1)
    return size
  },
}

const one = SERIES[series]

const work = async (size, wanted) => {
  let items = 0
  while (items < wanted) items += await one(size)
  return items
}

const warm = Math.min(20_000, total)
for (const size of sizes.filter((size) => size <= warm)) await work(size, warm)

const results = {}
for (const size of sizes) {
  globalThis.gc()
  const { value, cpu, wall } = await measured(() => work(size, total))
  results[size] = { cpu: cpu / value, wall: wall / value }
}
report(results)
