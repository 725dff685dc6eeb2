// Runs items, each a trace of its own, while an async hook keeps book of what lives, as cls-hooked and Jest's
// --detectOpenHandles do, and reports how many frames that are over are still in it. Needs --expose-gc.
// node watched.js <items>

import { createHook } from 'node:async_hooks'
import { component, noopSink, traceEach } from 'respan-rx'
import { lastValueFrom, range } from 'rxjs'

const [, , total = '0'] = process.argv

let made = 0
const living = new Set<number>()
createHook({
  init: (id, type) => {
    if (type !== 'RespanFrame') return
    made += 1
    living.add(id)
  },
  destroy: (id) => living.delete(id),
}).enable()

const work = component('work', async (value: number) => value)
await lastValueFrom(range(Number(total)).pipe(traceEach('item', { sink: noopSink }, work)))

for (let turn = 0; turn < 5; turn += 1) {
  await new Promise(setImmediate)
  globalThis.gc?.()
}
process.send?.({ made, living: living.size })
