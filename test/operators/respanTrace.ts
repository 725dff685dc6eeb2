import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { testProp } from '@fast-check/ava'
import test from 'ava'
import { expectTypeOf } from 'expect-type'
import fc from 'fast-check'
import * as io from 'io-ts'
import {
  concat,
  concatMap,
  connect,
  defer,
  delay,
  EMPTY,
  filter,
  firstValueFrom,
  forkJoin,
  from,
  last,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  pipe,
  range,
  reduce,
  repeat,
  retry,
  Subject,
  scan,
  share,
  take,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs'
import type { ChatMessage } from '../../dist/codecs/ChatMessage.js'
import type { ChatParams } from '../../dist/codecs/ChatParams.js'
import { user } from '../../dist/codecs/messages.js'
import type { ReplyEvent } from '../../dist/codecs/Reply.js'
import { HttpError, InvalidInput } from '../../dist/errors.js'
import { buildPrompt } from '../../dist/operators/buildPrompt.js'
import { component } from '../../dist/operators/component.js'
import { respanGenerate } from '../../dist/operators/respanGenerate.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { snapshots } from '../../dist/operators/snapshots.js'
import type { TraceOptions, TraceStart } from '../../dist/operators/TraceOptions.js'
import { tokens } from '../../dist/operators/tokens.js'
import { traced } from '../../dist/operators/traced.js'
import { traceEach } from '../../dist/operators/traceEach.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import type { Gateway } from '../../dist/sources/Gateway.js'
import { deterministicClock, deterministicIds, marbleGateway, marbles } from '../../dist/testing/index.js'
import { currentSpan } from '../../dist/tracing/currentSpan.js'
import type { Sink } from '../../dist/tracing/Sink.js'
import type { Span, SpanEvent } from '../../dist/tracing/SpanEvent.js'
import { all } from '../helpers/all.js'
import { dishonesties, statusesOf, treeOf } from '../helpers/traces.js'
import { warningsOf } from '../helpers/warnings.js'

const thrown = new Error('of a test')

const passing = component('c', (value: unknown) => [value])

/** The spans of one run of a pipeline under the root `T`; an error of it is in the trace. */
const spansOf = async (
  pipeline: Observable<unknown>,
  options: TraceOptions & { readonly output?: (value: unknown) => unknown } = {},
): Promise<ReadonlyArray<Span>> => {
  const sink = memorySink()
  await all(pipeline.pipe(respanTrace('T', { sink, ...options }))).catch(() => undefined)
  return sink.spans()
}

const rootOf = async (...args: Parameters<typeof spansOf>): Promise<Span | undefined> =>
  (await spansOf(...args)).at(-1)

const contentsOf = async (...args: Parameters<typeof spansOf>) =>
  (await spansOf(...args)).map(({ name, input, output }) => [name, input, output])

/** The process warnings of ours that come while something runs. */
// ── the operator

test('mirrors its source, in the same frames', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const root = respanTrace<string>('T', { sink: memorySink() })
    expectObservable(cold('--a-(bc)-d|').pipe(root)).toBe('--a-(bc)-d|')
    expectObservable(cold('--|').pipe(root)).toBe('--|')
    expectObservable(cold('-a-#').pipe(root)).toBe('-a-#')
    const source = cold('-a-b-c|')
    expectObservable(source.pipe(root), '^---!').toBe('-a-b-')
    expectSubscriptions(source.subscriptions).toBe('^---!')
  }))

test('a synchronous source stops when its consumer has enough', (t) => {
  let sent = 0
  const endless = new Observable<number>((subscriber) => {
    while (!subscriber.closed && sent < 100) subscriber.next(sent++)
  })
  endless.pipe(respanTrace('T', { sink: memorySink() }), take(3)).subscribe()
  t.is(sent, 3)
})

test('a source that unsubscribes whoever reads it is left, with a link below it and without', (t) => {
  const leaving = new Observable<number>((subscriber) => {
    subscriber.next(1)
    subscriber.unsubscribe()
    subscriber.next(2)
  })
  for (const deep of [true, false]) {
    const seen: Array<unknown> = []
    const sink = memorySink()
    const run$ = leaving.pipe(
      map((n) => n * 10),
      passing,
      respanTrace('T', { sink, deep }),
    )
    run$.subscribe((n) => seen.push(n))
    t.deepEqual(seen, [10])
  }
})

test('passes a throw of an operator above or below down the error channel, untouched', async (t) => {
  const fail = map(() => {
    throw thrown
  })
  const root = respanTrace('T', { sink: memorySink() })
  t.is(await t.throwsAsync(all(of(1).pipe(fail, root))), thrown)
  t.is(await t.throwsAsync(all(of(1).pipe(root, fail))), thrown)
})

test('a re-entrant next keeps RxJS’s order', (t) => {
  const again = new Subject<number>()
  const seen: Array<number> = []
  again.pipe(respanTrace('T', { sink: memorySink() })).subscribe((n) => {
    if (n < 3) again.next(n + 1)
    seen.push(n)
  })
  again.next(1)
  t.deepEqual(seen, [3, 2, 1])
})

test('each subscription is a trace of its own', async (t) => {
  const sink = memorySink()
  const run$ = of(1).pipe(passing, respanTrace('T', { sink }))
  t.deepEqual(sink.events, [])
  await Promise.all([all(run$), all(run$)])
  t.is(treeOf(sink.events), 'T(c),T(c)')
  t.is(new Set(sink.spans().map(({ traceId }) => traceId)).size, 2)
})

test('share below makes one trace; retry below makes new ones, above it stays inside', async (t) => {
  const flaky = () => {
    let tries = 0
    return defer(() => (++tries === 1 ? throwError(() => thrown) : of(1)))
  }
  const shared = memorySink()
  const shared$ = timer(1).pipe(passing, respanTrace('T', { sink: shared }), share())
  await Promise.all([all(shared$), all(shared$)])
  t.is(treeOf(shared.events), 'T(c)')

  const below = memorySink()
  await all(concat(of(0).pipe(passing), flaky()).pipe(respanTrace('T', { sink: below }), retry(1)))
  t.is(treeOf(below.events), 'T(c),T(c)')

  const above = memorySink()
  await all(concat(of(0).pipe(passing), flaky()).pipe(retry(1), respanTrace('T', { sink: above })))
  t.is(treeOf(above.events), 'T(c,c)')
})

test('tells the life of its spans as events, with the clock and the ids that it was given', async (t) => {
  const sink = memorySink()
  const options = { sink, clock: deterministicClock(100), ids: deterministicIds() }
  await all(
    of('in').pipe(
      component('c', (v) => of(`${v}!`)),
      respanTrace('T', options),
    ),
  )
  const traceId = '0'.repeat(31).concat('1')
  const [t1, c1] = ['0000000000000001', '0000000000000002']
  const head = { workflow: 'T', trace: 'T' }
  t.deepEqual(sink.events, [
    {
      _tag: 'SpanStarted',
      traceId,
      spanId: t1,
      at: 100,
      parentId: undefined,
      name: 'T',
      type: 'workflow',
      path: '',
      ...head,
    },
    {
      _tag: 'SpanStarted',
      traceId,
      spanId: c1,
      at: 101,
      parentId: t1,
      name: 'c',
      type: 'task',
      path: 'T',
      ...head,
      input: 'in',
    },
    { _tag: 'SpanFirstOutput', traceId, spanId: c1, at: 102 },
    { _tag: 'SpanFirstOutput', traceId, spanId: t1, at: 103 },
    { _tag: 'SpanEnded', traceId, spanId: c1, at: 105, status: 'ok', output: 'in!' },
    { _tag: 'SpanEnded', traceId, spanId: t1, at: 106, status: 'ok', input: 'in', output: 'in!' },
  ])
})

test('a nested trace gives its spans ids of its own, when it is told to', async (t) => {
  const sink = memorySink()
  let count = 0
  const ids = { ...deterministicIds(), span: () => `inner ${++count}` }
  const nested = pipe(
    component('c', (v: number) => of(v)),
    respanTrace('nested', { ids }),
  )
  await all(of(1).pipe(nested, respanTrace('T', { sink, ids: deterministicIds() })))
  t.deepEqual(
    sink.spans().map(({ name, spanId }) => [name, spanId]),
    [
      ['c', 'inner 2'],
      ['nested', 'inner 1'],
      ['T', '0000000000000001'],
    ],
  )
})

test('its own ids are random, in the forms of W3C Trace Context, and its clock is the time', async (t) => {
  const before = Date.now()
  const spans = await spansOf(from(Array.from({ length: 500 }, (_, n) => n)).pipe(passing))
  const after = Date.now()
  for (const { traceId, spanId, startedAt, endedAt } of spans) {
    t.regex(traceId, /^(?!0+$)[0-9a-f]{32}$/)
    t.regex(spanId, /^(?!0+$)[0-9a-f]{16}$/)
    t.true(startedAt >= before - 1 && endedAt <= after + 1 && startedAt <= endedAt)
  }
  t.is(new Set(spans.map(({ spanId }) => spanId)).size, 501)
})

