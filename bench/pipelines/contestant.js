// One contestant in one round: items one by one, each a run of its own with promises in its steps ('run'), or all of them
// through one long stream with steps that answer at once ('stream').

import { allocated, check, measured } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'

const { name, form, components, warmUp, items, allocation } = options()
const { run, stream } = await import(`./contestants/${name}.js`)

const worker = () => {
  if (form === 'run') {
    const one = run(components)
    return async (count) => {
      for (let item = 0; item < count; item++) check(`${name}: item`, await one(item), item + components)
    }
  }
  const all = stream(components)
  return async (count) =>
    check(`${name}: sum`, await all(count), (count * (count - 1)) / 2 + count * components)
}

const work = worker()
await work(warmUp)
if (allocation === true) report({ bytes: (await allocated(() => work(items))) / items })
else {
  const { cpu, wall } = await measured(() => work(items))
  report({ cpu: cpu / items, wall: wall / items })
}
