// 1. Token streaming: what a library costs per chunk, over shapes of streams.

import { inRounds, run } from '../lib/processes.js'
import { SHAPES } from '../lib/shapes.js'
import { median, ratio } from '../lib/statistics.js'
import { figure, rowsOf, table, times } from '../lib/table.js'

const CONTESTANTS = {
  raw: 'fetch + read (floor: nothing decoded)',
  parser: 'fetch + eventsource-parser + JSON.parse',
  parserInStorage: '… inside an AsyncLocalStorage',
  kyRxjs: 'ky + RxJS, a first draft',
  respan: 'respan-rx, validated',
  respanTraced: 'respan-rx, traced, with usage',
  respanTracedWithoutContent: 'respan-rx, traced without content',
  respanTracedWithoutStorage: 'respan-rx, traced, `asyncContext: false`',
  respanSnapshots: 'respan-rx, snapshots',
  openaiCreate: 'openai `create`',
  openaiStream: 'openai `.stream()`, snapshots',
  langchain: 'LangChain `ChatOpenAI.stream`',
  ai: 'Vercel ai `streamText`',
}

const BASE = 'parser'
const TRACED_LIMIT = 1.3
const LONG = SHAPES.long.length

/** Of long tokens: what tracing takes for a character, beside what would be left for it. */
const whyLong = (cpu) => {
  const [plain, traced, bare] = ['parser', 'respanTraced', 'respanTracedWithoutContent'].map((name) =>
    median(cpu(name, 'long')),
  )
  const ns = (microseconds) => `${figure((microseconds * 1_000) / LONG)} ns`
  const left = TRACED_LIMIT * plain - bare
  return (
    `Tokens of ${LONG} characters are nearly all text, which is parsed here as there. Traced, they are also put together, ` +
    `written as JSON for the span of the generation and joined for the root: ${ns(traced - bare)} a character, where the plain ` +
    `loop takes ${ns(plain)} for all it does. Without content a trace takes ${figure(bare / plain)} times that loop, so that up ` +
    `to ${TRACED_LIMIT} times ${left > 0 ? ns(left) : 'nothing'} would be left for its content, and up to 1 µs a chunk ${ns(1)}; ` +
    'V8 writes JSON of such text at 5 ns, or 2.4 in slices.'
  )
}

/** What a contestant takes more than the plain loop, µs per chunk. */
const overPlain = (cpu, name, shape) => {
  const plain = cpu(BASE, shape)
  return median(cpu(name, shape).map((own, round) => own - plain[round]))
}

/** What a contestant takes more for a stream of any length, µs: what more chunks make less of. */
const perRequest = (cpu, name) =>
  (overPlain(cpu, name, 'mss') - overPlain(cpu, name, '10k')) /
  (1 / SHAPES.mss.tokens - 1 / SHAPES['10k'].tokens)

/** Why shapes of few chunks are over a limit. */
const whyRequest = (name) => (cpu, over) => {
  const { tokens } = SHAPES.long
  const request =
    'What a request takes by itself (ky, the codec of what is sent, some twenty subscribers, those of the spans where it is ' +
    `traced) is shared by its chunks: ${figure(perRequest(cpu, name))} µs more than the plain loop, as streams of ` +
    `${SHAPES.mss.tokens} chunks (mss) cost beside one of 10,000.`
  if (!over.includes('long')) return request
  const [more, plain] = [overPlain(cpu, name, 'long'), median(cpu(BASE, 'long'))].map((us) =>
    figure(us * tokens),
  )
  return `${request} A stream of ${tokens} long tokens takes ${more} µs more than the ${plain} of the plain loop.`
}

/** The shapes whose median is over a limit. */
const overLimit = (found, limit) => found.filter(({ median }) => median > limit).map(({ shape }) => shape)

