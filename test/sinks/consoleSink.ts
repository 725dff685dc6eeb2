import { setImmediate } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { consoleSink } from '../../dist/sinks/consoleSink.js'
import { renderTrace } from '../../dist/sinks/renderTrace.js'
import type { Span } from '../../dist/tracing/SpanEvent.js'
import { accounted, ended, idOf, NOTHING, range, started, TRACE_ID } from '../helpers/spans.js'

const span = (number: number, parent: number | undefined, more: Partial<Span> = {}): Span => ({
  traceId: TRACE_ID,
  spanId: idOf(number),
  parentId: parent === undefined ? undefined : idOf(parent),
  name: `span ${number}`,
  type: 'task',
  path: '',
  workflow: 'flow',
  trace: 'flow',
  startedAt: number,
  endedAt: number + 10,
  status: 'ok',
  ...more,
})

const usage = { prompt_tokens: 12, completion_tokens: 20, total_tokens: 32 }

// ── renderTrace

test('writes a trace as a tree with aligned columns', (t) => {
  const spans = [
    span(2, 1, { name: 'buildPrompt', startedAt: 1, endedAt: 1.4 }),
    span(4, 3, { name: 'lookup', type: 'tool', startedAt: 6, endedAt: 26 }),
    span(3, 1, {
      name: 'respanGenerate',
      type: 'generation',
      startedAt: 2,
      firstOutputAt: 414,
      endedAt: 1_250,
      generation: { model: 'gpt-4o-mini', stream: true, usageSource: 'reported', usage, cost: 0.00012 },
    }),
    span(5, 1, {
      name: 'again',
      type: 'generation',
      startedAt: 1_251,
      endedAt: 1_300,
      status: 'error',
      generation: { model: 'gpt-4o', usageSource: 'unknown', attempts: 3 },
      error: { tag: 'RateLimited', message: 'HTTP 429: slow\ndown', status: 429 },
    }),
    span(1, undefined, {
      name: 'My Workflow',
      type: 'workflow',
      startedAt: 0,
      endedAt: 1_301,
      leftEarly: true,
      totals: { generations: 2, ...usage, cost: 0.00012 },
    }),
  ]
  t.is(
    renderTrace(spans),
    [
      'My Workflow        workflow    1.30 s  Σ 12 → 20 tokens $0.00012               ok, left early',
      '├─ buildPrompt     task        0.4 ms                                          ok',
      '├─ respanGenerate  generation  1.25 s  12 → 20 tokens $0.00012    gpt-4o-mini  ok, first token after 412 ms',
      '│  └─ lookup       tool         20 ms                                          ok',
      '└─ again           generation   49 ms                             gpt-4o       error 429 RateLimited: HTTP 429: slow down, 3 attempts',
    ].join('\n'),
  )
})

test('the children of a span stand in the order in which they began', (t) => {
  const spans = [
    span(2, 1, { startedAt: 3 }),
    span(3, 1, { startedAt: 1 }),
    span(4, 1, { startedAt: 2 }),
    span(1, undefined),
  ]
  const lines = renderTrace(spans).split('\n')
  t.deepEqual(
    lines.map((line) => line.match(/span \d/)?.[0]),
    ['span 1', 'span 3', 'span 4', 'span 2'],
  )
})

test('a sum with an estimate in it is marked as one', (t) => {
  const totals = { generations: 1, ...usage, estimated: true } as const
  t.is(renderTrace([span(1, undefined, { totals })]), 'span 1  task  10 ms  Σ ~12 → ~20 tokens  ok')
})

test('leaves out columns that nobody fills', (t) => {
  t.is(renderTrace([span(1, undefined)]), 'span 1  task  10 ms  ok')
  t.is(renderTrace([]), '')
})

