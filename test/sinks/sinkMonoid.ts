import { setImmediate } from 'node:timers/promises'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { noopSink } from '../../dist/sinks/noopSink.js'
import { redacted } from '../../dist/sinks/redacted.js'
import { sinkMonoid } from '../../dist/sinks/sinkMonoid.js'
import type { FlushReport, Sink, SinkError, SinkStats } from '../../dist/tracing/Sink.js'
import type { Generation, SpanEnded, SpanEvent, SpanStarted } from '../../dist/tracing/SpanEvent.js'
import {
  accounted,
  ended,
  finish,
  idOf,
  NOTHING,
  numberOf,
  range,
  started,
  TRACE_ID,
} from '../helpers/spans.js'
import { warningsOf } from '../helpers/warnings.js'

const { concat, empty } = sinkMonoid

// ── memorySink and noopSink

test('memorySink keeps every event, and folds the spans', async (t) => {
  const sink = memorySink()
  sink.next(started(1))
  t.deepEqual(sink.spans(), [])
  sink.next(ended(1))
  t.deepEqual(sink.events, [started(1), ended(1)])
  t.deepEqual(sink.spans().map(numberOf), [1])
  sink.next(ended(2))
  t.like(sink.stats(), { accepted: 2, delivered: 1, dropped: 1 })
  t.deepEqual(await sink.flush(), right(NOTHING))
})

test('memorySink counts what ends after close as dropped', async (t) => {
  const sink = memorySink()
  const done = sink.close()
  finish(sink, 1)
  await done
  finish(sink, 2)
  sink.next(ended(3))
  t.deepEqual(sink.spans().map(numberOf), [1])
  t.like(sink.stats(), { accepted: 3, delivered: 1, dropped: 2 })
})

test('memorySink tells its counts to who watches', (t) => {
  const sink = memorySink()
  const seen: Array<number> = []
  sink.stats$.subscribe(({ delivered }) => seen.push(delivered))
  finish(sink, 1, 2)
  t.deepEqual(seen, [0, 1, 2])
})

test('noopSink keeps and counts nothing', async (t) => {
  finish(noopSink, 1)
  t.like(noopSink.stats(), { accepted: 0, delivered: 0 })
  t.deepEqual([await noopSink.flush(), await noopSink.close()], [right(NOTHING), right(NOTHING)])
  let first: SinkStats | undefined
  noopSink.stats$.subscribe((stats) => {
    first = stats
  })
  t.deepEqual(first, noopSink.stats())
})

// ── redacted

const hide = (content: string): string => content.replaceAll('secret', '***')

test('redacted maps inputs, outputs and error messages before a sink sees them', (t) => {
  const memory = memorySink()
  const sink = redacted(memory, hide)
  sink.next(started(1, { input: 'a secret', attributes: { metadata: { key: 'secret' } } }))
  sink.next({ _tag: 'SpanFirstOutput', traceId: TRACE_ID, spanId: idOf(1), at: 1_500 })
  const error = { tag: 'E', message: 'no secret', stack: 'E: no secret\n    at f', status: 500 }
  sink.next(ended(1, { status: 'error', input: 'late secret', output: 'secret!', error }))
  t.like(memory.spans()[0], {
    input: 'a ***',
    output: '***!',
    error: { tag: 'E', message: 'no ***', stack: 'E: no ***\n    at f', status: 500 },
    attributes: { metadata: { key: 'secret' } },
    firstOutputAt: 1_500,
  })
  t.is(JSON.stringify(memory.events[2]).includes('secret'), false)
})

test('redacted maps a message wherever its stack repeats it', (t) => {
  const sink = memorySink()
  const mapped = redacted(sink, (content) => content.replaceAll('4711', '***'))
  const message = 'Patient 4711 not found'
  const stack = `Error: ${message}\n    at f\nCaused by: Error: ${message}\n    at g`
  mapped.next(started(1))
  mapped.next(ended(1, { error: { tag: 'E', message, stack, status: 500 } }))
  t.false(JSON.stringify(sink.events).includes('4711'))
  t.is(sink.spans()[0]?.error?.stack, stack.replaceAll('4711', '***'))
})

