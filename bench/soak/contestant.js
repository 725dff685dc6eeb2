// A service under load for a long time: operations of four spans arrive at a steady rate, whatever becomes of them, and
// are traced into a buffered sink over HTTP. What is measured is the service: how late its timers fire, how long an
// operation takes, its memory second by second, its CPU time, and where each span went.

import { pause } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { respan, rxjs } from '../lib/respan.js'
import { attributes, input, SPANS_PER_OPERATION, steps } from '../spans/work.js'

const { server, sink: kind, spans, rate } = options()
const { bufferedSink, component, noopSink, respanTransport, traceEach } = respan
const { mergeMap, Subject } = rxjs

const { customer_identifier, thread_identifier, ...metadata } = attributes
const makeSink = () =>
  bufferedSink(respanTransport({ baseUrl: server, apiKey: 'none' }), {
    maxBatchSize: 500,
    maxQueueSize: 200_000,
    maxQueueBytes: 512 * 2 ** 20,
    retry: { delay: 100, maxDelay: 1_000 },
    onWarning: () => undefined,
  })
const sink = kind === 'noop' ? noopSink : makeSink()

const operations = Math.ceil(spans / SPANS_PER_OPERATION)
const began = new Float64Array(operations)
const took = new Float64Array(operations)
let done = 0

const input$ = new Subject()
const first = component('retriever', ({ item: { index } }) =>
  steps[0][1](input).then((value) => ({ ...value, index })),
)
const second = component('prompt', async ({ index, ...value }) => ({ ...(await steps[1][1](value)), index }))
const third = component('answer', async ({ index, ...value }) => ({ ...(await steps[2][1](value)), index }))
const tracing = { sink, attributes: { customer_identifier, thread_identifier, metadata } }
const finished = new Promise((resolve, reject) => {
  input$.pipe(traceEach('operation', { ...tracing, flatten: mergeMap }, first, second, third)).subscribe({
    next: ({ index }) => {
      took[index] = performance.now() - began[index]
      done++
    },
    error: reject,
    complete: resolve,
  })
})

const late = []
const samples = []
const reference = process.cpuUsage()
const start = performance.now()
const sampler = setInterval(() => {
  const { accepted, delivered, dropped, queued, inFlight } = sink.stats()
  samples.push({ rss: process.memoryUsage().rss, accepted, delivered, dropped, queued, inFlight })
}, 1000)

const EVERY = 5
let emitted = 0
let due = performance.now() + EVERY
await new Promise((resolve) => {
  const tick = () => {
    const now = performance.now()
    late.push(Math.max(0, now - due))
    const wanted = Math.min(operations, Math.ceil(((now - start) / 1000) * (rate / SPANS_PER_OPERATION)))
    while (emitted < wanted) {
      began[emitted] = performance.now()
      input$.next({ item: { index: emitted++ } })
    }
    if (emitted === operations) return resolve()
    due = performance.now() + EVERY
    setTimeout(tick, EVERY)
  }
  setTimeout(tick, EVERY)
})
input$.complete()
await finished
const used = process.cpuUsage(reference)
const elapsed = performance.now() - start
for (let patience = 0; patience < 60 && sink.stats().queued + sink.stats().inFlight > 0; patience++) {
  await sink.flush()
  await pause(100)
}
clearInterval(sampler)
if (done !== operations) throw new Error(`${done} of ${operations} operations came out.`)
late.sort((a, b) => a - b)
took.sort()
const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
report({
  spans: operations * SPANS_PER_OPERATION,
  elapsed,
  cpu: (used.user + used.system) / (operations * SPANS_PER_OPERATION),
  late: { p50: at(late, 0.5), p99: at(late, 0.99), max: at(late, 1) },
  took: { p50: at(took, 0.5), p99: at(took, 0.99), max: at(took, 1) },
  samples,
  stats: sink.stats(),
})