for (const [status, more, text] of [
  ['cancelled', {}, 'cancelled'],
  ['truncated', { error: { tag: 'StreamInterrupted', status: 502 } }, 'truncated 502 StreamInterrupted'],
  ['error', { error: { tag: 'TypeError', status: 500 } }, 'error 500 TypeError'],
  ['error', {}, 'error'],
] as const)
  test(`tells how a span ended: ${text}`, (t) => {
    t.is(renderTrace([span(1, undefined, { status, ...more })]), `span 1  task  10 ms  ${text}`)
  })

for (const [ms, text] of [
  [0, '0.0 ms'],
  [0.04, '0.0 ms'],
  [9.94, '9.9 ms'],
  [9.96, '10 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [59_990, '59.99 s'],
  [59_996, '1 min 00 s'],
  [125_400, '2 min 05 s'],
  [-1, '?'],
  [Number.NaN, '?'],
] as const)
  test(`writes ${ms} ms as ${text}`, (t) => {
    t.is(renderTrace([span(1, undefined, { startedAt: 0, endedAt: ms })]), `span 1  task  ${text}  ok`)
  })

test('marks estimated tokens', (t) => {
  const generation = { usageSource: 'estimated' as const, usage }
  t.true(renderTrace([span(1, undefined, { generation })]).includes('~12 → ~20 tokens'))
})

for (const [cost, text] of [
  [1.5, '$1.50'],
  [0.01, '$0.01'],
  [0.001_26, '$0.0013'],
] as const)
  test(`writes a cost of ${cost} as ${text}`, (t) => {
    const generation = { usageSource: 'reported' as const, usage, cost }
    t.is(renderTrace([span(1, undefined, { generation })]), `span 1  task  10 ms  12 → 20 tokens ${text}  ok`)
  })

test('a root whose generations told no usage claims no tokens', (t) => {
  const totals = { generations: 1, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
  t.is(renderTrace([span(1, undefined, { totals })]), 'span 1  task  10 ms  ok')
})

test('a message that is a sentence goes on without its full stop', (t) => {
  const error = { tag: 'StreamInterrupted', message: 'The connection broke off.', status: 502 }
  const generation = { usageSource: 'unknown' as const, attempts: 2 }
  t.is(
    renderTrace([span(1, undefined, { status: 'truncated', error, generation })]),
    'span 1  task  10 ms  truncated 502 StreamInterrupted: The connection broke off, 2 attempts',
  )
})

test('names stand out, branches and types do not, and models and ends have colours', (t) => {
  const paint = (code: number, text: string): string => `\u001b[${code}m${text}\u001b[0m`
  const generation = { usageSource: 'reported' as const, usage, model: 'gpt' }
  const spans = [span(1, undefined), span(2, 1, { type: 'generation', generation, status: 'error' })]
  const [bold, dim, red, green, cyan] = [1, 2, 31, 32, 36]
  t.deepEqual(renderTrace(spans, { colors: true }).split('\n'), [
    `${paint(bold, 'span 1   ')}  ${paint(dim, 'task      ')}  10 ms                       ${paint(green, 'ok')}`,
    `${paint(dim, '└─ ')}span 2  ${paint(dim, 'generation')}  10 ms  12 → 20 tokens  ${paint(cyan, 'gpt')}  ${paint(red, 'error')}`,
  ])
})

test('colours when asked to, and nothing else changes', (t) => {
  const spans = [span(1, undefined), span(2, 1, { status: 'error' }), span(3, 1, { status: 'cancelled' })]
  const colored = renderTrace(spans, { colors: true })
  t.true(colored.includes('\u001b[31merror'))
  t.true(colored.includes('\u001b[33mcancelled'))
  t.is(stripVTControlCharacters(colored), renderTrace(spans))
})

const wide = [
  span(1, undefined, {
    name: 'My Workflow',
    type: 'workflow',
    startedAt: 0,
    endedAt: 1_320,
    totals: { generations: 1, ...usage },
  }),
  span(2, 1, {
    name: 'respanGenerate',
    type: 'generation',
    startedAt: 1,
    firstOutputAt: 91,
    endedAt: 1_321,
    generation: { model: 'gpt-4o-mini-2024-07-18', stream: true, usageSource: 'reported', usage },
  }),
]

for (const [width, lines] of [
  [
    100,
    [
      'My Workflow        1.32 s  Σ 12 → 20 tokens                          ok',
      '└─ respanGenerate  1.32 s  12 → 20 tokens    gpt-4o-mini-2024-07-18  ok, first token after 90 ms',
    ],
  ],
  [
    90,
    [
      'My Workflow        1.32 s  Σ 12 → 20 tokens                    ok',
      '└─ respanGenerate  1.32 s  12 → 20 tokens    gpt-4o-mini-202…  ok, first token after 90 ms',
    ],
  ],
  [
    80,
    [
      'My Workflow        1.32 s  Σ 12 → 20 tokens  ok',
      '└─ respanGenerate  1.32 s  12 → 20 tokens    ok, first token after 90 ms',
    ],
  ],
  [40, ['My Workflow        1.32 s  Σ 12 → 20 to…', '└─ respanGenerate  1.32 s  12 → 20 toke…']],
  [10, ['My Workfl…', '└─ respan…']],
] as const)
  test(`leaves out the type, then shortens the model or leaves it out, then cuts, to stay within ${width} columns`, (t) => {
    t.deepEqual(renderTrace(wide, { width }).split('\n'), lines)
    t.is(stripVTControlCharacters(renderTrace(wide, { width, colors: true })), lines.join('\n'))
  })

test('a tree that just fits is whole', (t) => {
  const whole = renderTrace(wide)
  const width = Math.max(...whole.split('\n').map(({ length }) => length))
  t.is(renderTrace(wide, { width }), whole)
  t.not(renderTrace(wide, { width: width - 1 }), whole)
})

test('colours hide no blanks beyond the width, which a terminal would break the line for', (t) => {
  const spans = [span(1, undefined, { name: 'run' }), span(2, 1, { name: 'x'.repeat(50) })]
  const colored = renderTrace(spans, { width: 20, colors: true })
  t.is(stripVTControlCharacters(colored), renderTrace(spans, { width: 20 }))
})

test('a long error message is cut before any column is left out', (t) => {
  const error = { tag: 'HttpError', message: 'HTTP 503: Service Unavailable', status: 503 }
  t.is(
    renderTrace([span(1, undefined, { status: 'error', error })], { width: 50 }),
    'span 1  task  10 ms  error 503 HttpError: HTTP 50…',
  )
})

testProp(
  'law: no line is wider than the width',
  [fc.integer({ min: 1, max: 120 }), fc.string({ unit: 'grapheme', maxLength: 80 })],
  (t, width, name) => {
    const lines = renderTrace([...wide, span(3, 2, { name })], { width }).split('\n')
    t.is(lines.length, 3)
    // A combining mark takes no column.
    for (const line of lines) t.true(Array.from(line.replace(/\p{M}/gu, '')).length <= width)
  },
)

test('names cannot drive the terminal, break lines, or reorder them', (t) => {
  const name = 'a\u001b[2J\nb\u202ec\u0007'
  t.is(renderTrace([span(1, undefined, { name })]), 'a [2J b c  task  10 ms  ok')
  t.is(renderTrace([span(1, undefined, { name: '' })]).trim(), 'task  10 ms  ok')
  t.true(renderTrace([span(1, undefined, { name: 'x'.repeat(500) })]).length < 100)
})

test('wide characters take two columns', (t) => {
  const lines = renderTrace([
    span(1, undefined, { name: '世界' }),
    span(2, undefined, { name: 'abcd' }),
  ]).split('\n')
  t.deepEqual(lines, ['世界  task  10 ms  ok', 'abcd  task  10 ms  ok'])
})

test('a span without its parent stands at the top, and a cycle ends', (t) => {
  t.is(renderTrace([span(2, 1)]), 'span 2  task  10 ms  ok')
  t.is(renderTrace([span(1, 2), span(2, 1)]).split('\n').length, 2)
  t.is(renderTrace([span(1, 1)]).split('\n').length, 1)
})

test('a trace of 2,000 levels is no problem', (t) => {
  const deep = range(1, 2_000).map((number) => span(number, number === 1 ? undefined : number - 1))
  t.is(renderTrace(deep).split('\n').length, 2_000)
})

testProp(
  'law: every span has exactly one line, in whatever order they come',
  [
    fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 })), { maxLength: 12 }),
    fc.nat(),
  ],
  (t, edges, seed) => {
    const spans = [
      ...new Map(edges.map(([number, parent]) => [number, span(number, parent || undefined)])).values(),
    ]
    const shuffled = spans
      .map((one, index) => ({ one, order: (index * 7919 + seed) % 13 }))
      .sort((first, second) => first.order - second.order)
      .map(({ one }) => one)
    const names = (text: string) =>
      text
        .split('\n')
        .map((line) => /span \d+/.exec(line)?.[0])
        .sort()
    t.deepEqual(
      names(renderTrace(shuffled)),
      spans.length === 0 ? [undefined] : spans.map(({ name }) => name).sort(),
    )
  },
)

