import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { foldSpans, spanFold } from '../../dist/tracing/foldSpans.js'
import type { SpanEvent } from '../../dist/tracing/SpanEvent.js'
import { ended, idOf, range, started, TRACE_ID } from '../helpers/spans.js'

const firstOutput = (number: number, at: number): SpanEvent => ({
  _tag: 'SpanFirstOutput',
  traceId: TRACE_ID,
  spanId: idOf(number),
  at,
})

test('joins the start, the first output and the end of a span', (t) => {
  const events = [
    started(1, { input: 'in', attributes: { customer_identifier: 'user_123' } }),
    firstOutput(1, 1_500),
    ended(1, { output: 'out', leftEarly: true }),
  ]
  t.deepEqual(foldSpans(events), [
    {
      traceId: TRACE_ID,
      spanId: idOf(1),
      parentId: undefined,
      name: 'span 1',
      type: 'task',
      path: '',
      workflow: 'flow',
      trace: 'flow',
      startedAt: 1_001,
      firstOutputAt: 1_500,
      endedAt: 2_001,
      status: 'ok',
      input: 'in',
      output: 'out',
      leftEarly: true,
      attributes: { customer_identifier: 'user_123' },
    },
  ])
})

test('has no key for what did not happen', (t) => {
  const known = 'traceId spanId parentId name type path workflow trace startedAt endedAt status'
  t.deepEqual(foldSpans([started(1), ended(1)]).map(Object.keys), [known.split(' ')])
})

test("takes a workflow's input from its end, and the start's when both have one", (t) => {
  t.is(foldSpans([started(1), ended(1, { input: 'late' })])[0]?.input, 'late')
  t.is(foldSpans([started(1, { input: 'early' }), ended(1, { input: 'late' })])[0]?.input, 'early')
})

test('a span that has ended does not end again while one of another trace goes by its id', (t) => {
  const fold = spanFold()
  for (const traceId of ['a', 'b', 'c']) fold(started(1, { traceId }))
  for (const traceId of ['b', 'c', 'a']) {
    t.not(fold(ended(1, { traceId })), 'orphan')
    t.is(fold(ended(1, { traceId })), 'orphan')
  }
})

test('leaves out what has not ended, and an end without a start', (t) => {
  t.deepEqual(foldSpans([started(1), ended(2), firstOutput(3, 1)]), [])
})

test('counts only the first output, the first start and the first end', (t) => {
  const spans = foldSpans([
    started(1, { name: 'first' }),
    started(1, { name: 'second' }),
    firstOutput(1, 1_500),
    firstOutput(1, 1_600),
    ended(1, { output: 'first' }),
    ended(1, { output: 'second' }),
  ])
  t.is(spans.length, 1)
  t.like(spans[0], { name: 'first', firstOutputAt: 1_500, output: 'first' })
})

test('tells spans of different traces apart that have the same id', (t) => {
  const traces = ['a', 'b', 'c']
  const events = [
    ...traces.map((traceId) => started(1, { traceId, name: traceId })),
    { ...firstOutput(1, 7), traceId: 'b' },
    ...['b', 'c', 'a'].map((traceId) => ended(1, { traceId })),
  ]
  t.deepEqual(
    foldSpans(events).map(({ traceId, name, firstOutputAt }) => [traceId, name, firstOutputAt]),
    [
      ['b', 'b', 7],
      ['c', 'c', undefined],
      ['a', 'a', undefined],
    ],
  )
})

test('tells three of them apart, in whichever order they end', (t) => {
  const traces = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
  const starts = traces.map((traceId) => started(1, { traceId }))
  for (const order of [
    [0, 1, 2],
    [1, 0, 2],
    [2, 0, 1],
  ]) {
    const ids = order.flatMap((index) => traces[index] ?? [])
    const spans = foldSpans([...starts, ...ids.map((traceId) => ended(1, { traceId }))])
    t.deepEqual(
      spans.map(({ traceId }) => traceId),
      ids,
    )
  }
})

test('a fold remembers a bounded number of spans under way, the newest ones', (t) => {
  const fold = spanFold(3)
  for (const number of range(1, 5)) fold(started(number))
  t.deepEqual(
    range(1, 5).map((number) => fold(ended(number)) === 'orphan'),
    [true, true, false, false, false],
  )
})

const events = fc
  .uniqueArray(fc.record({ span: fc.integer({ min: 0, max: 9 }), trace: fc.constantFrom('a', 'b') }), {
    selector: ({ span, trace }) => `${trace}${span}`,
    maxLength: 12,
  })
  .chain((spans) =>
    fc.tuple(
      ...spans.map(({ span, trace }) =>
        fc
          .record({ output: fc.boolean(), end: fc.boolean() })
          .map(
            ({ output, end }): ReadonlyArray<SpanEvent> => [
              started(span, { traceId: trace }),
              ...(output ? [{ ...firstOutput(span, 1_500 + span), traceId: trace }] : []),
              ...(end ? [ended(span, { traceId: trace })] : []),
            ],
          ),
      ),
    ),
  )

/** Deals the events of each span into one order, by random numbers. */
const interleave = (
  lives: ReadonlyArray<ReadonlyArray<SpanEvent>>,
  choices: ReadonlyArray<number>,
): ReadonlyArray<SpanEvent> => {
  const left = lives.map((life) => [...life])
  const order: Array<SpanEvent> = []
  for (let turn = 0; left.some((life) => life.length > 0); turn++) {
    const open = left.filter((life) => life.length > 0)
    const event = open[(choices[turn % choices.length] ?? 0) % open.length]?.shift()
    if (event !== undefined) order.push(event)
  }
  return order
}

const choices = fc.array(fc.nat(), { minLength: 1, maxLength: 40 })

const sorted = (order: ReadonlyArray<SpanEvent>) =>
  [...foldSpans(order)].sort((one, other) =>
    `${one.traceId}${one.spanId}` < `${other.traceId}${other.spanId}` ? -1 : 1,
  )

testProp(
  "law: every order that keeps each span's own gives the same spans",
  [events, choices, choices],
  (t, lives, first, second) => {
    t.deepEqual(sorted(interleave(lives, first)), sorted(interleave(lives, second)))
    t.is(
      sorted(lives.flat()).length,
      lives.filter((life) => life.some(({ _tag }) => _tag === 'SpanEnded')).length,
    )
  },
)
