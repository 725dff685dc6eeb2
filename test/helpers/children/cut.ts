// Runs traces whose contents are cut, while nothing is delivered, and reports what the heap has grown by for each. Needs --expose-gc.
// node cut.js <runs>

import { bufferedSink, component, respanTrace } from 'respan-rx'
import { lastValueFrom, NEVER, of } from 'rxjs'

const [, , total = '0'] = process.argv
const runs = Number(total)

const retrieve = component('retriever', (run: number) =>
  of(Array.from({ length: 4_000 }, (_, index) => ({ id: `${run}/${index}`, text: 'lorem ipsum dolor' }))),
)
const count = component('count', (documents: ReadonlyArray<unknown>) => of(documents.length))

const sink = bufferedSink(() => NEVER)

const inUse = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const run = (id: number): Promise<number> =>
  lastValueFrom(of(id).pipe(retrieve, count, respanTrace('cut', { sink, maxContentBytes: 1_000 })))

for (let done = 0; done < runs; done += 1) await run(done)
const before = inUse()
for (let done = 0; done < runs; done += 1) await run(done)
const growth = (inUse() - before) / runs

process.send?.({ growth, queued: sink.stats().queued + sink.stats().inFlight })
