import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import { testProp } from '@fast-check/ava'
import test from 'ava'
import { expectTypeOf } from 'expect-type'
import fc from 'fast-check'
import {
  concatMap,
  EMPTY,
  exhaustMap,
  identity,
  lastValueFrom,
  type MonoTypeOperatorFunction,
  map,
  mergeMap,
  Observable,
  type OperatorFunction,
  of,
  Subject,
  switchMap,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs'
import { InvalidInput } from '../../dist/errors.js'
import { attempt } from '../../dist/operators/attempt.js'
import { component } from '../../dist/operators/component.js'
import type { Component, Flatten } from '../../dist/operators/Flattening.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import type { TraceStart } from '../../dist/operators/TraceOptions.js'
import { traceEach } from '../../dist/operators/traceEach.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { deterministicIds, marbles } from '../../dist/testing/index.js'
import { currentSpan } from '../../dist/tracing/currentSpan.js'
import { all } from '../helpers/all.js'
import { anything } from '../helpers/anything.js'
import { dishonesties, statusesOf, treeOf } from '../helpers/traces.js'
import { warningsOf } from '../helpers/warnings.js'

const thrown = new Error('of a test')

const passing = component('c', <T>(value: T) => [value])

const sink = memorySink()

/** Alone each item is a trace, under a root each is a child of it. */
const ROOTS: Readonly<Record<string, <T>() => MonoTypeOperatorFunction<T>>> = {
  alone: () => (source) => source,
  'under a root': () => respanTrace('T', { sink }),
}

for (const [where, root] of Object.entries(ROOTS)) {
  test(`runs the pipeline for each item (${where})`, async (t) => {
    const each = traceEach(
      'each',
      { sink },
      map((n: number) => n + 1),
      component('twice', (n) => of(n, n)),
    )
    t.deepEqual(await all(of(1, 2).pipe(each, root())), [2, 2, 3, 3])
    t.deepEqual(await all(EMPTY.pipe(each, root())), [])
  })

  test(`takes the next item as its flattening says (${where})`, (t) =>
    marbles(t.deepEqual, ({ cold, expectObservable }) => {
      const inner = cold('--x--y|')
      const run = (flatten?: Flatten) => {
        const body = concatMap((item: string) => inner.pipe(map((step) => item + step)))
        const each = traceEach('each', { sink, ...(flatten === undefined ? {} : { flatten }) }, body)
        return cold('a-b----|').pipe(each, root())
      }
      const values = { c: 'ax', d: 'ay', e: 'bx', f: 'by' }
      expectObservable(run()).toBe('          --c--d--e--f|', values)
      expectObservable(run(mergeMap)).toBe('  --c-ed-f|', values)
      expectObservable(run(switchMap)).toBe(' ----e--f|', values)
      expectObservable(run(exhaustMap)).toBe('--c--d-|', values)
    }))

  test(`passes errors of the source and of the pipeline on (${where})`, async (t) => {
    const failing = component('f', () => throwError(() => thrown))
    t.is(await t.throwsAsync(all(of(1).pipe(traceEach('each', { sink }, failing), root()))), thrown)
    const broken = throwError(() => thrown)
    t.is(await t.throwsAsync(all(broken.pipe(traceEach('each', { sink }, passing), root()))), thrown)
    const throwing = map(() => {
      throw thrown
    })
    t.is(await t.throwsAsync(all(of(1).pipe(traceEach('each', { sink }, throwing), root()))), thrown)
  })

  test(`unsubscribing tears down the source and the item under way (${where})`, (t) =>
    marbles(t.deepEqual, ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-a--b-|')
      const inner = cold(' ----x|')
      const each = traceEach(
        'each',
        { sink },
        concatMap(() => inner),
      )
      expectObservable(source.pipe(each, root()), '^--!').toBe('----')
      expectSubscriptions(source.subscriptions).toBe('          ^--!')
      expectSubscriptions(inner.subscriptions).toBe('           -^-!')
    }))

  test(`a synchronous source stops when its consumer has enough (${where})`, (t) => {
    let sent = 0
    const endless = new Observable<number>((subscriber) => {
      while (!subscriber.closed && sent < 100) subscriber.next(sent++)
    })
    endless.pipe(traceEach('each', { sink }, passing), root(), take(3)).subscribe()
    t.is(sent, 3)
  })

  test(`two subscriptions do not share state (${where})`, async (t) => {
    const counting = concatMap((item: string, index) => timer(0).pipe(map(() => `${item}${index}`)))
    const run$ = of('a', 'b').pipe(traceEach('each', { sink }, counting), root())
    t.deepEqual(await Promise.all([all(run$), all(run$)]), [
      ['a0', 'b0'],
      ['a0', 'b0'],
    ])
  })

  test(`a re-entrant next mixes nothing up (${where})`, (t) => {
    const again = new Subject<number>()
    const seen: Array<number> = []
    const body = mergeMap((n: number) => of(n, n * 10))
    again.pipe(traceEach('each', { sink, flatten: mergeMap }, body), root()).subscribe((n) => {
      seen.push(n)
      if (n < 3) again.next(n + 1)
    })
    again.next(1)
    t.deepEqual(seen, [1, 2, 3, 30, 20, 10])
  })
}