test('calls onStart before the source is subscribed, with the ids and where the trace is shown', async (t) => {
  const order: Array<string> = []
  const starts: Array<TraceStart> = []
  const sink: Sink = { ...memorySink(), traceUrl: (traceId) => `https://viewer/${traceId}` }
  const onStart = (start: TraceStart): void => {
    order.push('onStart')
    starts.push(start)
  }
  const source = defer(() => {
    order.push('source')
    starts.push({ traceId: '', spanId: '', traceUrl: '', ...currentSpan() })
    return of(1)
  })
  await all(source.pipe(respanTrace('T', { sink, onStart, ids: deterministicIds() })))
  t.deepEqual(order, ['onStart', 'source'])
  const start = {
    traceId: '00000000000000000000000000000001',
    spanId: '0000000000000001',
    traceUrl: 'https://viewer/00000000000000000000000000000001',
  }
  t.deepEqual(starts, [start, start])
  await all(of(1).pipe(respanTrace('T', { sink: memorySink(), onStart })))
  t.is(starts[2]?.traceUrl, undefined)
})

test('inside another trace it is a workflow of that trace, in its sink', async (t) => {
  const sink = memorySink()
  const starts: Array<TraceStart> = []
  const inner = respanTrace('inner', { onStart: (start) => starts.push(start) })
  await all(of(1).pipe(passing, inner, passing, respanTrace('outer', { sink })))
  t.is(treeOf(sink.events), 'outer(inner(c),c)')
  t.deepEqual(
    sink.spans().map(({ name, workflow, trace, path, type }) => [name, workflow, trace, path, type]),
    [
      ['c', 'outer', 'outer', 'outer', 'task'],
      ['c', 'inner', 'outer', 'outer.inner', 'task'],
      ['inner', 'inner', 'outer', 'outer', 'workflow'],
      ['outer', 'outer', 'outer', '', 'workflow'],
    ],
  )
  const [traceId] = sink.spans().map((span) => span.traceId)
  t.deepEqual(starts, [
    { traceId: traceId ?? '', spanId: sink.spans()[2]?.spanId ?? '', traceUrl: undefined },
  ])
})

test('a nested trace can have a sink of its own', async (t) => {
  const outer = memorySink()
  const own = memorySink()
  await all(of(1).pipe(passing, respanTrace('inner', { sink: own }), respanTrace('outer', { sink: outer })))
  t.deepEqual(statusesOf(own.spans()), ['c ok', 'inner ok'])
  t.deepEqual(statusesOf(outer.spans()), ['outer ok'])
  t.is(own.spans()[1]?.parentId, outer.spans()[0]?.spanId)
})

test('a nested trace is shown where its own sink shows it, else where its root is', async (t) => {
  const urls: Array<string | undefined> = []
  const shown = (where: string): Sink => ({ ...memorySink(), traceUrl: (id) => `https://${where}/${id}` })
  const nested = async (sink: Sink, own: Sink): Promise<void> => {
    urls.length = 0
    const looking = tap(() => urls.push(currentSpan()?.traceUrl))
    const inner = component('c', (n: number) => of(n).pipe(looking, respanTrace('inner', { sink: own })))
    await all(of(1).pipe(inner, respanTrace('outer', { sink, ids: deterministicIds() })))
  }
  const id = '00000000000000000000000000000001'
  await nested(memorySink(), shown('own'))
  t.deepEqual(urls, [`https://own/${id}`])
  await nested(shown('outer'), shown('own'))
  t.deepEqual(urls, [`https://own/${id}`])
  await nested(shown('outer'), memorySink())
  t.deepEqual(urls, [`https://outer/${id}`])
})

// ── input and output

test('its output is the value, or the list of values', async (t) => {
  const output = async (...values: ReadonlyArray<unknown>) => (await rootOf(from(values)))?.output
  t.is(await output('text'), 'text')
  t.is(await output({ a: 1 }), '{"a":1}')
  t.is(await output('a', 'b'), '["a","b"]')
  t.is(await output(1, { a: [] }, 'c', null), '[1,{"a":[]},"c",null]')
  t.is(await output([1, 2]), '[1,2]')
  t.is(await output(), undefined)
  t.is(await output(undefined), undefined)
  t.is(await output(10n), '"10"')
  t.is(await output(new Date(0)), '"1970-01-01T00:00:00.000Z"')
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  t.is(await output(cyclic), '{"self":"[circular]"}')
  t.is(await output({ n: 1, f: () => 2 }), '{"n":1}')
  t.is(await output({ n: 10n, f: () => 2, list: [() => 3] }), '{"n":"10","list":[null]}')
})

test('an empty run has no output, and no first output', async (t) => {
  const root = await rootOf(EMPTY)
  t.false(root !== undefined && ('output' in root || 'firstOutputAt' in root || 'input' in root))
})

test('output maps what is recorded, never what is emitted', async (t) => {
  const sink = memorySink()
  const output = ({ secret, ...rest }: { id: number; secret: string }): unknown => ({
    ...rest,
    n: secret.length,
  })
  const value = { id: 1, secret: 'abc' }
  t.is(await lastValueFrom(of(value).pipe(respanTrace('T', { sink, output }))), value)
  t.is(sink.spans()[0]?.output, '{"id":1,"n":3}')
})

const chat = (text: string, stream = true) =>
  ({ model: 'm', stream, gateway: marbleGateway(`(${text}|)`) }) as const

test('its output is the text of the reply for tokens, snapshots and reply events', async (t) => {
  const generate = () => respanGenerate({ ...chat('abc'), stream: true })
  t.is((await rootOf(of('hi').pipe(generate(), tokens())))?.output, 'abc')
  t.is((await rootOf(of('hi').pipe(generate(), snapshots())))?.output, 'abc')
  t.is((await rootOf(of('hi').pipe(generate())))?.output, 'abc')
  t.is((await rootOf(of('hi', 'ho').pipe(generate())))?.output, '["abc","abc"]')
  const left = of('hi').pipe(generate(), tokens(), take(2))
  t.is((await rootOf(left))?.output, 'ab')
  const finished = of('hi').pipe(
    generate(),
    mergeMap((event) => (event._tag === 'ReplyFinished' ? of(event) : EMPTY)),
  )
  t.is((await rootOf(finished))?.output, 'abc')
})

test('a reply whose text is redacted to something else is that, or nothing', async (t) => {
  const run = () => of('hi').pipe(respanGenerate({ ...chat('abc'), stream: true }), tokens())
  const root = await rootOf(run(), { redact: (content) => (content === 'abc' ? { characters: 3 } : content) })
  t.is(root?.output, '{"characters":3}')
  const nothing = await rootOf(run(), { redact: () => undefined })
  t.deepEqual([nothing?.status, nothing?.output], ['ok', undefined])
})

test("an event of somebody else's is content like any other", async (t) => {
  const events = [
    { _tag: 'OrderPlaced', id: '1', text: 'tea' },
    { _tag: 'ReplyFinished', id: '1', reply: 'late' },
  ]
  for (const event of events) t.is((await rootOf(of(event)))?.output, JSON.stringify(event))
})

test('tokens of a trace are its own, also where another trace subscribes them again', async (t) => {
  const again = new Subject<void>()
  const a = memorySink()
  const b = memorySink()
  const delta = { _tag: 'TextDelta', id: '1', choice: 0 } as const
  const tokensTwice = of({ ...delta, text: 'a' }, { ...delta, text: 'b' }).pipe(
    tokens(),
    repeat({ count: 2, delay: () => again }),
    respanTrace('B', { sink: b, deep: false }),
  )
  const done = all(tokensTwice)
  const asks = component('asks', () => {
    again.next()
    return of('a')
  })
  await all(of(1).pipe(asks, respanTrace('A', { sink: a })))
  t.deepEqual(await done, ['a', 'b', 'a', 'b'])
  t.is(b.spans()[0]?.output, 'abab')
  t.deepEqual(
    a.spans().map(({ output }) => output),
    ['a', 'a'],
  )
})

test('what an operator does with one item is in its own trace, also where another trace subscribes it', async (t) => {
  const again = new Subject<void>()
  const a = memorySink()
  const b = memorySink()
  const step = component('step', (value: string) => [value])
  const generate = respanGenerate(chat('abc', false))
  let asked = (): void => undefined
  const waits = new Promise<void>((resolve) => {
    asked = resolve
  })
  const delay = () => {
    asked()
    return again
  }
  const once = concat(step.project('x', 0), generate.project('hi', 0))
  const done = all(
    once.pipe(repeat({ count: 2, delay }), respanTrace<unknown>('B', { sink: b, deep: false })),
  )
  await waits
  const asks = component('asks', () => {
    again.next()
    return [1]
  })
  await all(of(1).pipe(asks, respanTrace('A', { sink: a })))
  await done
  t.deepEqual(statusesOf(a.spans()), ['asks ok', 'A ok'])
  const steps = ['step ok', 'respanGenerate ok']
  t.deepEqual(statusesOf(b.spans()), [...steps, ...steps, 'B ok'])
})

test('a request that could not be made is a generation that failed', async (t) => {
  const generate = respanGenerate(chat('abc'))
  // @ts-expect-error -- in JavaScript all is possible
  const [span] = await spansOf(of({ prompt: 42 }).pipe(generate))
  t.like(span, {
    name: 'respanGenerate',
    type: 'generation',
    status: 'error',
    error: { tag: 'InvalidInput' },
    generation: { usageSource: 'unknown' },
  })
  t.is(span?.input, '{"prompt":42}')
})