test('redacted maps a stack that tells the message of a cause', (t) => {
  const sink = memorySink()
  const mapped = redacted(sink, (content) => content.replaceAll('4711', '***'))
  const stack = 'Error: The query failed\n    at f\ncaused by: Error: Patient 4711 not found\n    at g'
  mapped.next(started(1))
  mapped.next(ended(1, { error: { tag: 'E', message: 'The query failed', stack, status: 500 } }))
  t.is(sink.spans()[0]?.error?.stack, stack.replaceAll('4711', '***'))
})

test('redacted withholds what is mapped to undefined, and a stack that repeats it in another form', (t) => {
  const memory = memorySink()
  const error = { tag: 'E', message: 'secret', stack: 'E: another secret', status: 500 }
  const nothing = redacted(memory, () => undefined)
  nothing.next(started(1, { input: 'secret' }))
  nothing.next(ended(1, { output: 'secret', error }))
  const mapped = redacted(memory, () => '***')
  mapped.next(ended(2, { error: { ...error, stack: 'E: S E C R E T' } }))
  t.false(JSON.stringify(memory.events).includes('secret'))
  t.false(JSON.stringify(memory.events).includes('S E C R E T'))
  t.false('input' in (memory.spans()[0] ?? {}))
})

test('redacted maps what a request says in words, and leaves its numbers', (t) => {
  const words = {
    tools: [{ type: 'function', function: { name: 'find', description: 'finds a secret' } }],
    response_format: { type: 'json_schema', json_schema: { name: 'secret' } },
    stop: ['secret'],
  }
  const end = ended(1, {
    generation: { usageSource: 'unknown', request: { temperature: 0.5, prompt_id: 'p', ...words } },
  })
  const told = (redact: (content: string) => string | undefined) => {
    const memory = memorySink()
    const sink = redacted(memory, redact)
    sink.next(started(1))
    sink.next(end)
    return memory.spans()[0]?.generation
  }
  const numbers = { temperature: 0.5, prompt_id: 'p' }
  const hidden = JSON.parse(hide(JSON.stringify(words)))
  t.deepEqual(told(hide), { usageSource: 'unknown', request: { ...numbers, ...hidden } })
  t.deepEqual(
    told((content) => content),
    end.generation,
  )
  for (const other of [undefined, '***', '"***"', '[]', 'null'])
    t.deepEqual(
      told(() => other),
      { usageSource: 'unknown', request: numbers },
    )
})

test('redacted is asked about a request for as little as one thing in it, and not for nothing', (t) => {
  const asked: Array<string> = []
  const told = (request: NonNullable<Generation['request']>) => {
    const memory = memorySink()
    const sink = redacted(memory, (content) => {
      asked.push(content)
      return hide(content)
    })
    finish(sink, 1)
    sink.next(started(2))
    sink.next(ended(2, { generation: { usageSource: 'unknown', request } }))
    return memory.spans()[1]?.generation?.request
  }
  t.deepEqual(told({ n: 2 }), { n: 2 })
  t.deepEqual(asked, [])
  t.deepEqual(told({ stop: 'secret' }), { stop: '***' })
  t.deepEqual(asked, ['{"stop":"secret"}'])
})

test('redacted withholds content where its function throws, and never throws itself', async (t) => {
  const memory = memorySink()
  const warnings: Array<Error> = []
  const listener = (warning: Error): void => void warnings.push(warning)
  process.on('warning', listener)
  const sink = redacted(memory, (content) => {
    throw new Error(content)
  })
  t.notThrows(() => {
    sink.next(started(1, { input: 'secret' }))
    sink.next(ended(1, { output: 'secret' }))
  })
  t.false(JSON.stringify(memory.events).includes('secret'))
  await setImmediate()
  process.off('warning', listener)
  t.is(warnings.filter((warning) => 'code' in warning && warning.code === 'RESPAN_REDACT').length, 1)
  t.false(warnings.some(({ message }) => message.includes('secret')))
})

