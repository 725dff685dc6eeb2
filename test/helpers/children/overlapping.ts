// Runs traces that overlap, delivers them, and reports what they leave to a collection of the whole heap, for each. Needs
// --expose-gc and a heap that is large from the beginning, so that none comes in between.
// node overlapping.js <runs>

import { bufferedSink, component, respanTrace } from 'respan-rx'
import { of, Subject } from 'rxjs'

const [, , total = '0'] = process.argv
const runs = Number(total)

const CHARACTERS = 10_000
const AT_ONCE = 20
const EACH_FLUSH = 100

const sink = bufferedSink(() => of({ rejected: [] }))
const trace = respanTrace('overlapping', { sink })

// Not by `repeat`, whose parts are shared.
const text = (): string => Buffer.alloc(CHARACTERS, 'x').toString('latin1')

const open: Array<Subject<never>> = []

const start = (): void => {
  const answer = new Subject<never>()
  const wait = component('wait', (_: string) => answer)
  of(text()).pipe(wait, trace).subscribe()
  open.push(answer)
}

const overlap = async (count: number): Promise<void> => {
  for (let done = 1; done <= count; done += 1) {
    start()
    open.shift()?.complete()
    if (done % EACH_FLUSH === 0) await sink.flush()
  }
}

const inUse = (type: 'major' | 'minor'): number => {
  for (let turn = 0; turn < 3; turn += 1) globalThis.gc?.({ type, execution: 'sync' })
  return process.memoryUsage().heapUsed
}

for (let opened = 0; opened < AT_ONCE; opened += 1) start()
await overlap(runs)
const before = inUse('major')
await overlap(runs)
const growth = (inUse('minor') - before) / runs

process.send?.({ growth, delivered: sink.stats().delivered })