test('what is made of tokens is a list again', async (t) => {
  const run = () => of('hi').pipe(respanGenerate({ ...chat('abc'), stream: true }), tokens())
  t.is((await rootOf(run().pipe(toArray())))?.output, '["a","b","c"]')
  t.is(
    (await rootOf(run().pipe(map((text) => ({ text })))))?.output,
    '[{"text":"a"},{"text":"b"},{"text":"c"}]',
  )
  t.is((await rootOf(run().pipe(map((text) => text.length))))?.output, '[1,1,1]')
})

test('what is made of tokens or snapshots is a list, also when it is text', async (t) => {
  const generate = () => respanGenerate({ ...chat('abc'), stream: true })
  const asked = (pipeline: Observable<unknown>) => rootOf(pipeline).then((root) => root?.output)
  const judge = component('judge', (text: string) => of(`${text}: good`, 'sure'))
  const run = () => of('hi').pipe(generate(), tokens())
  t.is(await asked(run().pipe(scan((so, far) => so + far, ''))), '["a","ab","abc"]')
  t.is(
    await asked(
      run().pipe(
        reduce((so, far) => so + far, ''),
        judge,
      ),
    ),
    '["abc: good","sure"]',
  )
  const joined = (text: string) =>
    of(text).pipe(
      generate(),
      tokens(),
      reduce((so, far) => so + far, ''),
    )
  t.is(await asked(of('hi', 'ho').pipe(concatMap(joined))), '["abc","abc"]')
  const length = component('length', (text: string) => of(`length ${text.length}`))
  t.is(await asked(of('hi').pipe(generate(), snapshots(), length)), '["length 1","length 2","length 3"]')
})

test('the text of each reply is one of its outputs, by tokens and by snapshots', async (t) => {
  const generate = () => respanGenerate({ ...chat('abc'), stream: true })
  const asked = (pipeline: Observable<unknown>) => rootOf(pipeline).then((root) => root?.output)
  for (const read of [tokens, snapshots]) {
    t.is(await asked(of('hi', 'ho').pipe(generate(), read())), '["abc","abc"]')
    // What lets texts through, or only some, makes no others.
    t.is(await asked(of('hi').pipe(generate(), read(), delay(1), tap())), 'abc')
  }
  t.is(
    await asked(
      of('hi').pipe(
        generate(),
        tokens(),
        filter((text) => text !== 'b'),
      ),
    ),
    'ac',
  )
  t.is(
    await asked(
      of('hi').pipe(
        generate(),
        snapshots(),
        filter((text) => text !== 'abc'),
      ),
    ),
    'ab',
  )
})

test('the text of each choice is one of its outputs, by tokens and by snapshots', async (t) => {
  const piece = (index: number, content: string) => ({ choices: [{ index, delta: { content } }] })
  const values = { a: piece(0, 'Hel'), b: piece(1, 'Bon'), c: piece(0, 'lo'), d: piece(1, 'jour') }
  const generate = respanGenerate({
    model: 'm',
    stream: true,
    params: { n: 2 },
    gateway: marbleGateway('(abcd|)', values),
  })
  for (const read of [tokens, snapshots]) {
    const both = connect((event$: Observable<ReplyEvent>) =>
      merge(event$.pipe(read()), event$.pipe(read({ choice: 1 }))),
    )
    t.is((await rootOf(of('hi').pipe(generate, both)))?.output, '["Hello","Bonjour"]')
  }
})

test('tokens that come out much later are values like any other', async (t) => {
  const held = async (count: number): Promise<string | undefined> => {
    const generate = respanGenerate({ ...chat('x'.repeat(count)), stream: true })
    const later = of('hi').pipe(
      generate,
      tokens(),
      toArray(),
      mergeMap((list) => from(list)),
    )
    return (await rootOf(later))?.output
  }
  t.is(await held(1_000), 'x'.repeat(1_000))
  t.is(await held(1_001), JSON.stringify(Array.from({ length: 1_001 }, () => 'x')))
})

test('of many tokens that never come out, their sum is the output', async (t) => {
  const text = 'x'.repeat(3_000)
  const generate = respanGenerate({ ...chat(text), stream: true })
  const root = await rootOf(
    of('hi').pipe(
      generate,
      tokens(),
      reduce((so, far) => so + far, ''),
    ),
  )
  t.is(root?.output, text)
})

test('a value that only looks like an event of a reply is recorded as it is', async (t) => {
  const sink = memorySink()
  const hostile = {
    _tag: 'TextDelta',
    id: 'r',
    text: 'y',
    get choice(): number {
      throw thrown
    },
  }
  t.deepEqual(await all(from([hostile, 1]).pipe(respanTrace<unknown>('T', { sink }))), [hostile, 1])
  t.is(sink.spans()[0]?.status, 'ok')
})

test('only the first choice is the text of a reply', async (t) => {
  const delta = (choice: number, text: string) => ({ _tag: 'TextDelta', id: 'r', choice, text })
  t.is((await rootOf(from([delta(1, 'x'), delta(0, 'a'), delta(1, 'y'), delta(0, 'b')])))?.output, 'ab')
})

test('its input is what entered the first component below it', async (t) => {
  const input = async (pipeline: Observable<unknown>) => (await rootOf(pipeline))?.input
  t.is(await input(of('q').pipe(passing)), 'q')
  t.is(
    await input(
      of({ q: 1 }).pipe(
        passing,
        map(() => 'later'),
        passing,
      ),
    ),
    '{"q":1}',
  )
  t.is(await input(of(1, 2).pipe(passing)), '1')
  t.is(await input(of('q').pipe(map(String))), undefined)
  t.is(await input(of('q').pipe(passing, respanTrace('nested'))), 'q')
  t.is(
    await input(
      of(undefined).pipe(
        passing,
        map(() => 'later'),
        passing,
      ),
    ),
    undefined,
  )
})

test('the root rolls its generations up under a name of its own; usage is on each generation alone', async (t) => {
  const twice = of('hi', 'ho').pipe(respanGenerate({ ...chat('ab'), stream: false }), respanTrace('nested'))
  const spans = await spansOf(twice)
  t.deepEqual(
    spans.map(({ name, generation, totals }) => [name, generation?.usage?.total_tokens, totals]),
    [
      ['respanGenerate', 2, undefined],
      ['respanGenerate', 2, undefined],
      ['nested', undefined, undefined],
      ['T', undefined, { generations: 2, prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 }],
    ],
  )
  t.is((await rootOf(of(1)))?.totals, undefined)
  const failing = respanGenerate({ model: 'm', gateway: marbleGateway('#') })
  const known = respanGenerate({ ...chat('ab'), stream: false })
  t.deepEqual((await rootOf(concat(of('hi').pipe(known), of('hi').pipe(failing))))?.totals, {
    generations: 2,
    prompt_tokens: 1,
    completion_tokens: 1,
    total_tokens: 2,
  })
})

test('the root adds up what its generations cost, and tells no cost that nobody told', async (t) => {
  const costing = (...costs: ReadonlyArray<number | undefined>) => {
    let calls = 0
    const fetch = async (): Promise<Response> => {
      const message = { role: 'assistant', content: 'a' }
      return Response.json({ choices: [{ index: 0, message, finish_reason: 'stop' }], cost: costs[calls++] })
    }
    const generate = respanGenerate({ model: 'm', baseUrl: 'http://127.0.0.1:1', fetch })
    return rootOf(from(costs.map(String)).pipe(generate))
  }
  t.is((await costing(0.25, undefined, 0.5))?.totals?.cost, 0.75)
  const untold = await costing(undefined)
  t.is(untold?.totals?.generations, 1)
  t.false('cost' in (untold?.totals ?? {}))
})

test('the totals have one order, whichever of them was known first', async (t) => {
  const fetch = async (): Promise<Response> => {
    const message = { role: 'assistant', content: 'a' }
    return Response.json({ choices: [{ index: 0, message, finish_reason: 'stop' }], cost: 1 })
  }
  const priced = of('hi').pipe(respanGenerate({ model: 'm', baseUrl: 'http://127.0.0.1:1', fetch }))
  const estimated = of('hi').pipe(respanGenerate({ ...chat('ab'), stream: true }), take(2))
  const keys = ['generations', 'prompt_tokens', 'completion_tokens', 'total_tokens', 'cost', 'estimated']
  for (const pipeline of [concat<unknown[]>(priced, estimated), concat<unknown[]>(estimated, priced)])
    t.deepEqual(Object.keys((await rootOf(pipeline))?.totals ?? {}), keys)
})

// ── attributes

test('its attributes are on every span, and a nested trace’s lie over them', async (t) => {
  const inner = respanTrace('inner', { attributes: { thread_identifier: 't2', metadata: { b: 2 } } })
  const spans = await spansOf(of(1).pipe(passing, inner, passing), {
    attributes: { customer_identifier: 'u', thread_identifier: 't1', metadata: { a: 1, b: 1 } },
  })
  const outer = { customer_identifier: 'u', thread_identifier: 't1', metadata: { a: 1, b: 1 } }
  const over = { customer_identifier: 'u', thread_identifier: 't2', metadata: { a: 1, b: 2 } }
  t.deepEqual(
    spans.map(({ path, attributes }) => [path, attributes]),
    [
      ['T', outer],
      ['T.inner', over],
      ['T', over],
      ['', outer],
    ],
  )
})

