// One contestant in one round, over all shapes: warmed up with all of them, then measured shape by shape, and every single
// stream checked.

import { check, forAWhile, measured } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { streamOf } from '../lib/shapes.js'

const { name, server, shapes, warmUp, settling, lasting, concurrency } = options()
const { default: contestant } = await import(`./contestants/${name}.js`)

/** @type {Record<string, { chunks: number, cpu: number, wall: number, first: number, reads?: number }>} */
const results = {}

const prepared = shapes.map((shape) => {
  const { events, expected } = streamOf(shape)
  const bytes = Buffer.byteLength(events.join(''))
  const stream = contestant(`${server}/${shape}/v1`, shape === 'tools' ? 'tools' : 'text')
  const first = []
  let reads
  const one = async () => {
    const began = performance.now()
    const outcome = await stream(() => first.push(performance.now() - began))
    if (outcome.bytes === undefined) {
      check(`${name} ${shape}: deltas`, outcome.deltas, expected.deltas)
      check(`${name} ${shape}: text`, outcome.text, expected.text)
      check(`${name} ${shape}: usage`, outcome.total, expected.total)
    } else {
      check(`${name} ${shape}: bytes`, outcome.bytes, bytes)
      reads = outcome.reads
    }
  }
  const atOnce = shape === '10k' || shape === 'quiet' ? 1 : concurrency
  return {
    shape,
    deltas: expected.deltas,
    first,
    reads: () => reads,
    run: (ms) => forAWhile(ms, atOnce, one),
  }
})

for (const { run } of prepared) await run(warmUp)

for (const { shape, deltas, first, reads, run } of prepared) {
  await run(settling)
  first.length = 0
  const { value: count, cpu, wall } = await measured(() => run(lasting))
  const chunks = count * deltas
  first.sort((a, b) => a - b)
  results[shape] = {
    chunks,
    cpu: cpu / chunks,
    wall: wall / chunks,
    first: first[first.length >> 1],
    ...(reads() === undefined ? {} : { reads: reads() }),
  }
}

report(results)
