// What a chunk allocates.

import { allocated, atATime } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { reader } from './reader.js'

const STREAMS = 20

const { traced } = options()
const { read, deltas } = reader('mss', traced)

await atATime(100, 1, read)
report({ bytes: (await allocated(() => atATime(STREAMS, 1, read))) / (STREAMS * deltas) })