/** The worst shape, and which others are over the limit; the worst come first. */
const worstAndOver = ([worst, ...others], limit) => {
  const over = overLimit(others, limit)
  return over.length === 0 ? worst.shape : `${worst.shape}; also over: ${over.join(', ')}`
}

const whyValidated = whyRequest('respan')
const whyRequestTraced = whyRequest('respanTraced')

/** What a parent that survives an `await` costs: on both sides of a comparison, and on neither. */
const whyStorage = (cpu, over) => {
  const timesOf = (name, base) =>
    over.map((shape) => `${figure(ratio(cpu(name, shape), cpu(base, shape)).median)} (${shape})`).join(', ')
  return (
    'How much of it is AsyncLocalStorage, which adds to each promise on Node 22: against the plain loop inside one, a trace takes ' +
    `${timesOf('respanTraced', 'parserInStorage')} times its time, and with \`asyncContext: false\`, against the loop without one, ` +
    `${timesOf('respanTracedWithoutStorage', BASE)}.`
  )
}

/** Long tokens have a reason of their own when they are traced. */
const whyTraced = (cpu, over) => {
  const others = over.filter((shape) => shape !== 'long')
  return [
    ...(others.length < over.length ? [whyLong(cpu)] : []),
    ...(others.length > 0 ? [whyRequestTraced(cpu, others), whyStorage(cpu, others)] : []),
  ].join(' ')
}

const WHY_FIRST =
  'Before a request is out, it is decoded by its codec, made by ky beside our own, and goes through some twenty ' +
  'subscribers. ky is two thirds of that, and all of it costs twice as much after 40 ms of silence, when nothing of it is ' +
  'in a cache, as in a loop.'

// ms. What a service costs that has run for a while, not what compiling it costs: V8 is done with that after some seconds, in
// which a longer warm-up of each shape would do the same.
const WARM_UP = 1_000
const SETTLING = 300
const LASTING = 700

const CPU_SHAPES = ['event', 'mss', '16k', 'tiny', 'long', 'tools', '10k']

