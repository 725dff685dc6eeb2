// Runs items that overlap in one trace, the first of which leaves a promise behind that never settles, and reports what the
// heap has grown by for each. Needs --expose-gc.
// node siblings.js <items>

import { component, noopSink, respanTrace } from 'respan-rx'
import { mergeMap, Subject } from 'rxjs'

const [, , total = '0'] = process.argv
const items = Number(total)

const held: Array<Promise<unknown>> = []
const never = new Promise<never>(() => undefined)

const work = component(
  'work',
  (done$: Subject<void>) => {
    if (held.length === 0) held.push(never.then(() => undefined))
    return done$
  },
  { flatten: mergeMap },
)
const job$ = new Subject<Subject<void>>()
job$.pipe(work, respanTrace('worker', { sink: noopSink })).subscribe()

let last: Subject<void> | undefined
const run = (): void => {
  for (let done = 0; done < items; done += 1) {
    const job = new Subject<void>()
    job$.next(job)
    last?.complete()
    last = job
  }
}

const inUse = async (): Promise<number> => {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed
}

run()
const before = await inUse()
run()
process.send?.({ growth: ((await inUse()) - before) / items, held: held.length })