// ── consoleSink

const printing = (): { readonly texts: Array<string>; readonly sink: ReturnType<typeof consoleSink> } => {
  const texts: Array<string> = []
  return { texts, sink: consoleSink({ write: (text) => texts.push(text), colors: false }) }
}

const names = (text: string | undefined): ReadonlyArray<string> =>
  [...(text ?? '').matchAll(/span \d+/g)].map(([name]) => name)

test('prints a trace when its root ends', (t) => {
  const { sink, texts } = printing()
  sink.next(started(1))
  sink.next(started(2, { parentId: idOf(1) }))
  sink.next(ended(2))
  t.deepEqual(texts, [])
  t.like(sink.stats(), { accepted: 1, queued: 1 })
  sink.next(ended(1))
  t.deepEqual(texts.map(names), [['span 1', 'span 2']])
  t.like(sink.stats(), { accepted: 2, delivered: 2, queued: 0 })
})

test('keeps interleaved traces apart', (t) => {
  const { sink, texts } = printing()
  for (const traceId of ['a', 'b']) {
    sink.next(started(1, { traceId, name: `span ${traceId === 'a' ? 1 : 2}` }))
    sink.next(started(3, { traceId, parentId: idOf(1), name: `span ${traceId === 'a' ? 3 : 4}` }))
  }
  for (const number of [3, 1]) for (const traceId of ['b', 'a']) sink.next(ended(number, { traceId }))
  t.deepEqual(texts.map(names), [
    ['span 2', 'span 4'],
    ['span 1', 'span 3'],
  ])
})