test('makes a trace per item, each with its own root, input and output', async (t) => {
  const own = memorySink()
  const starts: Array<TraceStart> = []
  const options = { sink: own, ids: deterministicIds(), onStart: (start: TraceStart) => starts.push(start) }
  await all(of('a', 'b').pipe(traceEach('each', options, passing)))
  t.is(treeOf(own.events), 'each(c),each(c)')
  t.deepEqual(
    own.spans().map(({ name, traceId, input, output }) => [name, Number(traceId), input, output]),
    [
      ['c', 1, 'a', 'a'],
      ['each', 1, 'a', 'a'],
      ['c', 2, 'b', 'b'],
      ['each', 2, 'b', 'b'],
    ],
  )
  t.deepEqual(
    starts.map(({ traceId }) => Number(traceId)),
    [1, 2],
  )
  t.deepEqual(dishonesties(own.events), [])
})

test('inside another trace its runs are children, in that trace’s sink', async (t) => {
  const own = memorySink()
  await all(of('a', 'b').pipe(traceEach('each', {}, passing), passing, respanTrace('T', { sink: own })))
  t.is(treeOf(own.events), 'T(each(c),c,each(c),c)')
  t.is(new Set(own.spans().map(({ traceId }) => traceId)).size, 1)
})

test('is a new trace per item when another trace only feeds it', async (t) => {
  const own = memorySink()
  const feed = new Subject<string>()
  feed.pipe(traceEach('each', { sink: own }, passing)).subscribe()
  const feeding = tap((item: string) => feed.next(item))
  await all(of('a').pipe(feeding, passing, respanTrace('T', { sink: own })))
  t.is(treeOf(own.events), 'T(c),each(c)')
})

test('keeps concurrent items apart', async (t) => {
  const own = memorySink()
  const slow = component('slow', async (n: number) => {
    await null
    return lastValueFrom(timer(n % 3).pipe(component(`in${n}`, () => [n])))
  })
  const each = traceEach('each', { sink: own, flatten: mergeMap }, slow)
  await all(of(...Array.from({ length: 30 }, (_, n) => n)).pipe(each))
  t.deepEqual(dishonesties(own.events), [])
  for (const { name, path, traceId } of own.spans().filter((span) => span.name.startsWith('in'))) {
    t.is(path, 'each.slow')
    const [root] = own.spans().filter((span) => span.traceId === traceId && span.parentId === undefined)
    t.is(`in${root?.output}`, name)
  }
})

for (const [title, options] of [
  ['one at a time', {}],
  ['two at a time', { flatten: mergeMap, concurrency: 2 }],
  ['all at once', { flatten: mergeMap }],
] as const)
  test(`an item that requests feed finds the AsyncLocalStorage of its own request, ${title}`, async (t) => {
    const storage = new AsyncLocalStorage<string>()
    const seen: Array<string> = []
    const note = (where: string, item: string): void => {
      seen.push(`${where} ${item} ${storage.getStore()}`)
    }
    const feed = new Subject<string>()
    const work = component('work', async (item: string) => {
      note('before', item)
      await setImmediate()
      note('after', item)
      return item
    })
    const ended = all(
      feed.pipe(
        traceEach('each', { ...options, sink: memorySink() }, work),
        tap((item) => note('below', item)),
        attempt(traceEach('again', { ...options, sink: memorySink() }, work)),
      ),
    )
    const items = ['a', 'b', 'c', 'd', 'e']
    for (const item of items) storage.run(item, () => feed.next(item))
    feed.complete()
    t.is((await ended).length, items.length)
    const expected = items.flatMap((item) =>
      ['before', 'after', 'below', 'before', 'after'].map((where) => `${where} ${item} ${item}`),
    )
    t.deepEqual(seen.toSorted(), expected.toSorted())
  })

