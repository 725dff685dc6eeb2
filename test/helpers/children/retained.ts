// Runs a traced pipeline often, and reports how much more memory is in use after it than before.
// node --expose-gc retained.js <base URL> <runs>

import { bufferedSink, buildPrompt, component, respanGenerate, respanTrace, tokens } from 'respan-rx'
import { lastValueFrom, mergeMap, of, range } from 'rxjs'

const [, , baseUrl = '', runs = '0'] = process.argv

const sink = bufferedSink(() => of({ rejected: [] }))
const { signal } = new AbortController()
const run$ = of({ topic: 'tea' }).pipe(
  buildPrompt('Tell me about {{topic}}.'),
  respanGenerate({ model: 'm', stream: true, baseUrl, signal }),
  tokens(),
  component('keep', async (token: string) => ({ token })),
  respanTrace('retained', { sink }),
)

const run = (count: number): Promise<unknown> => lastValueFrom(range(1, count).pipe(mergeMap(() => run$, 16)))

const inUse = async (): Promise<number> => {
  await sink.flush()
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed
}

// Compiled code and the connections belong to no run.
await run(1_000)
// What a run keeps shows in every part; what the engine does by the way, in some.
const PARTS = 4
const growths: Array<number> = []
for (let part = 0; part < PARTS; part += 1) {
  const before = await inUse()
  await run(Number(runs) / PARTS)
  growths.push((await inUse()) - before)
}
process.send?.({ growth: Math.min(...growths), delivered: sink.stats().delivered })
process.disconnect()
