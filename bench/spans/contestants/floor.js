// The floor: what a span is made of, pushed to an array which is emptied when it is full. No queue, no context, no checks.

import { attributes, input, steps } from '../work.js'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const pool = new Uint8Array(4096)
let next = pool.length

const id = (bytes) => {
  if (next + bytes > pool.length) {
    crypto.getRandomValues(pool)
    next = 0
  }
  let text = ''
  for (let end = next + bytes; next < end; ) text += HEX[pool[next++]]
  return text
}

const BATCH = 512
let finished = []
let delivered = 0

const deliver = () => {
  delivered += finished.length
  finished = []
}

const traced = async (name, parent, value, work) => {
  const span = {
    name,
    traceId: parent?.traceId ?? id(16),
    spanId: id(8),
    parentId: parent?.spanId,
    start: performance.timeOrigin + performance.now(),
    end: 0,
    status: 'ok',
    input: JSON.stringify(value),
    output: undefined,
    attributes: { ...attributes },
  }
  const result = await work(value, span)
  span.output = JSON.stringify(result)
  span.end = performance.timeOrigin + performance.now()
  finished.push(span)
  if (finished.length === BATCH) deliver()
  return result
}

export default () => ({
  operation: () =>
    traced('operation', undefined, input, async (first, root) => {
      let value = first
      for (const [name, step] of steps) value = await traced(name, root, value, step)
      return value
    }),
  flush: async () => deliver(),
  delivered: () => delivered,
})
