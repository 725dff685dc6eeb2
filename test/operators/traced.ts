import { testProp } from '@fast-check/ava'
import test from 'ava'
import { expectTypeOf } from 'expect-type'
import fc from 'fast-check'
import {
  bufferCount,
  concat,
  concatMap,
  debounceTime,
  defer,
  EMPTY,
  filter,
  finalize,
  type MonoTypeOperatorFunction,
  map,
  merge,
  mergeMap,
  Observable,
  type OperatorFunction,
  of,
  retry,
  Subject,
  scan,
  share,
  shareReplay,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs'
import { InvalidInput } from '../../dist/errors.js'
import { component } from '../../dist/operators/component.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import type { TraceOptions } from '../../dist/operators/TraceOptions.js'
import { traced } from '../../dist/operators/traced.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { marbles } from '../../dist/testing/index.js'
import { currentSpan } from '../../dist/tracing/currentSpan.js'
import { all } from '../helpers/all.js'
import { ROOTS } from '../helpers/roots.js'
import { dishonesties, statusesOf, treeOf } from '../helpers/traces.js'

const thrown = new Error('of a test')

const passing = component('c', (value: unknown) => [value])

for (const [where, root] of Object.entries(ROOTS)) {
  test(`is the operator that it names (${where})`, (t) =>
    marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
      const pairs = <T>() => traced('pairs', bufferCount<T>(2))
      const values = { x: ['a', 'b'], y: ['c'] }
      expectObservable(cold('-a-b-c-|').pipe(pairs(), root())).toBe('---x---(y|)', values)
      expectObservable(cold('--|').pipe(pairs(), root())).toBe('     --|')
      expectObservable(cold('-a-#').pipe(pairs(), root())).toBe('    ---#')
      expectObservable(cold('-a-b--c|').pipe(traced('d', debounceTime(2)), root())).toBe('-----b-(c|)')
      const source = cold('-a-b-c-|')
      expectObservable(source.pipe(pairs(), root()), '^---!').toBe('---x-', values)
      expectSubscriptions(source.subscriptions).toBe('^---!')
    }))

  test(`passes a throw of the operator's function on (${where})`, async (t) => {
    const failing = map(() => {
      throw thrown
    })
    t.is(await t.throwsAsync(all(of(1).pipe(traced('f', failing), root()))), thrown)
  })

  test(`a synchronous source stops when the consumer has enough (${where})`, (t) => {
    let sent = 0
    const endless = new Observable<number>((subscriber) => {
      while (!subscriber.closed && sent < 100) subscriber.next(sent++)
    })
    endless.pipe(traced('m', map(String)), root(), take(3)).subscribe()
    t.is(sent, 3)
    sent = 0
    endless.pipe(traced('t', take(3)), root()).subscribe()
    t.is(sent, 3)
  })

  test(`two subscriptions share exactly what the operator shares (${where})`, async (t) => {
    const summed = of(1, 2).pipe(
      traced(
        'sum',
        scan((sum, n: number) => sum + n, 0),
      ),
      root(),
    )
    t.deepEqual(await Promise.all([all(summed), all(summed)]), [
      [1, 3],
      [1, 3],
    ])

    let subscriptions = 0
    const source = defer(() => {
      subscriptions++
      return timer(1).pipe(map(() => subscriptions))
    })
    for (const sharing of [share<number>(), shareReplay<number>(1)]) {
      subscriptions = 0
      const shared = source.pipe(traced('shared', sharing), root())
      t.deepEqual(await Promise.all([all(shared), all(shared)]), [[1], [1]])
    }
  })

  test(`what a finalizer throws reaches whoever ends the source (${where})`, (t) => {
    const ends: ReadonlyArray<(source: Subject<number>) => void> = [
      (source) => source.complete(),
      (source) => source.error(new Error('of the source')),
    ]
    for (const end of ends) {
      const source = new Subject<number>()
      const throws = finalize(() => {
        throw thrown
      })
      source.pipe(traced('m', map(String)), root(), throws).subscribe({ error: () => undefined })
      t.throws(() => end(source), { any: true, name: 'UnsubscriptionError', message: /of a test/ })
    }
  })

  test(`a re-entrant next mixes nothing up (${where})`, (t) => {
    const again = new Subject<number>()
    const seen: Array<number> = []
    again
      .pipe(
        traced(
          'm',
          mergeMap((n: number) => of(n, n * 10)),
        ),
        root(),
      )
      .subscribe((n) => {
        seen.push(n)
        if (n < 3) again.next(n + 1)
      })
    again.next(1)
    t.deepEqual(seen, [1, 2, 3, 30, 20, 10])
  })
}