test('changing the attributes afterwards changes no trace', async (t) => {
  const metadata: Record<string, unknown> = { a: 1 }
  const attributes = { customer_identifier: 'u', metadata }
  const sink = memorySink()
  const run$ = of(1).pipe(respanTrace('T', { sink, attributes }))
  attributes.customer_identifier = 'v'
  metadata.a = 2
  await all(run$)
  t.deepEqual(sink.spans()[0]?.attributes, { customer_identifier: 'u', metadata: { a: 1 } })
})

// ── content

test('captureContent: false keeps names, times and statuses, and no content', async (t) => {
  const failing = component('f', () => throwError(() => new TypeError('secret')))
  const ours = component('o', () => throwError(() => new HttpError('refused', { status: 400 })))
  const content = { captureContent: false }
  t.deepEqual(await contentsOf(of('secret').pipe(passing), content), [
    ['c', undefined, undefined],
    ['T', undefined, undefined],
  ])
  const [span, root] = await spansOf(of('secret').pipe(failing), content)
  t.deepEqual(span?.error, { tag: 'TypeError', status: 500 })
  t.deepEqual(root?.error, { tag: 'TypeError', status: 500 })
  const [refused] = await spansOf(of('secret').pipe(ours), content)
  t.like(refused?.error, { tag: 'HttpError', message: 'refused', status: 400 })
  t.false(JSON.stringify(await spansOf(of('secret').pipe(failing), content)).includes('secret'))
})

test('a nested trace can withhold more, never less', async (t) => {
  const nested = (captureContent: boolean) => of('s').pipe(passing, respanTrace('n', { captureContent }))
  t.deepEqual(await contentsOf(nested(true), { captureContent: false }), [
    ['c', undefined, undefined],
    ['n', undefined, undefined],
    ['T', undefined, undefined],
  ])
  t.deepEqual(await contentsOf(nested(false), { captureContent: true }), [
    ['c', undefined, undefined],
    ['n', undefined, undefined],
    ['T', undefined, 's'],
  ])
})

for (const variable of ['RESPAN_TRACE_CONTENT', 'HAYSTACK_CONTENT_TRACING_ENABLED']) {
  test.serial(`${variable}=false withholds content, unless the option says otherwise`, async (t) => {
    t.teardown(() => delete process.env[variable])
    const sink = memorySink()
    const run$ = of('s').pipe(passing, respanTrace('T', { sink }))
    process.env[variable] = 'false'
    await all(run$)
    t.is(sink.spans()[1]?.output, undefined)
    t.is((await rootOf(of('s'), { captureContent: true }))?.output, 's')
    delete process.env[variable]
    await all(run$)
    t.is(sink.spans()[3]?.output, 's')
  })
}

for (const [what, value, written] of [
  ['a Map', new Map([['k', 1]]), [['k', 1]]],
  ['a Set', new Set([1]), [1]],
  ['an Error', new TypeError('why'), { name: 'TypeError', message: 'why' }],
  ['bytes', new Uint8Array(3), '[3 bytes]'],
  ['a buffer', new ArrayBuffer(3), '[3 bytes]'],
  ['a Blob', new Blob(['abc']), '[3 bytes]'],
  ['a File', new File(['abc'], 'a.png', { type: 'image/png' }), '[image/png, 3 bytes]'],
] as const)
  test(`${what} is written down at any depth`, async (t) => {
    t.is((await rootOf(of(value)))?.output, JSON.stringify(written))
    t.is((await rootOf(of({ a: [{ value }] })))?.output, JSON.stringify({ a: [{ value: written }] }))
    t.is((await rootOf(of({ toJSON: () => value })))?.output, JSON.stringify(written))
  })

for (const [what, made, written] of [
  ['a Map', 'new Map([["k", 1]])', [['k', 1]]],
  ['a Set', 'new Set([1])', [1]],
  ['a buffer', 'new ArrayBuffer(3)', '[3 bytes]'],
  ['an Error', 'new TypeError("why")', { name: 'TypeError', message: 'why' }],
  [
    'an Error with fields',
    'Object.assign(new Error("why"), { code: "E" })',
    { name: 'Error', message: 'why' },
  ],
  [
    'a DOMException',
    'Object.assign(Object.create({ [Symbol.toStringTag]: "DOMException" }), { name: "AbortError", message: "gone", stack: "" })',
    { name: 'AbortError', message: 'gone' },
  ],
] as const)
  test(`${what} of another realm is written down as one of this`, async (t) => {
    const value: unknown = runInNewContext(made)
    t.is((await rootOf(of({ value })))?.output, JSON.stringify({ value: written }))
  })

class Registry extends Map<string, number> {
  override get [Symbol.toStringTag](): string {
    return 'Registry'
  }
}

const strict = new Proxy(
  { a: 1 },
  {
    get: (target, key) => {
      if (!(key in target)) throw new TypeError(`no ${String(key)}`)
      return Reflect.get(target, key)
    },
  },
)

for (const [what, value, written] of [
  ['a Map with a tag of its own', new Registry([['k', 1]]), [['k', 1]]],
  [
    'a Set with a tag of its own',
    Object.defineProperty(new Set([1]), Symbol.toStringTag, { value: 'Bag' }),
    [1],
  ],
  [
    'a Map of another realm with more to it',
    runInNewContext('Object.assign(new Map([["k", 1]]), { l: 1 })'),
    [['k', 1]],
  ],
  ['what refuses to be asked for what it lacks', { strict, big: 1n }, { strict: { a: 1 }, big: '1' }],
] as const)
  test(`${what} is written down`, async (t) => {
    t.is((await rootOf(of({ value })))?.output, JSON.stringify({ value: written }))
  })

test('an error of another realm is told by its name, message and stack', async (t) => {
  const error: unknown = runInNewContext('new RangeError("too far")')
  const span = await rootOf(throwError(() => error))
  t.like(span?.error, { tag: 'RangeError', message: 'too far' })
  t.regex(span?.error?.stack ?? '', /^RangeError: too far\n +at /)
})

for (const [what, value, written] of [
  ['an Error', Object.assign(new Error('why'), { code: 'EPIPE' }), { name: 'Error', message: 'why' }],
  ['a Map', Object.assign(new Map([['k', 1]]), { label: 'l' }), [['k', 1]]],
  ['bytes', Buffer.from('abc'), '[3 bytes]'],
] as const)
  test(`${what} with more to it than JSON writes is written down at any depth`, async (t) => {
    t.is((await rootOf(of(value)))?.output, JSON.stringify(written))
    t.is((await rootOf(of({ a: [{ value }] })))?.output, JSON.stringify({ a: [{ value: written }] }))
  })

test('what a value inherits is not looked at, as JSON does not', async (t) => {
  let looks = 0
  const loads = {
    get rows(): ReadonlyArray<number> {
      looks++
      return []
    },
  }
  const value: object = Object.assign(Object.create(loads), { id: 1 })
  t.is((await rootOf(of(value)))?.output, '{"id":1}')
  t.is(looks, 0)
})

test('redact maps inputs, outputs and foreign messages before any event', async (t) => {
  const redact = (content: unknown): unknown =>
    typeof content === 'string' ? content.replaceAll('secret', '***') : { withheld: true }
  t.deepEqual(await contentsOf(of('a secret').pipe(passing), { redact }), [
    ['c', 'a ***', 'a ***'],
    ['T', 'a ***', 'a ***'],
  ])
  t.deepEqual(await contentsOf(of({ a: 1 }).pipe(passing), { redact }), [
    ['c', '{"withheld":true}', '{"withheld":true}'],
    ['T', '{"withheld":true}', '{"withheld":true}'],
  ])
  const failing = component('f', () => throwError(() => new Error('the secret')))
  const [span] = await spansOf(of(1).pipe(failing), { redact })
  t.is(span?.error?.message, 'the ***')
  t.regex(span?.error?.stack ?? '', /^Error: the \*\*\*\n +at /)
})

test('a number of an input is content, also where an error of ours tells it', async (t) => {
  const prompt = buildPrompt('{{ card }}', { variables: io.type({ card: io.string }) })
  const told = async (options: TraceOptions) => {
    const spans = await spansOf(of(JSON.parse('{"card":4111111111111111}')).pipe(prompt), options)
    t.is(new Set(spans.map(({ error }) => error?.message)).size, 1)
    t.is(
      spans.some(({ error }) => error?.stack?.includes('4111111111111111')),
      options.captureContent === true,
    )
    return spans[0]?.error?.message
  }
  const redact = (content: unknown): unknown =>
    JSON.parse(JSON.stringify(content).replaceAll(/\d{16}/g, '****'))
  const withheld = 'buildPrompt: card: expected string'
  t.is(await told({ captureContent: true }), `${withheld}, found number 4111111111111111.`)
  t.is(await told({ captureContent: false }), `${withheld}.`)
  t.is(await told({ redact }), `${withheld}, found number ****.`)
})