test('prints a span that ends after its root on its own', (t) => {
  const { sink, texts } = printing()
  sink.next(started(1))
  sink.next(started(2, { parentId: idOf(1) }))
  sink.next(ended(1))
  sink.next(ended(2))
  t.deepEqual(texts.map(names), [['span 1'], ['span 2']])
})

test('remembers the newest thousand traces that it printed', (t) => {
  const { sink, texts } = printing()
  const traces = range(0, 1_000).map((number) => idOf(number).repeat(2))
  for (const traceId of traces) {
    sink.next(started(1, { traceId }))
    for (const number of [2, 3]) sink.next(started(number, { traceId, parentId: idOf(1) }))
    sink.next(ended(1, { traceId }))
  }
  for (const traceId of traces.slice(0, 2)) sink.next(ended(2, { traceId }))
  t.is(texts.length, 1_002)
  t.like(sink.stats(), { accepted: 1_003, delivered: 1_002, queued: 1 })
})

test('drops the oldest trace when too many have no end', (t) => {
  const { sink, texts } = printing()
  const child = (traceId: string, number: number): void => {
    sink.next(started(number, { traceId, parentId: idOf(1) }))
    sink.next(ended(number, { traceId }))
  }
  for (const number of range(2, 6_001)) child('old', number)
  for (const number of range(2, 6_001)) child('new', number)
  t.like(sink.stats(), { accepted: 12_000, dropped: 6_000, queued: 6_000 })
  t.is(accounted(sink), 12_000)
  t.deepEqual(texts, [])
})