const traceOf = async (pipeline: Observable<unknown>, options: TraceOptions = {}) => {
  const sink = memorySink()
  await all(pipeline.pipe(respanTrace('T', { sink, ...options }))).catch(() => undefined)
  return sink
}

test('has one span per subscription, with what entered and what came out', async (t) => {
  const sink = await traceOf(of('a', 'b', 'c').pipe(traced('pairs', bufferCount(2), { type: 'tool' })))
  t.is(treeOf(sink.events), 'T(pairs)')
  const [pairs, root] = sink.spans()
  t.deepEqual([pairs?.type, pairs?.input, pairs?.output], ['tool', '["a","b","c"]', '[["a","b"],["c"]]'])
  t.is(root?.input, 'a', 'what entered first')
  const one = await traceOf(of('a').pipe(traced('one', map(String))))
  t.deepEqual([one.spans()[0]?.input, one.spans()[0]?.output], ['a', 'a'])
  const empty = await traceOf(EMPTY.pipe(traced('none', map(String))))
  t.false('input' in (empty.spans()[0] ?? {}))
})

test('what the operator subscribes is inside, what stands above and below is not', async (t) => {
  for (const options of [{}, { deep: false }, { asyncContext: false }]) {
    const inner = traced(
      'inner',
      concatMap((v: unknown) => of(v).pipe(component('in', (x) => [x]))),
    )
    const sink = await traceOf(
      timer(1).pipe(
        component('above', (v) => [v]),
        inner,
        component('below', (v) => [v]),
      ),
      options,
    )
    t.is(treeOf(sink.events), 'T(inner(in),above,below)')
    t.deepEqual(dishonesties(sink.events), [])
  }
})

test('a source that its operator subscribes from within a component stays outside', async (t) => {
  const again: OperatorFunction<unknown, unknown> = (source) => of(1).pipe(component('inside', () => source))
  const sink = await traceOf(of(1).pipe(passing, traced('again', again)))
  t.is(treeOf(sink.events), 'T(again(inside),c)')
})

test('the code inside sees its span, the code around it the span around', async (t) => {
  const seen: Array<string | undefined> = []
  const look = tap(() => seen.push(currentSpan()?.spanId))
  const sink = await traceOf(of(1).pipe(look, traced('x', look), look))
  const [x, root] = sink.spans().map(({ spanId }) => spanId)
  t.deepEqual(seen, [root, x, root])
})

test('chains, operators of operators and shared operators keep their spans apart', async (t) => {
  const nested = traced('outer', (source: Observable<number>) =>
    source.pipe(
      traced(
        'inner',
        map((n) => n + 1),
      ),
    ),
  )
  const twice = await traceOf(of(1).pipe(nested, nested))
  t.is(treeOf(twice.events), 'T(outer(inner),outer(inner))')
  t.deepEqual(
    twice.spans().map(({ name, input, output }) => [name, input, output]),
    [
      ['inner', '1', '2'],
      ['outer', '1', '2'],
      ['inner', '2', '3'],
      ['outer', '2', '3'],
      ['T', '1', '3'],
    ],
  )
})