export const streaming = {
  title: 'Token streaming',
  question: 'What does a library cost per chunk, and how soon is the first token there?',

  run: async ({ quick, server }) => {
    const shapes = quick ? ['mss', 'tools', 'quiet'] : [...CPU_SHAPES, 'quiet']
    const [warmUp, settling, lasting] = quick ? [100, 50, 100] : [WARM_UP, SETTLING, LASTING]
    const names = Object.keys(CONTESTANTS)
    return inRounds(names, quick ? 1 : 5, (name) =>
      run('streaming/contestant.js', {
        name,
        server: server.chat,
        shapes,
        concurrency: 10,
        warmUp,
        settling,
        lasting,
      }),
    )
  },

  report: (results) => {
    const shapes = Object.keys([...results.values()][0][0])
    const of = (name, shape, key) => results.get(name).map((round) => round[shape][key])
    const cpuShapes = shapes.filter((shape) => shape !== 'quiet')
    const firstShapes = shapes.filter((shape) => shape === 'quiet' || shape === '10k')
    const tableOf = (columns, cell) => table(['', ...columns], rowsOf(CONTESTANTS, columns, cell))
    const reads = cpuShapes.map(
      (shape) => `${shape}: ${SHAPES[shape].note}, ${Math.max(...of('raw', shape, 'reads'))} reads`,
    )
    return [
      `Shapes (500 chunks of about 310 bytes, unless told otherwise; 10 streams at a time; a second of each shape goes before any is measured): ${reads.join('; ')}.`,
      'CPU time of the whole process per chunk, µs:',
      tableOf(cpuShapes, (name, shape) => figure(median(of(name, shape, 'cpu')))),
      `The same as a ratio to \`${CONTESTANTS[BASE]}\`, round by round:`,
      tableOf(cpuShapes, (name, shape) => times(ratio(of(name, shape, 'cpu'), of(BASE, shape, 'cpu')))),
      'Chunks per second (wall time; the server has the same two cores):',
      tableOf(cpuShapes, (name, shape) => figure(1e6 / median(of(name, shape, 'wall')))),
      'Time to the first token, ms: on a quiet stream (an event each 4 ms), and of a burst of 10,000 chunks:',
      tableOf(firstShapes, (name, shape) => figure(median(of(name, shape, 'first')))),
    ]
  },

  targets: (results) => {
    const shapes = Object.keys([...results.values()][0][0]).filter((shape) => shape !== 'quiet')
    const of = (name, shape, key) => results.get(name)?.map((round) => round[shape]?.[key])
    const cpu = (name, shape) => of(name, shape, 'cpu')
    const cpuRatio = (name, base, shape) => ratio(cpu(name, shape), cpu(base, shape))
    const atMost = (what, name, limit, why) => {
      const found = shapes
        .map((shape) => ({ shape, ...cpuRatio(name, BASE, shape) }))
        .sort((a, b) => b.median - a.median)
      return {
        what: `${what}, worst shape (${worstAndOver(found, limit)})`,
        why: why(cpu, overLimit(found, limit)),
        found: times(found[0]),
        target: `≤ ${limit}×`,
        met: found[0].median <= limit,
      }
    }
    const segments = shapes.filter((shape) => shape === 'mss' || shape === '16k')
    const atLeast = (peer, own, limit) => {
      const found = segments.map((shape) => cpuRatio(peer, own, shape)).sort((a, b) => a.median - b.median)[0]
      return {
        what: `${CONTESTANTS[peer]} against ${CONTESTANTS[own]} (mss, 16k)`,
        found: times(found),
        target: `≥ ${limit}×`,
        met: found.median >= limit,
      }
    }
    const tracing = shapes
      .filter((shape) => shape !== '10k')
      .map((shape) => ({
        shape,
        median: median(
          cpu('respanTraced', shape).map((traced, round) => traced - cpu('respan', shape)[round]),
        ),
      }))
      .sort((a, b) => b.median - a.median)
    const firstOf = (name, shape) =>
      of(name, shape, 'first')?.[0] === undefined ? undefined : median(of(name, shape, 'first'))
    const quiet =
      median(results.get('respan').map((round) => round.quiet.first)) -
      median(results.get(BASE).map((round) => round.quiet.first))
    const burst = firstOf('respan', '10k')
    return [
      atMost('Validated, untraced, against the plain loop', 'respan', 1.15, whyValidated),
      atMost('Traced, with usage, against the plain loop', 'respanTraced', TRACED_LIMIT, whyTraced),
      atLeast('openaiCreate', 'respanTraced', 1.6),
      atLeast('openaiStream', 'respanSnapshots', 2),
      atLeast('langchain', 'respan', 2.5),
      atLeast('ai', 'respan', 7),
      {
        what: `What tracing adds per chunk, µs, worst shape (${worstAndOver(tracing, 1)})`,
        why: whyTraced(cpu, overLimit(tracing, 1)),
        found: figure(tracing[0].median),
        target: '≤ 1',
        met: tracing[0].median <= 1,
      },
      {
        what: 'Added to the first token of a quiet stream, ms',
        why: WHY_FIRST,
        found: figure(quiet),
        target: '≤ 0.3',
        met: quiet <= 0.3,
      },
      ...(burst === undefined
        ? []
        : [
            {
              what: 'First token of a burst of 10,000 chunks, ms',
              found: figure(burst),
              target: '≤ 8',
              met: burst <= 8,
            },
          ]),
    ]
  },

  /** For the plot: CPU time per chunk, `mss`, of those that somebody would choose between. */
  bars: (results) =>
    [...results]
      .filter(([name]) => !name.endsWith('Storage'))
      .map(([name, rounds]) => ({
        label: CONTESTANTS[name],
        value: median(rounds.map(({ mss }) => mss.cpu)),
        own: name.startsWith('respan'),
      })),
}