/** Items that come in a context each, and work on them that notes in which one it runs. */
const inContexts = () => {
  const storage = new AsyncLocalStorage<string>()
  const feed = new Subject<string>()
  const seen: Array<string | undefined> = []
  const work = component('work', async (item: string) => {
    seen.push(storage.getStore())
    return item
  })
  return { feed, seen, work, give: (item: string) => storage.run(item, () => feed.next(item)) }
}

for (const [title, own, enclosing] of [
  ['of its own', { asyncContext: false }, {}],
  ['of the trace around it', {}, { asyncContext: false }],
] as const)
  test(`with asyncContext: false, ${title}, it leaves each AsyncLocalStorage to RxJS`, async (t) => {
    const { feed, seen, work, give } = inContexts()
    const sink = memorySink()
    const run = traceEach('each', { sink, ...own }, work)
    const trace = respanTrace<string>('T', { sink, ...enclosing })
    const ended = all(feed.pipe(run, 'asyncContext' in enclosing ? trace : identity))
    for (const item of ['a', 'b']) give(item)
    feed.complete()
    await ended
    t.deepEqual(seen, ['a', 'a'])
  })

test('fed by a trace with asyncContext: false, an item finds the AsyncLocalStorage of its own moment', async (t) => {
  const { feed, seen, work, give } = inContexts()
  const sink = memorySink()
  const ended = all(feed.pipe(traceEach('each', { sink }, work)))
  await all(of('a', 'b').pipe(tap(give), respanTrace('T', { sink, asyncContext: false })))
  feed.complete()
  await ended
  t.deepEqual(seen, ['a', 'b'])
  t.true(sink.spans().every(({ name, parentId }) => (name === 'work') === (parentId !== undefined)))
})

test('an item that its flattening gives up is cancelled', async (t) => {
  const own = memorySink()
  const slow = component('slow', (n: number) => timer(n < 3 ? 1_000 : 0))
  await all(of(1, 2, 3).pipe(traceEach('each', { sink: own, flatten: switchMap }, slow)))
  t.deepEqual(statusesOf(own.spans()), [
    'slow cancelled',
    'each cancelled',
    'slow cancelled',
    'each cancelled',
    'slow ok',
    'each ok',
  ])
})

test('its attributes are a value, or a function of the item', async (t) => {
  const own = memorySink()
  const attributes = (question: string) => ({ metadata: { question } })
  await all(of('a', 'b').pipe(traceEach('each', { sink: own, attributes }, passing)))
  await all(of('c').pipe(traceEach('each', { sink: own, attributes: { note: 'n' } }, passing)))
  const first = { metadata: { question: 'a' } }
  const second = { metadata: { question: 'b' } }
  t.deepEqual(
    own.spans().map((span) => span.attributes),
    [first, first, second, second, { note: 'n' }, { note: 'n' }],
  )
})

test('options that were left out are refused, whoever calls it without types', (t) => {
  // The component would be taken for the options.
  const call = anything<(name: string, options: unknown) => unknown>(traceEach)
  t.throws(() => call('each', passing), { name: 'InvalidInput', message: /options: expected an object/ })
})

test('attributes that throw when they are looked at disturb nothing', async (t) => {
  const attributes = () => ({
    get customer_identifier(): string {
      throw new Error('getter')
    },
  })
  const own = memorySink()
  t.deepEqual(await all(of(1).pipe(traceEach('each', { sink: own, attributes }, passing))), [1])
  t.deepEqual(statusesOf(own.spans()), ['c ok', 'each ok'])
})

test.serial(
  'attributes of items that are async count as wrong, and what they reject with is reported',
  async (t) => {
    const attributes = async (): Promise<never> => Promise.reject(new Error('broken'))
    // @ts-expect-error -- JavaScript may give a promise
    const each = traceEach('each', { sink: memorySink(), attributes }, passing)
    const warnings = await warningsOf('RESPAN_TRACE', async () =>
      t.deepEqual(await all(of(1, 2).pipe(each)), [1, 2]),
    )
    t.true(warnings.includes('each: attributes threw: broken'))
  },
)

