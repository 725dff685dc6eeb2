// Runs traces whose components leave a promise behind that never settles, as one that is cached would, and reports what the
// heap has grown by for each. Needs --expose-gc.
// node held.js <runs>

import { bufferedSink, component, respanTrace } from 'respan-rx'
import { lastValueFrom, of } from 'rxjs'

const [, , total = '0'] = process.argv
const runs = Number(total)

const CHARACTERS = 100_000
const held: Array<Promise<unknown>> = []
const never = new Promise<never>(() => undefined)

// Not by `repeat`, whose parts are shared.
const text = (): string => Buffer.alloc(CHARACTERS, 'x').toString('latin1')

const keep = component('keep', (value: string) => {
  held.push(never.then(() => undefined))
  return of(value.length, text())
})

const sink = bufferedSink(() => of({ rejected: [] }))

const inUse = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const run = async (): Promise<void> => {
  await lastValueFrom(of(text()).pipe(keep, respanTrace('held', { sink })))
  await sink.flush()
}

for (let done = 0; done < runs; done += 1) await run()
const before = inUse()
for (let done = 0; done < runs; done += 1) await run()
const growth = (inUse() - before) / runs

process.send?.({ growth, held: held.length })