// In series, until its warning is out: another test counts such warnings.
test.serial('redacted withholds content where its function throws what nobody can look at', async (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const memory = memorySink()
  const sink = redacted(memory, () => {
    throw proxy
  })
  sink.next(started(1, { input: 'secret' }))
  sink.next(ended(1, { output: 'secret' }))
  await setImmediate()
  t.deepEqual(memory.spans().map(numberOf), [1])
  t.false(JSON.stringify(memory.events).includes('secret'))
})

test.serial('redacted withholds content for which its function gives no text', async (t) => {
  const fails = async (): Promise<never> => {
    throw new Error('secret')
  }
  const warnings: Array<string> = []
  const listener = ({ message }: Error): void => void warnings.push(message)
  process.on('warning', listener)
  for (const later of [async () => 'later', fails]) {
    const memory = memorySink()
    // @ts-expect-error -- JavaScript may give a promise
    const sink = redacted(memory, later)
    sink.next(started(1, { input: 'in' }))
    sink.next(ended(1, { output: 'out', error: { tag: 'Error', status: 500, message: 'no' } }))
    await setImmediate()
    const [span] = memory.spans()
    t.deepEqual(
      [span?.input, span?.output, span?.error],
      [undefined, undefined, { tag: 'Error', status: 500 }],
    )
  }
  process.off('warning', listener)
  const withheld = (what: string) => `The function given to redacted() ${what}: the content is withheld.`
  t.deepEqual(warnings, [
    withheld('did not return a string (object)'),
    withheld('did not return a string (object)'),
    withheld('threw Error'),
  ])
})

test('redacted counts, flushes and closes as the sink behind it, and shows its pages', async (t) => {
  const memory = memorySink()
  const sink = redacted(Object.assign(memory, { traceUrl: (id: string) => `/${id}` }), hide)
  finish(sink, 1)
  t.deepEqual(sink.stats(), memory.stats())
  t.deepEqual(await sink.flush(), right(NOTHING))
  await sink.close()
  finish(sink, 2)
  t.is(memory.stats().dropped, 1)
  t.is(sink.traceUrl?.('1'), '/1')
  t.is(redacted(memorySink(), hide).traceUrl, undefined)
})

// ── the monoid

/** A sink that tells a given outcome, and writes down what is done with it. */
const told = (name: string, outcome: ReturnType<Sink['flush']>, log: Array<string>): Sink => ({
  ...memorySink(),
  next: (event) => void log.push(`${name} ${event._tag}`),
  flush: () => {
    log.push(`${name} flush`)
    return outcome
  },
  close: () => {
    log.push(`${name} close`)
    return outcome
  },
})

const failure = (name: string, report: Partial<FlushReport>): SinkError => ({
  failures: [{ sink: name, error: new Error(name) }],
  report: { ...NOTHING, ...report },
})

test('both get every event, in order', (t) => {
  const log: Array<string> = []
  const done = Promise.resolve(right(NOTHING))
  const sink = concat(told('a', done, log), told('b', done, log))
  sink.next(started(1))
  sink.next(ended(1))
  t.deepEqual(log, ['a SpanStarted', 'b SpanStarted', 'a SpanEnded', 'b SpanEnded'])
})