test('ends with the status of its operator', async (t) => {
  const fails = concatMap(() => throwError(() => thrown))
  t.deepEqual(statusesOf((await traceOf(of(1).pipe(traced('x', fails)))).spans()), ['x error', 'T error'])
  const early = of(1, 2).pipe(traced('x', take(1)))
  t.deepEqual(statusesOf((await traceOf(early)).spans()), ['x ok', 'T ok'])
  const cutBelow = of(1, 2).pipe(traced('x', map(String)), take(1))
  t.deepEqual(statusesOf((await traceOf(cutBelow)).spans()), ['x left', 'T ok'])
  const flaky = () => {
    let tries = 0
    return defer(() => (++tries === 1 ? throwError(() => thrown) : of(1)))
  }
  const inside = await traceOf(flaky().pipe(traced('x', retry(1))))
  t.deepEqual(statusesOf(inside.spans()), ['x ok', 'T ok'])
  const outside = await traceOf(flaky().pipe(traced('x', map(String)), retry(1)))
  t.deepEqual(statusesOf(outside.spans()), ['x error', 'x ok', 'T ok'])
})

test('redacts and withholds what enters like any content', async (t) => {
  const pipeline = of('secret').pipe(traced('x', map(String)))
  const contents = (sink: ReturnType<typeof memorySink>) =>
    sink.spans().flatMap(({ input, output }) => [input, output])
  t.deepEqual(contents(await traceOf(pipeline, { redact: () => '***' })), ['***', '***', '***', '***'])
  t.deepEqual(contents(await traceOf(pipeline, { captureContent: false })), [
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('applies its operator where the pipe is built, as RxJS does', (t) => {
  let built = 0
  const counting: OperatorFunction<number, number> = (source) => {
    built++
    return source.pipe(filter((n) => n > 0))
  }
  const run$ = of(1).pipe(traced('x', counting))
  t.is(built, 1)
  run$.subscribe()
  run$.pipe(respanTrace('T', { sink: memorySink() })).subscribe()
  t.is(built, 1)
})

test('takes in nothing after its end, which what shares it outlives', (t) => {
  const source = new Subject<number>()
  const taken: Array<unknown> = []
  const redact = (value: unknown): unknown => {
    taken.push(value)
    return value
  }
  const shared = source.pipe(traced('x', share()))
  const run = shared.pipe(respanTrace('T', { sink: memorySink(), redact })).subscribe()
  shared.subscribe()
  source.next(1)
  const before = taken.length
  t.true(before > 0)
  run.unsubscribe()
  source.next(2)
  t.is(taken.length, before)
})

test('refuses what is no operator when it is built', (t) => {
  const operator: MonoTypeOperatorFunction<number> = JSON.parse('null')
  t.like(
    t.throws(() => traced('x', operator)),
    { _tag: 'InvalidInput', path: 'operator' },
  )
})

test('refuses an empty name when it is built', (t) => {
  t.is(t.throws(() => traced(' ', map(String)), { instanceOf: InvalidInput })?.path, 'name')
})

testProp(
  'law: it leaves the values of its operator as they are',
  [fc.array(fc.integer()), fc.integer({ min: 1, max: 4 }), fc.constantFrom(...Object.values(ROOTS))],
  async (t, values, n, root) => {
    const operator: OperatorFunction<number, ReadonlyArray<number>> = (source) =>
      merge(source.pipe(bufferCount(n)), concat(source, source).pipe(bufferCount(n, 1)))
    const plain = await all(of(...values).pipe(operator))
    t.deepEqual(await all(of(...values).pipe(traced('x', operator), root())), plain)
  },
)

test('keeps the types of its operator', (t) => {
  const run$ = of(1).pipe(traced('text', map(String)), traced('pairs', bufferCount(2)))
  expectTypeOf(run$).toEqualTypeOf<Observable<Array<string>>>()
  const upper = traced(
    'upper',
    map((text: string) => text.toUpperCase()),
  )
  // @ts-expect-error -- a number is no text
  of(1).pipe(upper)
  t.pass()
})
