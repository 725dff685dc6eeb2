// One contestant with so many streams at once. 'burst': the server sends as fast as it can, and throughput is measured.
// 'paced': streams begin one after the other and then all go on at the pace of a model; how late timers fire is measured,
// and, half way, what the open streams hold after a collection.

import { atATime, check, measured, pause } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { SHAPES, streamOf } from '../lib/shapes.js'

const { name, server, mode, shape, streams, total, ramp } = options()
const { default: contestant } = await import(`../streaming/contestants/${name}.js`)
const { expected } = streamOf(shape)

const streamFrom = (shapeName) => {
  const stream = contestant(`${server}/${shapeName}/v1`, 'text')
  return async (wanted) => {
    const outcome = await stream(() => undefined)
    if (outcome.bytes === undefined) check(`${name}: text`, outcome.text, wanted.text)
  }
}

const burst = async () => {
  const one = streamFrom(shape)
  await atATime(100, 10, () => one(expected))
  const { cpu, wall } = await measured(() => atATime(total, streams, () => one(expected)))
  const chunks = total * expected.deltas
  return { cpu: cpu / chunks, chunksPerSecond: (chunks / wall) * 1e6 }
}

const EVERY = 5

const lateness = () => {
  const late = []
  let due = performance.now() + EVERY
  const tick = () => {
    const now = performance.now()
    late.push(Math.max(0, now - due))
    due = now + EVERY
    timer = setTimeout(tick, EVERY)
  }
  let timer = setTimeout(tick, EVERY)
  return () => {
    clearTimeout(timer)
    late.sort((a, b) => a - b)
    return { p50: late[late.length >> 1], p99: late[Math.floor(late.length * 0.99)], max: late.at(-1) }
  }
}

/** What is held, once what a first collection finalizes is free, too. */
const heap = async () => {
  globalThis.gc()
  await pause(100)
  globalThis.gc()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

const paced = async () => {
  const warm = streamFrom('burst')
  await atATime(200, 20, () => warm(streamOf('burst').expected))
  const one = streamFrom(shape)
  const empty = await heap()
  const pieces = SHAPES[shape].tokens / 5
  const all = []
  const stop = lateness()
  const began = performance.now()
  const cpu = process.cpuUsage()
  for (let index = 0; index < streams; index++) {
    all.push(one(expected))
    const ahead = began + (ramp * index) / streams - performance.now()
    if (ahead > 1) await pause(ahead)
  }
  const halfWay = began + ramp + (pieces * SHAPES[shape].every) / 2
  await pause(Math.max(0, halfWay - performance.now()))
  const delay = stop()
  const used = process.cpuUsage(cpu)
  const busy = (used.user + used.system) / 1000 / (performance.now() - began)
  const bytes = ((await heap()) - empty) / streams
  await Promise.all(all)
  return { ...delay, bytes, busy }
}

report(await (mode === 'burst' ? burst() : paced()))
