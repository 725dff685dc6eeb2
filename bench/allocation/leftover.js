// What a stream of 200,000 characters leaves behind, once it is over, until the whole heap is collected. What an object of the
// old generation holds is not found dead by the collections of the young one, which are all that a busy process has for long.

import { atATime, pause } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { reader } from './reader.js'

const STREAMS = 60

const { traced } = options()
const { read } = reader('long', traced)

const readAndCollect = async () => {
  await read()
  await pause(1)
  // An object is old when it has survived two.
  for (let survived = 0; survived < 3; survived++) globalThis.gc({ type: 'minor' })
}

await atATime(100, 1, read)
globalThis.gc()
globalThis.gc()
const before = process.memoryUsage().heapUsed
await atATime(STREAMS, 1, readAndCollect)
report({ bytes: (process.memoryUsage().heapUsed - before) / STREAMS })