test.serial(
  'attributes of items that throw or are wrong are reported once each, and the run goes on',
  async (t) => {
    const own = memorySink()
    const attributes = (n: number) => {
      if (n % 2 === 1) throw new Error('broken')
      // Whoever writes JavaScript can give anything.
      return JSON.parse('{"note":7}')
    }
    const each = traceEach('each', { sink: own, attributes }, passing)
    const warnings = await warningsOf('RESPAN_TRACE', async () =>
      t.deepEqual(await all(of(1, 2, 3, 4).pipe(each)), [1, 2, 3, 4]),
    )
    t.is(warnings[0], 'each: attributes threw: broken')
    t.regex(warnings[1] ?? '', /attributes\.note: expected/)
    t.is(warnings.length, 2)
    t.deepEqual(
      statusesOf(own.spans()),
      [1, 2, 3, 4].flatMap(() => ['c ok', 'each ok']),
    )
    t.true(own.spans().every((span) => span.attributes === undefined))
  },
)

test('the function of the attributes belongs to no foreign trace', async (t) => {
  const own = memorySink()
  const seen: Array<unknown> = []
  const feed = new Subject<string>()
  const attributes = (): Record<string, never> => {
    seen.push(currentSpan())
    return {}
  }
  feed.pipe(traceEach('each', { sink: own, attributes }, passing)).subscribe()
  const feeding = tap((item: string) => feed.next(item))
  await all(of('a').pipe(feeding, respanTrace('T', { sink: own })))
  t.deepEqual(seen, [undefined])
})

test('refuses what is wrong when it is built', (t) => {
  const path = (build: () => unknown): string | undefined =>
    t.throws(build, { instanceOf: InvalidInput })?.path
  const nothing: OperatorFunction<unknown, unknown> = JSON.parse('null')
  const wrongs: ReadonlyArray<readonly [string, () => unknown]> = [
    ['name', () => traceEach('', {}, passing)],
    // @ts-expect-error -- a wire name with a value of the wrong type
    ['attributes.note', () => traceEach('each', { attributes: { note: 7 } }, passing)],
    ['concurrency', () => traceEach('each', { flatten: switchMap, concurrency: 2 }, passing)],
    ['concurrency', () => traceEach('each', { concurrency: 2 }, passing)],
    ['maxContentBytes', () => traceEach('each', { maxContentBytes: -1 }, passing)],
    ['op1', () => traceEach('each', {}, nothing)],
    ['op2', () => traceEach('each', {}, passing, nothing)],
  ]
  for (const [wanted, wrong] of wrongs) t.is(path(wrong), wanted)
  t.notThrows(() => traceEach('each', { flatten: mergeMap, concurrency: 2 }, passing))
})

testProp(
  'law: it gives what the pipeline gives for each item',
  [fc.array(fc.integer()), fc.constantFrom<Flatten>(concatMap, mergeMap, switchMap, exhaustMap)],
  async (t, values, flatten) => {
    const body = mergeMap((n: number) => of(n, n + 1))
    const each = traceEach('each', { sink: memorySink(), flatten }, body, map(String))
    t.deepEqual(
      await all(of(...values).pipe(each)),
      values.flatMap((n) => [String(n), String(n + 1)]),
    )
  },
)

test('infers from operator to operator', (t) => {
  const each = traceEach(
    'each',
    { attributes: (question: string) => ({ metadata: { question } }) },
    component('a', async (question) => ({ question, words: question.split(' ') })),
    component('b', ({ words }) => words.map((word) => word.length)),
    map((length) => ({ length })),
  )
  expectTypeOf(each).toEqualTypeOf<Component<string, { length: number }>>()
  const run$ = of('why').pipe(
    traceEach(
      'each',
      { flatten: switchMap, attributes: (question) => ({ metadata: { question: question.length } }) },
      component('a', async (question) => question.length),
    ),
  )
  expectTypeOf(run$).toEqualTypeOf<Observable<number>>()
  const numbers = traceEach('each', {}, passing, map(Number))
  expectTypeOf(numbers).toExtend<Component<never, number>>()
  const taking = traceEach(
    'each',
    {},
    map((n: number) => n),
  )
  // @ts-expect-error -- the first operator takes a number
  of('why').pipe(taking)
  t.pass()
})
