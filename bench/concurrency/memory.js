// A reply of 96 MB through a heap of 80 MB (the flag is the caller's): with `collect: false` nothing is kept.

import { options, report } from '../lib/processes.js'
import { respan, rxjs } from '../lib/respan.js'
import { SHAPES } from '../lib/shapes.js'

const { server, traced } = options()
const { noopSink, respanGenerate, respanTrace, tokens } = respan
const { of, lastValueFrom, reduce } = rxjs

const generate = respanGenerate({
  model: 'gpt-4o-mini',
  stream: true,
  collect: false,
  baseUrl: `${server}/96MB/v1`,
})
const trace = traced ? respanTrace('memory', { sink: noopSink }) : (source) => source
let peak = 0
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().heapUsed)
}, 20)
const length = await lastValueFrom(
  of('Go on for ever.').pipe(
    generate,
    trace,
    tokens(),
    reduce((sum, text) => sum + text.length, 0),
  ),
)
clearInterval(timer)
const { tokens: count, length: each } = SHAPES['96MB']
if (length < count * each) throw new Error(`Only ${length} characters came.`)
report({ characters: length, peakHeap: peak, peakRss: process.resourceUsage().maxRSS * 1024 })