test('flush leaves unfinished traces, close prints them, and what ends later is dropped', async (t) => {
  const { sink, texts } = printing()
  sink.next(started(1))
  sink.next(started(2, { parentId: idOf(1) }))
  sink.next(ended(2))
  t.deepEqual(await sink.flush(), right({ ...NOTHING, queued: 1 }))
  t.deepEqual(await sink.close(), right({ ...NOTHING, delivered: 1 }))
  sink.next(ended(1))
  sink.next(started(3))
  sink.next(ended(3))
  t.deepEqual(texts.map(names), [['span 2']])
  t.like(sink.stats(), { accepted: 3, delivered: 1, dropped: 2, queued: 0 })
})

test('stats$ gives the counts after each change', async (t) => {
  const { sink } = printing()
  const seen: Array<ReadonlyArray<number>> = []
  sink.stats$.subscribe(({ accepted, queued, delivered, dropped }) =>
    seen.push([accepted, queued, delivered, dropped]),
  )
  sink.next(started(1))
  for (const number of [2, 3]) sink.next(started(number, { parentId: idOf(1) }))
  for (const number of [2, 1, 3, 4]) sink.next(ended(number))
  for (const traceId of ['a', 'b']) {
    sink.next(started(2, { traceId, parentId: idOf(1) }))
    sink.next(ended(2, { traceId }))
  }
  await sink.close()
  sink.next(ended(5))
  t.deepEqual(seen, [
    [0, 0, 0, 0],
    [1, 1, 0, 0],
    [2, 0, 2, 0],
    [3, 0, 3, 0],
    [4, 0, 3, 1],
    [5, 1, 3, 1],
    [6, 2, 3, 1],
    [6, 1, 4, 1],
    [6, 0, 5, 1],
    [7, 0, 5, 2],
  ])
})

test.serial('a write that throws loses its trace and nothing else, and is told of once', async (t) => {
  const warnings: Array<string> = []
  const listener = ({ message }: Error): void => void warnings.push(message)
  process.on('warning', listener)
  const sink = consoleSink({
    write: () => {
      throw new Error('EPIPE')
    },
  })
  for (const n of [1, 2]) {
    sink.next(started(n))
    t.notThrows(() => sink.next(ended(n)))
  }
  t.like(sink.stats(), { accepted: 2, dropped: 2 })
  await setImmediate()
  process.off('warning', listener)
  t.deepEqual(warnings, ['The write function of a consoleSink threw Error.'])
})

test.serial('what an async write rejects with is told of once', async (t) => {
  const warnings: Array<string> = []
  const listener = ({ message }: Error): void => void warnings.push(message)
  process.on('warning', listener)
  const sink = consoleSink({ write: () => Promise.reject(new Error('EPIPE')) })
  for (const n of [1, 2]) {
    sink.next(started(n))
    sink.next(ended(n))
  }
  await setImmediate()
  process.off('warning', listener)
  t.deepEqual(warnings, ['The write function of a consoleSink threw Error.'])
})

test('a close that writes nothing says why', async (t) => {
  const error = new Error('EPIPE')
  const sink = consoleSink({
    write: () => {
      throw error
    },
  })
  sink.next(started(1))
  sink.next(started(2, { parentId: idOf(1) }))
  sink.next(ended(2))
  t.deepEqual(
    await sink.close(),
    left({
      failures: [{ sink: 'consoleSink', error }],
      report: { ...NOTHING, dropped: 1 },
    }),
  )
})

test('a close that writes nothing says so also where what was thrown is no error', async (t) => {
  const sink = consoleSink({
    write: () => {
      throw 'EPIPE'
    },
  })
  sink.next(started(1))
  sink.next(started(2, { parentId: idOf(1) }))
  sink.next(ended(2))
  const outcome = await sink.close()
  t.true(isLeft(outcome) && outcome.left.failures.every(({ error }) => error instanceof Error))
})

