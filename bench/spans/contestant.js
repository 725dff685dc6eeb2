// One contestant in one round: operations, with a flush every 128 of them (512 spans), as a batch processor would.

import { allocated, check, measured } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { expected, SPANS_PER_OPERATION } from './work.js'

const { name, server, warmUp, operations, allocation } = options()
const { default: contestant } = await import(`./contestants/${name}.js`)
const { operation, flush, delivered } = await contestant(server)

const FLUSH_EVERY = 128

const work = async (count) => {
  let last
  for (let done = 1; done <= count; done++) {
    last = await operation()
    if (done % FLUSH_EVERY === 0) await flush()
  }
  await flush()
  check(`${name}: result`, JSON.stringify(last), expected)
}

await work(warmUp)
const spans = operations * SPANS_PER_OPERATION
const before = delivered()
if (allocation === true) report({ bytes: (await allocated(() => work(operations))) / spans })
else {
  const { cpu, wall } = await measured(() => work(operations))
  if (server === undefined) check(`${name}: spans`, delivered() - before, spans)
  report({ cpu: cpu / spans, wall: wall / spans })
}