for (const [how, next] of [
  [
    'throws',
    () => {
      throw new Error('broken')
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
] as const)
  test.serial(
    `a sink that ${how} does not keep events from the other one, and is told of once`,
    async (t) => {
      const memory = memorySink()
      const broken: Sink = { ...memorySink(), next }
      const warnings = await warningsOf('RESPAN_SINK', () =>
        t.notThrows(() => finish(concat(broken, memory), 1)),
      )
      t.is(memory.events.length, 2)
      t.deepEqual(warnings, ['A sink threw Error; the other sinks carry on.'])
    },
  )

test('both are flushed and closed, whatever becomes of the other, and reports are added', async (t) => {
  const log: Array<string> = []
  const one = failure('a', { dropped: 1, queued: 2 })
  const sink = concat(
    told('a', Promise.resolve(left(one)), log),
    told('b', Promise.resolve(right({ ...NOTHING, delivered: 3 })), log),
  )
  const expected = left({
    failures: one.failures,
    report: { ...NOTHING, dropped: 1, queued: 2, delivered: 3 },
  })
  t.deepEqual(await sink.flush(), expected)
  t.deepEqual(await sink.close(), expected)
  t.deepEqual(log, ['a flush', 'b flush', 'a close', 'b close'])
})

test('failures of both are joined', async (t) => {
  const log: Array<string> = []
  const sink = concat(
    told('a', Promise.resolve(left(failure('a', { dropped: 1 }))), log),
    told('b', Promise.resolve(left(failure('b', { rejected: 1 }))), log),
  )
  const outcome = await sink.flush()
  t.true(isLeft(outcome))
  if (!isLeft(outcome)) return
  t.deepEqual(
    outcome.left.failures.map((one) => one.sink),
    ['a', 'b'],
  )
  t.like(outcome.left.report, { dropped: 1, rejected: 1 })
})

test('a sink that throws what nobody can look at does not keep events from the other one', (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const other = memorySink()
  const broken: Sink = {
    ...noopSink,
    next: () => {
      throw proxy
    },
  }
  finish(concat(broken, other), 1)
  t.deepEqual(other.spans().map(numberOf), [1])
})

test('a sink keeps its `this` when it is flushed and closed', async (t) => {
  const sink: Sink & { readonly report: FlushReport } = {
    ...noopSink,
    report: { ...NOTHING, delivered: 1 },
    flush() {
      return Promise.resolve(right(this.report))
    },
    close() {
      return Promise.resolve(right(this.report))
    },
  }
  const both = concat(sink, memorySink())
  t.deepEqual([await both.flush(), await both.close()], [right(sink.report), right(sink.report)])
})

test('a flush that rejects or throws is a failure, and the other one still counts', async (t) => {
  const log: Array<string> = []
  const rejects = told('a', Promise.reject(new Error('rejected')), log)
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {})
  revoke()
  const unreadable = { ...rejects, flush: () => Promise.reject(proxy) }
  const throws: Sink = {
    ...memorySink(),
    flush: () => {
      throw new Error('thrown')
    },
  }
  const fine = told('b', Promise.resolve(right({ ...NOTHING, delivered: 1 })), log)
  for (const broken of [rejects, throws, unreadable]) {
    const outcome = await concat(broken, fine).flush()
    t.true(isLeft(outcome) && outcome.left.report.delivered === 1)
    if (!isLeft(outcome)) return
    t.deepEqual(
      outcome.left.failures.map(({ sink }) => sink),
      ['sink'],
    )
  }
})

test('every count is a sum', async (t) => {
  const counting = (report: FlushReport): Sink => ({
    ...noopSink,
    flush: () => Promise.resolve(right(report)),
    stats: () => ({ ...report, accepted: 6, inFlight: 7 }),
  })
  const one = { delivered: 1, dropped: 2, rejected: 3, spooled: 4, queued: 5 }
  const two = { delivered: 2, dropped: 4, rejected: 6, spooled: 8, queued: 10 }
  const both = concat(counting(one), counting(one))
  t.deepEqual(await both.flush(), right(two))
  t.deepEqual(both.stats(), { ...two, accepted: 12, inFlight: 14 })
})

test('counts are sums, also as they change', (t) => {
  const sink = concat(memorySink(), memorySink())
  const seen: Array<number> = []
  sink.stats$.subscribe(({ accepted }) => seen.push(accepted))
  finish(sink, 1)
  t.deepEqual(seen, [0, 1, 2])
  t.like(sink.stats(), { accepted: 2, delivered: 2 })
  t.is(accounted(sink), 2)
})

test('shows the pages of the first sink that has some', (t) => {
  const pages = (prefix: string): Sink =>
    Object.assign(memorySink(), { traceUrl: (id: string) => prefix + id })
  t.is(concat(memorySink(), memorySink()).traceUrl, undefined)
  t.is(concat(memorySink(), pages('/b/')).traceUrl?.('1'), '/b/1')
  t.is(concat(pages('/a/'), pages('/b/')).traceUrl?.('1'), '/a/1')
  // As a getter gives it that knows no page.
  t.is(concat({ ...memorySink(), traceUrl: undefined }, pages('/b/')).traceUrl?.('1'), '/b/1')
})

interface Observed {
  readonly received: ReadonlyArray<ReadonlyArray<SpanEvent>>
  readonly stats: SinkStats
  readonly flushed: unknown
  readonly closed: unknown
}

const comparable = (outcome: Awaited<ReturnType<Sink['flush']>>): unknown =>
  isLeft(outcome)
    ? {
        report: outcome.left.report,
        failures: outcome.left.failures.map(({ sink, error }) => [sink, error.message]),
      }
    : outcome.right

/** A span by its number, with all the content that a span may have. */
interface Finished {
  readonly number: number
  readonly start: Partial<SpanStarted>
  readonly end: Partial<SpanEnded>
}

/** All that can be seen of sinks put together in some way: what each of them got, and what came out. */
const observe = async (
  kinds: ReadonlyArray<number>,
  spans: ReadonlyArray<Finished>,
  combine: (sinks: ReadonlyArray<Sink>) => Sink,
): Promise<Observed> => {
  const parts = kinds.map((kind, index) => {
    const memory = memorySink()
    const outcome =
      kind === 0
        ? right({ ...NOTHING, delivered: index + 1 })
        : left(failure(`sink ${index}`, { dropped: kind }))
    return { memory, sink: { ...memory, flush: () => Promise.resolve(outcome) } }
  })
  const whole = combine(parts.map(({ sink }) => sink))
  for (const { number, start, end } of spans) {
    whole.next(started(number, start))
    whole.next({ _tag: 'SpanFirstOutput', traceId: TRACE_ID, spanId: idOf(number), at: 1_500 })
    whole.next(ended(number, end))
  }
  const flushed = comparable(await whole.flush())
  const closed = comparable(await whole.close())
  finish(whole, 99)
  return { received: parts.map(({ memory }) => memory.events), stats: whole.stats(), flushed, closed }
}

const kind = fc.integer({ min: 0, max: 2 })

const content = fc.string({ unit: 'binary', maxLength: 20 })

const error = fc.oneof(
  fc.record({ tag: content, status: fc.nat(599) }),
  fc.record({ tag: content, status: fc.nat(599), message: content }),
  // A stack repeats the message, or it does not.
  fc
    .record({ tag: content, status: fc.nat(599), message: content, at: content, repeats: fc.boolean() })
    .map(({ at, repeats, ...rest }) => ({ ...rest, stack: `${repeats ? rest.message : ''}\n${at}` })),
)

const finished: fc.Arbitrary<ReadonlyArray<Finished>> = fc.array(
  fc.record({
    number: fc.integer({ min: 1, max: 5 }),
    start: fc.record({ input: content }, { requiredKeys: [] }),
    end: fc.record({ input: content, output: content, error }, { requiredKeys: [] }),
  }),
  { maxLength: 6 },
)

testProp('law: concat is associative', [kind, kind, kind, finished], async (t, a, b, c, spans) => {
  const kinds = [a, b, c]
  const leftFirst = await observe(kinds, spans, ([x = empty, y = empty, z = empty]) =>
    concat(concat(x, y), z),
  )
  const rightFirst = await observe(kinds, spans, ([x = empty, y = empty, z = empty]) =>
    concat(x, concat(y, z)),
  )
  t.deepEqual(leftFirst, rightFirst)
})

testProp('law: empty is neutral on both sides', [kind, finished], async (t, a, spans) => {
  const alone = await observe([a], spans, ([x = empty]) => x)
  t.deepEqual(await observe([a], spans, ([x = empty]) => concat(x, empty)), alone)
  t.deepEqual(await observe([a], spans, ([x = empty]) => concat(empty, x)), alone)
  // Also for an empty one that is not known by its identity.
  t.deepEqual(await observe([a], spans, ([x = empty]) => concat({ ...empty }, x)), alone)
})

testProp('law: redacted with the identity is no different', [kind, finished], async (t, a, spans) => {
  const alone = await observe([a], spans, ([x = empty]) => x)
  t.deepEqual(await observe([a], spans, ([x = empty]) => redacted(x, (content) => content)), alone)
})

test('many sinks fold to one', (t) => {
  const sinks = range(1, 5).map(() => memorySink())
  finish(sinks.reduce<Sink>(concat, empty), 1)
  t.true(sinks.every(({ events }) => events.length === 2))
})
