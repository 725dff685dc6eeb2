// 2. Spans: what a span costs the process that records it.

import { ALLOCATION_FLAGS } from '../lib/measure.js'
import { inRounds, run } from '../lib/processes.js'
import { median, ratio } from '../lib/statistics.js'
import { figure, table, times } from '../lib/table.js'

const CONTESTANTS = {
  none: 'no spans: the awaited steps alone',
  plainRxjs: 'no spans: the steps as concatMap of RxJS',
  floor: 'floor: plain objects pushed to an array',
  respanEvents: 'respan-rx, events pushed to an array',
  respanBySlot: 'respan-rx, events, `asyncContext: false`',
  respan: 'respan-rx, bufferedSink',
  openTelemetry: 'OpenTelemetry BSP, explicit parent',
  openTelemetryActive: 'OpenTelemetry BSP, startActiveSpan',
  openTelemetryRxjs: 'OpenTelemetry BSP, explicit parent, in RxJS',
  keywordsai: '@keywordsai/tracing (Respan), console muted',
  traceloop: 'Traceloop withWorkflow, withTask',
  langfuse: 'Langfuse startActiveObservation',
  langchain: 'LangChain sequence with its tracer',
}

/** The limits, in times of the floor, beside what no tracer of RxJS can be cheaper than. */
const whySpans = (of) => {
  const [none, plain, floor] = ['none', 'plainRxjs', 'floor'].map((name) => median(of(name)))
  const least = (plain + floor - none) / floor
  const limits = ['openTelemetry', 'openTelemetryActive'].map((name) => median(of(name)) / floor)
  return (
    'Ours is a subscription, the others wrap an awaited function: plain RxJS, and what AsyncLocalStorage adds to every promise ' +
    "of a process on Node 22 (the row with `asyncContext: false` is without it), are in our figure and not in the floor's, nor " +
    "in OpenTelemetry's with an explicit parent. RxJS with nothing but the floor's own object for each span would be at " +
    `${figure(least)} times the floor, where the limits are 1.3, ${figure(limits[0] / 1.5)} and ${figure(limits[1] / 2.4)}. ` +
    'The rest are a subscriber for each span, three events instead of one object, parents that survive timers and shared ' +
    'sources, and an end for every way of leaving.'
  )
}

const whyBytes = (bytes) =>
  `The floor's own object with its texts is ${figure(bytes('floor') - bytes('none'))} of it; beside it there are two ` +
  'subscribers with their lists of finalizers, an observable, two frames of AsyncLocalStorage, and three events instead of one.'

const DELIVERING = ['respan', 'keywordsai', 'traceloop', 'langfuse']

export const spans = {
  title: 'Spans',
  question: 'What does a span cost, start and end, from the operator to the queue, and delivered over HTTP?',

  run: async ({ quick, server }) => {
    const names = Object.keys(CONTESTANTS)
    const counts = quick ? { warmUp: 2_000, operations: 4_000 } : { warmUp: 5_000, operations: 10_000 }
    const rounds = quick ? 1 : 5
    const cpu = await inRounds(names, rounds, (name) => run('spans/contestant.js', { name, ...counts }))
    const delivered = await inRounds(
      names.filter((name) => DELIVERING.includes(name)),
      quick ? 1 : 3,
      async (name) => {
        const before = await server.counts()
        const result = await run('spans/contestant.js', {
          name,
          ...counts,
          server: { chat: server.chat, ingest: server.ingest },
        })
        const after = await server.counts()
        const expected = (counts.warmUp + counts.operations) * 4
        if (after.spans - before.spans !== expected) {
          throw new Error(`${name}: ${after.spans - before.spans} of ${expected} spans arrived.`)
        }
        if (after.attributed - before.attributed !== expected) {
          throw new Error(
            `${name}: ${after.attributed - before.attributed} of ${expected} spans have attributes.`,
          )
        }
        return { ...result, bytes: (after.bytes - before.bytes) / expected }
      },
    )
    const heap = await inRounds(names, 1, (name) =>
      run(
        'spans/contestant.js',
        { name, warmUp: 3_000, operations: 1_000, allocation: true },
        { flags: ALLOCATION_FLAGS },
      ),
    )
    return { cpu, delivered, heap }
  },

  report: ({ cpu, delivered, heap }) => {
    const of = (results, name, key) => results.get(name)?.map((round) => round[key])
    const cell = (values) => (values === undefined ? '' : figure(median(values)))
    const rows = [...cpu.keys()].map((name) => [
      CONTESTANTS[name],
      figure(median(of(cpu, name, 'cpu'))),
      times(ratio(of(cpu, name, 'cpu'), of(cpu, 'floor', 'cpu'))),
      figure(median(of(heap, name, 'bytes'))),
      cell(of(delivered, name, 'cpu')),
      cell(of(delivered, name, 'bytes')),
    ])
    return [
      'An operation is a root and three awaited steps; every span has an input, an output and six attributes; a flush ' +
        'each 512 spans. CPU µs and bytes per span hold the work itself, the first two rows.',
      table(['', 'CPU µs', 'to the floor', 'B allocated', 'CPU µs delivered', 'B on the wire'], rows),
    ]
  },

  targets: ({ cpu, heap }) => {
    const of = (name) => cpu.get(name).map((round) => round.cpu)
    const bytes = (name) => heap.get(name)[0].bytes
    const why = whySpans(of)
    const line = (what, found, limit, least = false) => ({
      what,
      why,
      found: times(found),
      target: `${least ? '≥' : '≤'} ${limit}×`,
      met: least ? found.median >= limit : found.median <= limit,
    })
    const own = bytes('respanEvents') - bytes('plainRxjs')
    return [
      line('A span (events to a queue) against a plain object', ratio(of('respanEvents'), of('floor')), 1.3),
      line(
        'OpenTelemetry, explicit parent, against a span',
        ratio(of('openTelemetry'), of('respan')),
        1.5,
        true,
      ),
      line(
        'OpenTelemetry, startActiveSpan, against a span',
        ratio(of('openTelemetryActive'), of('respan')),
        2.4,
        true,
      ),
      {
        what: 'Allocated per span over plain RxJS, bytes',
        why: whyBytes(bytes),
        found: figure(own),
        target: '≤ 1,600',
        met: own <= 1_600,
      },
    ]
  },
}