test('what a server says in an error is content, because it may repeat what it was asked', async (t) => {
  const json = (body: unknown, status: number) => () =>
    Promise.resolve(
      new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } }),
    )
  const told = async (fetch: typeof globalThis.fetch, options: TraceOptions) => {
    const asked = of('a secret').pipe(respanGenerate({ model: 'm', apiKey: 'k', fetch, retry: { count: 0 } }))
    const spans = await spansOf(asked, options)
    t.is(new Set(spans.map(({ error }) => error?.message)).size, 1)
    t.is(JSON.stringify(spans).includes('secret'), options.captureContent === true)
    return spans[0]?.error?.message
  }
  const redact = (content: unknown): unknown =>
    JSON.parse(JSON.stringify(content).replaceAll('secret', '***'))
  const error = { message: 'No: a secret', type: 'policy' }
  for (const [status, whole, own] of [
    [400, 'HTTP 400: No: a secret', 'HTTP 400'],
    [401, 'HTTP 401: No: a secret (the provider refused', 'HTTP 401 (the provider refused'],
    [429, 'HTTP 429: No: a secret', 'HTTP 429'],
    [200, 'No: a secret', 'The gateway reported an error.'],
  ] as const) {
    const refused = json({ error }, status)
    t.true((await told(refused, { captureContent: true }))?.startsWith(whole))
    t.true((await told(refused, { captureContent: false }))?.startsWith(own))
    t.true((await told(refused, { redact }))?.startsWith(whole.replace('secret', '***')))
    t.true((await told(refused, { redact: () => undefined }))?.startsWith(own))
  }
  const input = [{ loc: ['body', 'messages', 0], msg: 'too long', input: 'a secret' }]
  t.is(await told(json({ detail: input }, 422), { captureContent: false }), 'HTTP 422')
})

test('a stack that holds another message than the error is withheld when redacted', async (t) => {
  const error = new Error('changed')
  error.stack = 'Error: the secret\n    at somewhere'
  const [span] = await spansOf(
    throwError(() => error),
    { redact: () => 'redacted' },
  )
  t.is(span?.error?.message, 'redacted')
  t.is(span?.error?.stack, undefined)
})

test('redact sees a stack, too, which may tell the message of a cause', async (t) => {
  const error = new Error('The query failed')
  error.stack += '\ncaused by: Error: no user ada@example.com'
  const redact = (content: unknown): unknown => `${content}`.replaceAll(/\S+@\S+/gu, '***')
  const [span] = await spansOf(
    throwError(() => error),
    { redact },
  )
  t.is(span?.error?.message, 'The query failed')
  t.regex(span?.error?.stack ?? '', /^Error: The query failed\n +at .*caused by: Error: no user \*\*\*$/su)
})

test('a stack is withheld when an error without a message is given one by redact', async (t) => {
  const redact = (): string => 'redacted'
  const [span] = await spansOf(
    throwError(() => new Error('')),
    { redact },
  )
  t.like(span?.error, { message: 'redacted', stack: undefined })
})

test('redact sees the whole text of a reply, not its pieces', async (t) => {
  const redact = (content: unknown): unknown =>
    typeof content === 'string' ? content.replace('abc', '***') : content
  const run = () => of('hi').pipe(respanGenerate({ ...chat('abcd'), stream: true }))
  t.is((await rootOf(run().pipe(tokens()), { redact }))?.output, '***d')
  t.is((await rootOf(run(), { redact }))?.output, '***d')
  t.is((await rootOf(run().pipe(snapshots()), { redact }))?.output, '***d')
})

for (const [how, within] of [
  ['a component', (run$: Observable<string>) => of('hi').pipe(component('n', () => run$))],
  [
    'a component of components',
    (run$) => of('hi').pipe(component('o', () => of('ho').pipe(component('n', () => run$)))),
  ],
  ['a nested trace', (run$) => run$.pipe(respanTrace('n'))],
  ['a nested trace without content', (run$) => run$.pipe(respanTrace('n', { captureContent: false }))],
  [
    'a nested trace of each item',
    (run$) =>
      of('hi').pipe(
        traceEach(
          'n',
          {},
          component('c', () => run$),
        ),
      ),
  ],
  [
    'a traced operator',
    (run$) =>
      of('hi').pipe(
        traced(
          'n',
          concatMap(() => run$),
        ),
      ),
  ],
] as const satisfies ReadonlyArray<readonly [string, (run$: Observable<string>) => Observable<string>]>)
  test(`redact sees the whole text of a reply that comes out of ${how}, at every level`, async (t) => {
    const redact = (content: unknown): unknown =>
      typeof content === 'string' ? content.replace('abc', '***') : content
    for (const read of [tokens, snapshots]) {
      const run$ = of('hi').pipe(respanGenerate({ ...chat('abcd'), stream: true }), read())
      const spans = await spansOf(within(run$), { redact })
      const outputs = spans.filter(({ name }) => name !== 'respanGenerate').map(({ output }) => output)
      t.true(outputs.length > 1)
      t.deepEqual(new Set(outputs.filter((output) => output !== undefined)), new Set(['***d']))
    }
  })

test('the texts of a reply come out where no trace keeps content', async (t) => {
  for (const read of [tokens, snapshots]) {
    const run$ = of('hi').pipe(respanGenerate({ ...chat('ab'), stream: true }), read())
    const options = { sink: memorySink(), captureContent: false }
    t.is(await lastValueFrom(run$.pipe(last(), respanTrace('T', options))), read === tokens ? 'b' : 'ab')
  }
})

test('redact sees the whole text of a reply also after thousands of tokens that came to nothing', async (t) => {
  const redact = (content: unknown): unknown =>
    typeof content === 'string' ? content.replace('abc', '***') : content
  const stage = (text: string) => respanGenerate({ ...chat(text), stream: true })
  const planning = component('plan', (plan: string) => of(plan).pipe(stage('x'.repeat(1_500)), tokens()))
  const count = reduce((sum: number) => sum + 1, 0)
  const run$ = of('a', 'b').pipe(
    planning,
    count,
    map((sum) => `${sum} steps`),
    stage('abcd'),
    tokens(),
  )
  t.is((await rootOf(run$, { redact }))?.output, '***d')
})

const streams = (...texts: ReadonlyArray<string>) =>
  texts.map((text) => {
    const deltas = text.split('|').map((content) => ({ delta: { content } }))
    const chunks = [...deltas, { delta: {}, finish_reason: 'stop' }].map((choice) => ({ choices: [choice] }))
    const chat = () => from(chunks.map((chunk) => ({ _tag: 'Chunk', chunk }) as const))
    const generate = respanGenerate({
      model: 'm',
      stream: true,
      gateway: { name: 'g', kind: 'respan', chat },
    })
    return component('stage', (question: string) => of(question).pipe(generate, tokens()))
  })

test('what is made of the parts of a reply is no part of it, also where it reads like one', async (t) => {
  const [list = passing] = streams('red|\n|green|\n|blue')
  const join = reduce((all: string, one: unknown) => `${all}${one}`, '')
  const lines = of('hi').pipe(
    list,
    join,
    mergeMap((text) => text.split('\n')),
  )
  t.is((await rootOf(lines))?.output, '["red","green","blue"]')
  const [draft = passing, answer = passing] = streams('The| Louvre| opens', 'The| Louvre|, 4111|1111')
  const redact = (content: unknown): unknown => `${content}`.replace('41111111', '****')
  const drafted = of('hi').pipe(draft, join, answer)
  t.is((await rootOf(drafted, { redact }))?.output, 'The Louvre, ****')
})

test('a reply that says the same twice is one text, also where all of it waits for another one', async (t) => {
  const [one = passing, other = passing] = streams('4|4|1', '9')
  const told = <A>(texts: ReadonlyArray<A>) => from(texts)
  t.is((await rootOf(of('a').pipe(one, toArray(), concatMap(told))))?.output, '441')
  const both = merge(of('a').pipe(one, toArray()), of('b').pipe(other, toArray()))
  t.is((await rootOf(both.pipe(toArray(), concatMap(told), concatMap(told))))?.output, '["441","9"]')
})

test('redact sees the whole text of replies that were asked for at once, and told in order', async (t) => {
  const redact = (content: unknown): unknown =>
    typeof content === 'string' ? content.replace('41111111', '****') : content
  const [one = passing, other = passing] = streams('1| 4111|1111| end', '2| 4111|1111| end')
  const both = merge(of('a').pipe(one, toArray()), of('b').pipe(other, toArray())).pipe(
    concatMap((texts) => from(texts)),
  )
  t.is((await rootOf(both, { redact }))?.output, '["1 **** end","2 **** end"]')
  const [first = passing, second = passing, third = passing] = streams(
    '1| 4111|1111| end',
    '2| 4111|1111| end',
    '3| 4111|1111| end',
  )
  const three = forkJoin([first, second, third].map((stage) => of('a').pipe(stage, toArray()))).pipe(
    concatMap(([one = [], two = [], last = []]) => from([...two, ...one, ...last])),
  )
  t.is((await rootOf(three, { redact }))?.output, '["2 **** end","1 **** end","3 **** end"]')
})