test('a span that can not be read counts as dropped, and its trace is written without it', (t) => {
  const { sink, texts } = printing()
  sink.next(started(1))
  sink.next(started(2, { parentId: idOf(1) }))
  const end = Object.defineProperty(ended(2), 'output', {
    get: () => {
      throw new Error('no')
    },
  })
  t.notThrows(() => sink.next(end))
  sink.next(ended(1))
  t.like(sink.stats(), { accepted: 2, dropped: 1, delivered: 1, queued: 0 })
  t.deepEqual(texts.map(names), [['span 1']])
})

test('a write that is traced itself does not disturb the counts', (t) => {
  let more = 2
  const sink = consoleSink({
    write: () => {
      if (more > 5) return
      sink.next(started(more))
      sink.next(ended(more++))
    },
  })
  let wrong = 0
  sink.stats$.subscribe(({ accepted }) => {
    if (accepted !== accounted(sink)) wrong++
  })
  sink.next(started(1))
  sink.next(ended(1))
  t.is(wrong, 0)
  t.like(sink.stats(), { accepted: 5, delivered: 5, queued: 0 })
})

test('keeps a trace within the width it is given', (t) => {
  const texts: Array<string> = []
  const sink = consoleSink({ write: (text) => texts.push(text), colors: false, width: 16 })
  sink.next(started(1))
  sink.next(ended(1))
  t.deepEqual(texts, ['span 1  1.00 s'])
})

for (const [columns, text] of [
  [0, 'span 1  task  1.00 s  ok'],
  [16, 'span 1  1.00 s'],
] as const)
  test.serial(
    `keeps to the ${columns} columns of a terminal, which has 0 if it does not know its size`,
    (t) => {
      const before = process.stderr.columns
      process.stderr.columns = columns
      t.teardown(() => {
        process.stderr.columns = before
      })
      const texts: Array<string> = []
      const sink = consoleSink({ write: (text) => texts.push(text), colors: false })
      sink.next(started(1))
      sink.next(ended(1))
      t.deepEqual(texts, [text])
    },
  )

for (const [noColor, what] of [
  [undefined, 'with colours'],
  ['', 'with colours where NO_COLOR is empty'],
  ['1', 'plainly where NO_COLOR is set'],
] as const)
  test.serial(`writes for a terminal ${what}`, (t) => {
    const { isTTY } = process.stderr
    const { NO_COLOR } = process.env
    const restore = (value: string | undefined): void => {
      if (value === undefined) delete process.env.NO_COLOR
      else process.env.NO_COLOR = value
    }
    t.teardown(() => {
      process.stderr.isTTY = isTTY
      restore(NO_COLOR)
    })
    process.stderr.isTTY = true
    restore(noColor)
    const texts: Array<string> = []
    const sink = consoleSink({ write: (text) => texts.push(text) })
    sink.next(started(1))
    sink.next(ended(1))
    const [text = ''] = texts
    t.is(text !== stripVTControlCharacters(text), noColor !== '1')
  })

test.serial('writes to standard error, plainly where that is no terminal', (t) => {
  const { write } = process.stderr
  const texts: Array<string> = []
  process.stderr.write = (text: string | Uint8Array) => {
    texts.push(String(text))
    return true
  }
  const sink = consoleSink()
  sink.next(started(1))
  sink.next(ended(1))
  process.stderr.write = write
  t.deepEqual(texts, ['span 1  task  1.00 s  ok\n'])
})

test.serial('writes to the console where there is no standard error', (t) => {
  const { info } = console
  const stderr = Object.getOwnPropertyDescriptor(process, 'stderr') ?? {}
  const texts: Array<unknown> = []
  const sink = consoleSink()
  Object.defineProperty(process, 'stderr', { configurable: true, value: undefined })
  console.info = (text) => texts.push(text)
  sink.next(started(1))
  sink.next(ended(1))
  console.info = info
  Object.defineProperty(process, 'stderr', stderr)
  t.deepEqual(texts, ['span 1  task  1.00 s  ok'])
})
