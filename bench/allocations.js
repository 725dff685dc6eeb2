// node bench/allocations.js [--record]
//
// What a streamed chunk, a span and an item of an untraced component allocate, and what a stream leaves behind, against what is
// recorded: fails when one of them takes a tenth more. Bytes, unlike times, are the same on every machine. Needs a build and the
// Node of this folder (or of tools/nodes), but no peer and no network.

import { readFileSync, writeFileSync } from 'node:fs'
import { ALLOCATION_FLAGS } from './lib/measure.js'
import { benchPath, run } from './lib/processes.js'
import { table } from './lib/table.js'

const RECORD = benchPath('allocations.json')
const TOLERANCE = 0.1
const RUNS = 6

const MEASUREMENTS = {
  'a chunk, validated': ['allocation/chunk.js', { traced: false }],
  'a chunk, traced': ['allocation/chunk.js', { traced: true }],
  'a stream that is over, until the whole heap is collected': ['allocation/leftover.js', { traced: false }],
  'a traced one': ['allocation/leftover.js', { traced: true }],
  'a span': [
    'spans/contestant.js',
    { name: 'respanEvents', warmUp: 5_000, operations: 1_000, allocation: true },
  ],
  'an item through three components, untraced': [
    'pipelines/contestant.js',
    { name: 'respan', form: 'run', components: 3, warmUp: 10_000, items: 1_000, allocation: true },
  ],
}

/** The least of some runs: what is more was the compiler's. */
const measure = async ([script, options]) => {
  const runs = []
  for (let count = 0; count < RUNS; count++)
    runs.push(await run(script, options, { flags: ALLOCATION_FLAGS }))
  return Math.round(Math.min(...runs.map(({ bytes }) => bytes)))
}

const found = {}
for (const [name, measurement] of Object.entries(MEASUREMENTS)) found[name] = await measure(measurement)

if (process.argv.includes('--record')) {
  writeFileSync(RECORD, `${JSON.stringify(found, null, 2)}\n`)
} else {
  const recorded = JSON.parse(readFileSync(RECORD, 'utf8'))
  const grown = Object.keys(found).filter((name) => found[name] > recorded[name] * (1 + TOLERANCE))
  const rows = Object.entries(found).map(([name, bytes]) => [name, String(bytes), String(recorded[name])])
  console.log(table(['bytes for', 'found', 'recorded'], rows))
  for (const name of grown) console.error(`${name} takes more than a tenth more than recorded.`)
  process.exitCode = grown.length === 0 ? 0 : 1
}