test('objects that know each other are told, as far as there is room', async (t) => {
  const friends = Array.from({ length: 11 }, (_, id) => ({ id, friends: [] as object[] }))
  for (const one of friends) one.friends.push(...friends.filter((other) => other !== one))
  const [span] = await spansOf(of(friends[0]).pipe(passing), { maxContentBytes: 2 ** 24 })
  t.regex(span?.input ?? '', /^\{"id":0,"friends":\[\{"id":1,"friends":\["\[circular\]",/u)
  t.regex(span?.input ?? '', /"\[left out\]"\]\}$/u)
  const pair = friends.slice(0, 2).map(({ id }) => ({ id, friends: [] as object[] }))
  for (const one of pair) one.friends.push(...pair)
  const [whole] = await spansOf(of(pair[0]).pipe(passing))
  t.is(whole?.input, '{"id":0,"friends":["[circular]",{"id":1,"friends":["[circular]","[circular]"]}]}')
})

test('a nested redact comes after the outer one', async (t) => {
  const redact = (mark: string) => (content: unknown) => `${content}${mark}`
  const pipeline = of('s').pipe(passing, respanTrace('n', { redact: redact('2') }))
  t.deepEqual(await contentsOf(pipeline, { redact: redact('1') }), [
    ['c', 's12', 's12'],
    ['n', 's12', 's12'],
    ['T', 's12', 's1'],
  ])
})

test('redact is not asked about nothing', async (t) => {
  const asked: Array<unknown> = []
  const redact = (content: unknown): unknown => {
    asked.push(content)
    return undefined
  }
  const nested = of(undefined, 1).pipe(passing, respanTrace('n', { redact: () => t.fail('withheld before') }))
  t.deepEqual(await contentsOf(nested, { redact }), [
    ['c', undefined, undefined],
    ['c', undefined, undefined],
    ['n', undefined, undefined],
    ['T', undefined, undefined],
  ])
  t.deepEqual(new Set(asked), new Set([1]))
})

test('redact is asked about what a request says beside its messages, if it says anything', async (t) => {
  const requestOf = async (params: ChatParams) => {
    const asked: Array<unknown> = []
    const redact = (content: unknown): unknown => {
      asked.push(content)
      return { stop: '*' }
    }
    const [span] = await spansOf(of('hi').pipe(respanGenerate({ ...chat('Hello'), params })), { redact })
    return [asked[1], span?.generation?.request]
  }
  t.deepEqual(await requestOf({ seed: 1, stop: 'x' }), [{ stop: 'x' }, { seed: 1, stop: '*' }])
  t.deepEqual(await requestOf({ seed: 1 }), [{ role: 'assistant', content: 'Hello' }, { seed: 1 }])
})

test.serial('a redact that throws withholds the content, and its message is not repeated', async (t) => {
  const redact = (content: unknown): unknown => JSON.parse(String(content))
  const failing = component('f', () => throwError(() => new Error('secret two')))
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    t.deepEqual(await contentsOf(of('secret one').pipe(passing), { redact }), [
      ['c', undefined, undefined],
      ['T', undefined, undefined],
    ])
    const [span] = await spansOf(of(1).pipe(failing), { redact })
    t.deepEqual(span?.error, { tag: 'Error', status: 500 })
  })
  t.deepEqual(warnings, ['T: redact threw: SyntaxError', 'T: redact threw: SyntaxError'])
})

test.serial(
  'content for which redact or output gives a promise is withheld, and that is reported',
  async (t) => {
    const later = async (content: unknown): Promise<unknown> => content
    const failing = component('f', () => throwError(() => new Error('secret two')))
    const warnings = await warningsOf('RESPAN_TRACE', async () => {
      t.deepEqual(await contentsOf(of('secret one').pipe(passing), { redact: later }), [
        ['c', undefined, undefined],
        ['T', undefined, undefined],
      ])
      const [span] = await spansOf(of(1).pipe(failing), { redact: later })
      t.deepEqual(span?.error, { tag: 'Error', status: 500 })
      const sink = memorySink()
      t.deepEqual(await all(of(1, 2).pipe(passing, respanTrace('U', { sink, output: later }))), [1, 2])
      t.is(sink.spans().find(({ name }) => name === 'U')?.output, undefined)
    })
    t.deepEqual(warnings, [
      'T: redact returned a promise: the content is withheld.',
      'T: redact returned a promise: the content is withheld.',
      'U: output returned a promise: the content is withheld.',
    ])
  },
)

test('longer content is cut with a mark, inside no character', async (t) => {
  const maxContentBytes = 10
  const cut = async (...values: ReadonlyArray<unknown>) =>
    (await rootOf(from(values), { maxContentBytes }))?.output
  t.is(await cut('1234567890'), '1234567890')
  t.is(await cut('12345678901'), '1234567890… [cut: 1 of 11 characters]')
  t.is(await cut('aé€😀😀'), 'aé€😀… [cut: 2 of 7 characters]')
  t.is(await cut({ key: 'a long value' }), '{"key":"a … [cut: 12 of 22 characters]')
  t.is(await cut(new Date(0)), '"1970-01-0… [cut: 16 of 26 characters]')
  t.is(
    await cut('1234', '5678', 'more', 'and more'),
    '["1234","5… [cut: 5 of 15 characters]… [cut: 2 more values]',
  )
  const [span] = await spansOf(of('12345678901').pipe(passing), { maxContentBytes })
  t.is(span?.input, '1234567890… [cut: 1 of 11 characters]')
  const failing = throwError(() => new Error('12345678901'))
  t.is((await rootOf(failing, { maxContentBytes }))?.error?.message, '1234567890… [cut: 1 of 11 characters]')
})

test('content is cut at 1,000,000 bytes unless told otherwise', async (t) => {
  const text = 'x'.repeat(1_000_000)
  t.is((await rootOf(of(text)))?.output, text)
  const [span] = await spansOf(of(`${text}y`).pipe(passing))
  const cut = `${text}… [cut: 1 of 1000001 characters]`
  t.true(span?.input === cut && span?.output === cut)
})

test('images, sound and files are told by type and size, wherever they stand', async (t) => {
  const bytes = (size: number) => Buffer.alloc(size, 'media').toString('base64')
  const png = `data:image/png;base64,${bytes(900)}`
  const pdf = `data:application/pdf;name=a.pdf;base64,${bytes(1_000)}`
  const message = user([
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: png, detail: 'low' } },
    { type: 'input_audio', input_audio: { data: bytes(1_001), format: 'wav' } },
    { type: 'file', file: { filename: 'a.pdf', file_data: pdf } },
  ])
  const told =
    '[{"role":"user","content":[{"type":"text","text":"What is this?"},' +
    '{"type":"image_url","image_url":{"url":"[image/png, 900 bytes]","detail":"low"}},' +
    '{"type":"input_audio","input_audio":{"data":"[1001 bytes]","format":"wav"}},' +
    '{"type":"file","file":{"filename":"a.pdf","file_data":"[application/pdf, 1000 bytes]"}}]}]'
  const { model, gateway } = chat('A cat.')
  const spans = await spansOf(
    of([message]).pipe(
      component('c', (messages: ReadonlyArray<ChatMessage>) => of(messages)),
      respanGenerate({ model, gateway }),
    ),
  )
  t.deepEqual(
    spans.map(({ input }) => input),
    [told, told, told],
  )
  t.is(spans[0]?.output, told)
  const spoken = {
    role: 'assistant',
    content: null,
    audio: { id: 'a', data: bytes(1_002), transcript: 'A cat.' },
  }
  t.is(
    (await rootOf(of(spoken)))?.output,
    '{"role":"assistant","content":null,"audio":{"id":"a","data":"[1002 bytes]","transcript":"A cat."}}',
  )
  t.is((await rootOf(of(png)))?.output, '[image/png, 900 bytes]')
  t.is((await rootOf(of(JSON.stringify({ chart: png }))))?.output, '{"chart":"[image/png, 900 bytes]"}')
  t.is(
    (await rootOf(from([png, { json: JSON.stringify([pdf]) }])))?.output,
    JSON.stringify(['[image/png, 900 bytes]', { json: '["[application/pdf, 1000 bytes]"]' }]),
  )
})

test('what only looks like media stays', async (t) => {
  const long = 'a'.repeat(2_000)
  for (const text of [
    long,
    'data:image/png;base64,AAAA',
    `data:image/png,${long}`,
    `data:;base64,${long}`,
    `${long}data:image/png;base64,`,
    `a "data":"${long}"`,
    `"input_audio" "data":"${'a'.repeat(900)}"`,
  ])
    t.is((await rootOf(of(text)))?.output, text)
})

test('media leave room for the words beside them', async (t) => {
  const image = { url: `data:image/png;base64,${'A'.repeat(5_000)}` }
  const values = [image, image, 'What is this?']
  t.is(
    (await rootOf(from(values), { maxContentBytes: 1_000 }))?.output,
    JSON.stringify([{ url: '[image/png, 3750 bytes]' }, { url: '[image/png, 3750 bytes]' }, 'What is this?']),
  )
})

test('a text of tokens is cut with a mark too', async (t) => {
  const run = of('hi').pipe(respanGenerate({ ...chat('abcdefgh'), stream: true }))
  const maxContentBytes = 4
  t.regex((await rootOf(run.pipe(tokens()), { maxContentBytes }))?.output ?? '', /^abcd… \[cut: /)
  t.regex((await rootOf(run, { maxContentBytes }))?.output ?? '', /^abcd… \[cut: /)
  t.is((await rootOf(run.pipe(snapshots()), { maxContentBytes }))?.output, 'abcd… [cut: 4 of 8 characters]')
})

test('of what replies have said so far, no further reply is kept beyond the bound', async (t) => {
  const gateway = marbleGateway('(a|)', { a: 'x'.repeat(2_000) })
  const run = of('hi', 'ho').pipe(respanGenerate({ model: 'm', stream: true, gateway }), snapshots())
  t.is(
    (await rootOf(run, { maxContentBytes: 4 }))?.output,
    'xxxx… [cut: 1996 of 2000 characters]… [cut: 1 more values]',
  )
})

test('of a reply that goes on, and of ever more replies, little is kept beyond the bound', async (t) => {
  const output = async (count: number, deltaAt: (index: number) => { id: string; text: string }) => {
    const deltas = Array.from({ length: count }, (_, index) => ({
      _tag: 'TextDelta',
      choice: 0,
      ...deltaAt(index),
    }))
    return (await rootOf(from(deltas), { maxContentBytes: 4 }))?.output
  }
  t.is(
    await output(10, () => ({ id: '1', text: 'x'.repeat(500) })),
    'xxxx… [cut: 1496 of 1500 characters]… [cut: 7 more values]',
  )
  t.regex((await output(1_000, (index) => ({ id: `${index}`, text: '' }))) ?? '', /\d more values\]$/)
})

testProp(
  'law: content is never longer than its bound and its mark, and whole when it fits',
  [fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 10 }), fc.nat({ max: 100 })],
  async (t, values, maxContentBytes) => {
    const output = (await rootOf(from(values), { maxContentBytes }))?.output
    const whole = values.length > 1 ? JSON.stringify(values) : values[0]
    if (whole === undefined) {
      t.is(output, undefined)
      return
    }
    const kept = (output ?? '').split('… [cut: ')[0] ?? ''
    t.true(Buffer.byteLength(kept) <= maxContentBytes)
    t.is(kept === whole, Buffer.byteLength(whole) <= maxContentBytes)
    t.true(whole.startsWith(kept))
  },
)

// ── what must not disturb

test.serial('a sink that throws disturbs nothing, and is reported once per trace', async (t) => {
  const sink: Sink = {
    ...memorySink(),
    next: () => {
      throw new Error('sink')
    },
  }
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    t.deepEqual(await all(of(1, 2).pipe(passing, respanTrace('T', { sink }))), [1, 2])
  })
  t.deepEqual(warnings, ['T: a sink threw: sink'])
})

test.serial('what is thrown may be no error', async (t) => {
  const next = (): never => {
    throw 'secret'
  }
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    t.deepEqual(await all(of(1).pipe(respanTrace('T', { sink: { ...memorySink(), next } }))), [1])
  })
  t.deepEqual(warnings, ['T: a sink threw: string(6 characters)'])
})

test.serial('where there are no process warnings, the console is told', (t) => {
  const { process } = globalThis
  const { warn } = console
  const warnings: Array<unknown> = []
  const next = (): never => {
    throw new Error('sink')
  }
  const traced = of(1).pipe(respanTrace('T', { sink: { ...memorySink(), next } }))
  Reflect.deleteProperty(globalThis, 'process')
  console.warn = (warning) => warnings.push(warning)
  traced.subscribe()
  console.warn = warn
  Object.assign(globalThis, { process })
  t.deepEqual(warnings, ['[RESPAN_TRACE] T: a sink threw: sink'])
})

// Their `process` has warnings, which nobody prints.
test.serial("in one of Cloudflare's Workers, the console is told as well", async (t) => {
  const { navigator } = globalThis
  const { warn } = console
  const told: Array<unknown> = []
  const next = (): never => {
    throw new Error('sink')
  }
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'Cloudflare-Workers' },
    configurable: true,
  })
  console.warn = (warning) => told.push(warning)
  t.teardown(() => {
    console.warn = warn
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  })
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    await all(of(1).pipe(respanTrace('T', { sink: { ...memorySink(), next } })))
  })
  t.deepEqual(warnings, ['T: a sink threw: sink'])
  t.deepEqual(told, ['[RESPAN_TRACE] T: a sink threw: sink'])
})

test('attributes that cannot be cloned are copied as deep as they can be', async (t) => {
  const metadata: Record<string, unknown> = { tenant: 'a', log: () => undefined }
  const sink = memorySink()
  const root = respanTrace<number>('T', { sink, attributes: { metadata } })
  metadata.tenant = 'b'
  await all(of(1).pipe(root))
  t.is(sink.spans()[0]?.attributes?.metadata?.tenant, 'a')
})

test.serial('what is thrown may be hostile, too', async (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const hostile: ReadonlyArray<unknown> = [
    proxy,
    Object.assign(new Error('x'), { message: Symbol('no text') }),
    Object.defineProperty(new Error('x'), 'name', {
      get: () => {
        throw thrown
      },
    }),
  ]
  for (const error of hostile) {
    const fails = (): never => {
      throw error
    }
    const options = {
      onStart: fails,
      redact: fails,
      clock: { now: fails },
      ids: { trace: fails, span: fails },
    }
    const sink: Sink = { ...memorySink(), traceUrl: fails }
    await warningsOf('RESPAN_TRACE', async () => {
      t.deepEqual(
        await all(of(1).pipe(passing, respanTrace<unknown>('T', { ...options, output: fails, sink }))),
        [1],
      )
      t.deepEqual(await all(of(1).pipe(passing, respanTrace('T', { sink: { ...sink, next: fails } }))), [1])
    })
  }
})

test.serial('onStart, output and traceUrl that throw disturb nothing, and are reported once', async (t) => {
  const fails = (what: string) => (): never => {
    throw new Error(what)
  }
  const recorder = memorySink()
  const sink: Sink = { ...recorder, traceUrl: fails('url') }
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    const root = respanTrace<number>('T', { sink, onStart: fails('start'), output: fails('output') })
    t.deepEqual(await all(of(1, 2).pipe(root)), [1, 2])
  })
  t.deepEqual(warnings, ['T: traceUrl threw: url', 'T: onStart threw: start', 'T: output threw: output'])
  t.deepEqual(statusesOf(recorder.spans()), ['T ok'])
  t.is(recorder.spans()[0]?.output, undefined)
})

test.serial(
  'what async functions and sinks reject with disturbs nothing, and is reported once',
  async (t) => {
    const rejects = (what: string) => (): Promise<never> => Promise.reject(new Error(what))
    const recorder = memorySink()
    const next = (event: SpanEvent): Promise<never> => {
      recorder.next(event)
      return rejects('sink')()
    }
    const warnings = await warningsOf('RESPAN_TRACE', async () => {
      const options = { sink: { ...recorder, next }, onStart: rejects('start'), output: rejects('output') }
      t.deepEqual(await all(of(1, 2).pipe(respanTrace<number>('T', options))), [1, 2])
      await setImmediate()
    })
    t.deepEqual(warnings, ['T: a sink threw: sink', 'T: onStart threw: start', 'T: output threw: output'])
    t.deepEqual(statusesOf(recorder.spans()), ['T ok'])
  },
)

const unreadable = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

class Task extends Promise<never> {
  override get [Symbol.toStringTag](): string {
    return 'Task'
  }
}

for (const [what, give, found] of [
  ['a revoked proxy', unreadable, /revoked|TypeError$/],
  [
    'a promise with a tag of its own that rejects',
    (): unknown => Task.reject(new TypeError('task')),
    /threw: (?:task|TypeError)$/,
  ],
  [
    'a promise of another realm that rejects',
    (): unknown => runInNewContext('Promise.reject(new TypeError("foreign"))'),
    /threw: (?:foreign|TypeError)$/,
  ],
] as const)
  test.serial(`${what}, given by a function of the user, disturbs nothing and is reported`, async (t) => {
    const recorder = memorySink()
    const next = (event: SpanEvent): unknown => {
      recorder.next(event)
      return give()
    }
    const warnings = await warningsOf('RESPAN_TRACE', async () => {
      const options = { sink: { ...recorder, next }, onStart: give, output: give, redact: give }
      t.deepEqual(await all(of(1, 2).pipe(passing, respanTrace('T', options))), [1, 2])
      await setImmediate()
    })
    t.deepEqual(warnings.map((warning) => [warning.split(' threw')[0], found.test(warning)]).sort(), [
      ['T: a sink', true],
      ['T: onStart', true],
      ['T: output', true],
      ['T: redact', true],
    ])
    t.deepEqual(statusesOf(recorder.spans()), ['c ok', 'c ok', 'T ok'])
  })

test('what only has a then, such as a query, is not sent by being returned to a trace', async (t) => {
  let sent = 0
  const send = (): void => {
    sent++
  }
  const query = (): unknown => Object.fromEntries([['then', send]])
  const options = { sink: memorySink(), onStart: query, output: query, redact: query }
  t.deepEqual(await all(of(1).pipe(respanTrace('T', options))), [1])
  await setImmediate()
  t.is(sent, 0)
})

test.serial('a promise that output and redact pass on is its owner’s to handle', async (t) => {
  const unhandled: Array<unknown> = []
  const listen = (reason: unknown): void => void unhandled.push(reason)
  process.prependListener('unhandledRejection', listen)
  const others = process.listeners('unhandledRejection').filter((other) => other !== listen)
  for (const other of others) process.off('unhandledRejection', other)
  const same = <A>(value: A): A => value
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    const root = respanTrace<Promise<never>>('T', { sink: memorySink(), output: same, redact: same })
    of(1)
      .pipe(
        map(() => Promise.reject(thrown)),
        root,
      )
      .subscribe()
    await setImmediate()
  })
  process.off('unhandledRejection', listen)
  for (const other of others) process.on('unhandledRejection', other)
  t.deepEqual(unhandled, [thrown])
  t.deepEqual(warnings, [])
})

test.serial('a clock and ids that are async count as none', async (t) => {
  const sink = memorySink()
  const later = async (): Promise<never> => Promise.reject(thrown)
  const before = Date.now()
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    // @ts-expect-error -- JavaScript may give promises
    const root = respanTrace<number>('T', { sink, clock: { now: later }, ids: { trace: later, span: later } })
    t.deepEqual(await all(of(1).pipe(root)), [1])
    await setImmediate()
  })
  t.deepEqual(warnings, ['T: ids threw: of a test', 'T: clock threw: of a test'])
  const [span] = sink.spans()
  t.regex(span?.traceId ?? '', /^[0-9a-f]{32}$/)
  t.regex(span?.spanId ?? '', /^[0-9a-f]{16}$/)
  t.true((span?.startedAt ?? 0) >= before)
})

test.serial('a clock and ids that throw disturb nothing: there are others', async (t) => {
  const fails = (what: string) => (): never => {
    throw new Error(what)
  }
  const sink = memorySink()
  const before = Date.now()
  const warnings = await warningsOf('RESPAN_TRACE', async () => {
    const root = respanTrace<unknown>('T', {
      sink,
      clock: { now: fails('clock') },
      ids: { trace: fails('trace id'), span: fails('span id') },
    })
    t.deepEqual(await all(of(1, 2).pipe(passing, root)), [1, 2])
  })
  t.deepEqual(warnings, ['T: ids threw: trace id', 'T: clock threw: clock'])
  t.deepEqual(statusesOf(sink.spans()), ['c ok', 'c ok', 'T ok'])
  for (const { traceId, spanId, startedAt, endedAt } of sink.spans()) {
    t.regex(traceId, /^[0-9a-f]{32}$/)
    t.regex(spanId, /^[0-9a-f]{16}$/)
    t.true(before <= startedAt && startedAt <= endedAt)
  }
})

test('values that look like events of a reply pass like any others', async (t) => {
  const lookalikes = [
    { _tag: 'ReplyFinished', id: 7, answer: 1 },
    { _tag: 'ReplyFinished', id: 'a', reply: { replies: 1 } },
    { _tag: 'TextDelta', id: 'a', choice: 0 },
    { _tag: 'TextDelta', id: 'a', choice: 0, text: 5 },
    { _tag: 'TextDelta', id: 'a', choice: 0, model: 'm' },
    { _tag: 'ReplyStarted', id: 'a' },
    { _tag: 'ReplyFinished', id: 'a', text: 'final' },
    { _tag: 'ReplyFinished', id: 'a', reply: { replies: [5] } },
  ]
  const sink = memorySink()
  t.deepEqual(await all(from(lookalikes).pipe(passing, respanTrace('T', { sink }))), lookalikes)
  t.is(sink.spans().at(-1)?.output, JSON.stringify(lookalikes))
})

test('a value that cannot be written down is named, not thrown at', async (t) => {
  const value = {
    toJSON: () => {
      throw new Error('no')
    },
  }
  t.is((await rootOf(of(value)))?.output, '[not serialisable]')
})

test('a value whose toJSON gives nothing is asked once', async (t) => {
  let asked = 0
  const value = {
    toJSON: () => {
      asked++
    },
  }
  t.is((await rootOf(of(value)))?.output, undefined)
  t.is(asked, 1)
})

test('its consumer finds no span, and its own AsyncLocalStorage as it was at subscription', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const seen: Array<readonly [string, string | undefined, boolean]> = []
  const note = (where: string): void => {
    seen.push([where, storage.getStore(), currentSpan() !== undefined])
  }
  const source = timer(1).pipe(
    tap(() => note('above')),
    passing,
  )
  const late = component('late', () => timer(1).pipe(mergeMap(() => throwError(() => thrown))))
  const consumed = (pipeline: Observable<unknown>) =>
    new Promise<void>((resolve) => {
      pipeline.pipe(respanTrace('T', { sink: memorySink() })).subscribe({
        next: async () => {
          note('next')
          await null
          note('after an await')
        },
        complete: () => {
          note('complete')
          resolve()
        },
        error: () => {
          note('error')
          resolve()
        },
      })
    })
  await storage.run('mine', async () => {
    await consumed(source)
    await consumed(of(1).pipe(late))
    await consumed(throwError(() => thrown))
    note('after')
  })
  t.deepEqual(seen, [
    ['above', 'mine', true],
    ['next', 'mine', false],
    ['complete', 'mine', false],
    ['after an await', 'mine', false],
    ['error', 'mine', false],
    ['error', 'mine', false],
    ['after', 'mine', false],
  ])
})

test('leaves an observable alone that subscribes in a way of its own', async (t) => {
  class Odd extends Observable<number> {
    // Not `source.subscribe`, as the fields that an operator left would have it.
    override subscribe(...args: ReadonlyArray<never>) {
      return of(7).subscribe(...args)
    }
  }
  const odd = Object.assign(new Odd(), of(1).pipe(map((n) => n)))
  t.deepEqual(await all(odd.pipe(respanTrace('T', { sink: memorySink() }))), [7])
})

// ── building

test('refuses what is wrong when it is built', (t) => {
  const path = (build: () => unknown): string | undefined =>
    t.throws(build, { instanceOf: InvalidInput })?.path
  const wrongs: ReadonlyArray<readonly [string, () => unknown]> = [
    ['name', () => respanTrace('')],
    // @ts-expect-error -- a name is a string
    ['name', () => respanTrace(undefined)],
    // @ts-expect-error -- a wire name with a value of the wrong type
    ['attributes.note', () => respanTrace('T', { attributes: { note: true } })],
    ['maxContentBytes', () => respanTrace('T', { maxContentBytes: -1 })],
    ['maxContentBytes', () => respanTrace('T', { maxContentBytes: Number.NaN })],
    // @ts-expect-error -- as an environment has it
    ['maxContentBytes', () => respanTrace('T', { maxContentBytes: '1000' })],
    // As a spread passes the compiler.
    ['onstart', () => respanTrace('T', { deep: true, ...{ onstart: () => undefined } })],
  ]
  for (const [wanted, wrong] of wrongs) t.is(path(wrong), wanted)
  t.notThrows(() => respanTrace('T', { maxContentBytes: 0 }))
})

test('keeps the type of its source, and gives it to output', async (t) => {
  const sink = memorySink()
  const run$ = of({ replies: ['a'] }).pipe(respanTrace('T', { sink, output: ({ replies }) => replies[0] }))
  expectTypeOf(run$).toEqualTypeOf<Observable<{ replies: Array<string> }>>()
  // @ts-expect-error -- output takes what the source emits
  of(1).pipe(respanTrace('T', { sink, output: (text: string) => text }))
  await firstValueFrom(run$)
  t.is(sink.spans()[0]?.output, 'a')
  t.deepEqual(dishonesties(sink.events), [])
})

test('what a long trace keeps until its end is free of the keys that it has forgotten', async (t) => {
  const sink = memorySink()
  const echoes$ = range(1, 101).pipe(
    concatMap((number) => {
      const scrub = (text: string): string => text.replaceAll(`key-${number}!`, '[redacted]')
      const gateway = { ...marbleGateway('(a|)', { a: `key-${number}!` }), scrubs: () => [scrub] }
      return of('Hi').pipe(respanGenerate({ model: 'm', gateway }))
    }),
  )
  await lastValueFrom(echoes$.pipe(respanTrace('T', { sink })))
  t.false(JSON.stringify(sink.spans()).includes('key-'))
})

test('a key that a long trace sends again stays among those it looks for', async (t) => {
  const used = new Set<number>()
  const gateways = Array.from({ length: 100 }, (_, number): Gateway => {
    const scrub = (text: string): string => {
      used.add(number)
      return text
    }
    return { ...marbleGateway('(a|)'), scrubs: () => [scrub] }
  })
  const [first, ...others] = gateways
  const ask = (gateway: Gateway | undefined) =>
    of('Hi').pipe(respanGenerate({ model: 'm', gateway: gateway ?? marbleGateway('(a|)') }))
  const more = { ...marbleGateway('(a|)'), scrubs: () => [(text: string) => text.trim()] }
  const sent$ = of(first, ...others, first, more).pipe(
    concatMap(ask),
    last(),
    tap(() => used.clear()),
  )
  await lastValueFrom(
    sent$.pipe(
      component('after', () => of('done')),
      respanTrace('T', { sink: memorySink() }),
    ),
  )
  t.true(used.has(0))
})

test('a long trace looks for the newest hundred of the keys that were sent in it', async (t) => {
  const used = new Set<number>()
  const gatewayOf = (number: number): Gateway => {
    const scrub = (text: string): string => {
      used.add(number)
      return text
    }
    return { ...marbleGateway('(a|)'), scrubs: () => [scrub] }
  }
  const generations$ = range(1, 150).pipe(
    concatMap((number) => of('Hi').pipe(respanGenerate({ model: 'm', gateway: gatewayOf(number) }))),
    last(),
    tap(() => used.clear()),
  )
  const after = component('after', () => of('done'))
  await lastValueFrom(generations$.pipe(after, respanTrace('T', { sink: memorySink() })))
  t.deepEqual(
    [...used],
    Array.from({ length: 100 }, (_, index) => index + 51),
  )
})
