import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { testProp } from '@fast-check/ava'
import test from 'ava'
import { expectTypeOf } from 'expect-type'
import fc from 'fast-check'
import {
  concatMap,
  count,
  delayWhen,
  EMPTY,
  exhaustMap,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  Observable,
  type OperatorFunction,
  of,
  retry,
  Subject,
  switchMap,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs'
import { InvalidInput } from '../../dist/errors.js'
import { component } from '../../dist/operators/component.js'
import type { Component, Flatten } from '../../dist/operators/Flattening.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { noopSink } from '../../dist/sinks/noopSink.js'
import { marbles } from '../../dist/testing/index.js'
import { currentSpan, withSpan } from '../../dist/tracing/currentSpan.js'
import { all } from '../helpers/all.js'
import { anything } from '../helpers/anything.js'
import { ROOTS } from '../helpers/roots.js'
import { treeOf } from '../helpers/traces.js'

const thrown = new Error('of a test')

for (const [where, root] of Object.entries(ROOTS)) {
  test(`emits what the function gives: observables, promises and iterables (${where})`, async (t) => {
    const emitted = (operator: OperatorFunction<number, unknown>) => all(of(1, 2).pipe(operator, root()))
    t.deepEqual(await emitted(component('c', (n) => of(n, -n))), [1, -1, 2, -2])
    t.deepEqual(await emitted(component('c', async (n) => n * 10)), [10, 20])
    t.deepEqual(await emitted(component('c', (n) => [n, n])), [1, 1, 2, 2])
    t.deepEqual(await emitted(component('c', (n) => new Set([n]))), [1, 2])
    const generated = component('c', async function* (n: number) {
      yield n
      yield n + 1
    })
    t.deepEqual(await emitted(generated), [1, 2, 2, 3])
    t.deepEqual(await emitted(component('c', (_, index) => of(index))), [0, 1])
    t.deepEqual(await emitted(component('c', () => EMPTY)), [])
  })

  test(`completes with an empty source, and passes its error on (${where})`, (t) =>
    marbles(t.deepEqual, ({ cold, expectObservable }) => {
      const plain = component('c', (item: string) => of(item))
      expectObservable(cold('--|').pipe(plain, root())).toBe('--|')
      expectObservable(cold('a-#').pipe(plain, root())).toBe('a-#')
    }))

  test(`takes the next item as its flattening says (${where})`, (t) =>
    marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('               a-b----|')
      const inner = cold('               --x--y|')
      const run = (flatten?: Flatten) => {
        const named = (item: string) => inner.pipe(map((step) => item + step))
        return items.pipe(component('c', named, flatten === undefined ? {} : { flatten }), root())
      }
      const values = { c: 'ax', d: 'ay', e: 'bx', f: 'by' }
      expectObservable(run()).toBe('          --c--d--e--f|', values)
      expectObservable(run(concatMap)).toBe(' --c--d--e--f|', values)
      expectObservable(run(mergeMap)).toBe('  --c-ed-f|', values)
      expectObservable(run(switchMap)).toBe(' ----e--f|', values)
      expectObservable(run(exhaustMap)).toBe('--c--d-|', values)
      expectObservable(run((project) => mergeMap(project, 1))).toBe('--c--d--e--f|', values)
      expectSubscriptions(items.subscriptions).toBe(Array.from({ length: 6 }, () => '^------!'))
    }))

  test(`concurrency bounds how many items run at once (${where})`, (t) =>
    marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('--x|')
      const two = component('c', () => inner, { flatten: mergeMap, concurrency: 2 })
      expectObservable(cold('(abc|)').pipe(two, root(), count())).toBe('------(n|)', { n: 3 })
      expectSubscriptions(inner.subscriptions).toBe(['^--!', '^--!', '---^--!'])
    }))

  test(`a function that throws errors like one whose result fails, with the error untouched (${where})`, async (t) => {
    const sync = component('c', (): Observable<number> => {
      throw thrown
    })
    const rejecting = component('c', async (): Promise<number> => {
      throw thrown
    })
    const failing = component('c', () => throwError(() => thrown))
    for (const operator of [sync, rejecting, failing]) {
      const error = await t.throwsAsync(all(of(1).pipe(operator, root())))
      t.is(error, thrown)
    }
  })

  test(`unsubscribing tears down the source and the item under way (${where})`, (t) =>
    marbles(t.deepEqual, ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-a--b-|')
      const inner = cold(' ----x|')
      expectObservable(
        source.pipe(
          component('c', () => inner),
          root(),
        ),
        '^--!',
      ).toBe('----')
      expectSubscriptions(source.subscriptions).toBe(' ^--!')
      expectSubscriptions(inner.subscriptions).toBe('  -^-!')
    }))

  test(`a synchronous source stops when its consumer has enough (${where})`, (t) => {
    let sent = 0
    const endless = new Observable<number>((subscriber) => {
      while (!subscriber.closed && sent < 100) subscriber.next(sent++)
    })
    const seen: Array<number> = []
    endless
      .pipe(
        component('c', (n) => of(n)),
        root(),
        take(3),
      )
      .subscribe((n) => seen.push(n))
    t.deepEqual(seen, [0, 1, 2])
    t.is(sent, 3)

    sent = 0
    of(1)
      .pipe(
        component('c', () => endless),
        root(),
        take(3),
      )
      .subscribe()
    t.is(sent, 3)
  })

  test(`a throw in an operator below goes down the error channel (${where})`, async (t) => {
    const seen: Array<number> = []
    const throwAtTwo = map((n: number) => {
      if (n === 2) throw thrown
      return n
    })
    const run$ = of(1, 2, 3).pipe(
      component('c', (n) => of(n)),
      root(),
      throwAtTwo,
      tap((n) => seen.push(n)),
    )
    t.is(await t.throwsAsync(all(run$)), thrown)
    t.deepEqual(seen, [1])
  })

  test(`two subscriptions do not share state (${where})`, async (t) => {
    const run$ = of('a', 'b').pipe(
      component('c', (item, index) => timer(0).pipe(map(() => `${item}${index}`))),
      root(),
    )
    const [first, second] = await Promise.all([all(run$), all(run$)])
    t.deepEqual(first, ['a0', 'b1'])
    t.deepEqual(second, ['a0', 'b1'])
  })

  test(`a re-entrant next mixes nothing up (${where})`, (t) => {
    const again = new Subject<number>()
    const seen: Array<number> = []
    again
      .pipe(
        component('c', (n) => of(n, n * 10), { flatten: mergeMap }),
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

test('has a span per item, with its input, output, type and path', async (t) => {
  const sink = memorySink()
  const search = component('search', async (question: string) => ({ question, found: 2 }), { type: 'tool' })
  const outer = component('outer', (question: string) => of(question).pipe(search))
  await all(of('why', 'how').pipe(outer, respanTrace('T', { sink })))
  t.is(treeOf(sink.events), 'T(outer(search),outer(search))')
  t.deepEqual(
    sink.spans().map(({ name, type, path, input, output }) => [name, type, path, input, output]),
    [
      ['search', 'tool', 'T.outer', 'why', '{"question":"why","found":2}'],
      ['outer', 'task', 'T', 'why', '{"question":"why","found":2}'],
      ['search', 'tool', 'T.outer', 'how', '{"question":"how","found":2}'],
      ['outer', 'task', 'T', 'how', '{"question":"how","found":2}'],
      ['T', 'workflow', '', 'why', '[{"question":"why","found":2},{"question":"how","found":2}]'],
    ],
  )
})

test('writes its input down before the function can change it', async (t) => {
  const sink = memorySink()
  const spoil = component('spoil', (list: Array<number>) => {
    list.push(2)
    return of(list)
  })
  const result = await lastValueFrom(of([1]).pipe(spoil, respanTrace('T', { sink })))
  result.push(3)
  t.deepEqual(
    sink.spans().map(({ name, input, output }) => [name, input, output]),
    [
      ['spoil', '[1]', '[1,2]'],
      ['T', '[1]', '[1,2]'],
    ],
  )
})

test('what the function subscribes or awaits is inside its span, what comes after is not', async (t) => {
  const sink = memorySink()
  const step = component('step', (n: number) => of(n))
  const working = component('working', async (n: number) => {
    t.not(currentSpan(), undefined)
    await null
    const once = await lastValueFrom(of(n).pipe(step))
    await null
    return lastValueFrom(of(once).pipe(step))
  })
  await all(of(1).pipe(working, step, respanTrace('T', { sink })))
  t.is(treeOf(sink.events), 'T(working(step,step),step)')
})

test('the function sees its own span, the code around it the span around', async (t) => {
  const sink = memorySink()
  const seen: Array<string | undefined> = []
  const look = (): void => {
    seen.push(currentSpan()?.spanId)
  }
  await all(
    of(1).pipe(
      tap(look),
      component('c', (n) => {
        look()
        return of(n)
      }),
      tap(look),
      respanTrace('T', { sink }),
      tap(look),
    ),
  )
  const [c, root] = sink.spans().map(({ spanId }) => spanId)
  t.deepEqual(seen, [root, c, root, undefined])
})

test('a component of type workflow keeps its own input, and hands it to the root', async (t) => {
  const sink = memorySink()
  const inner = component('inner', (n: number) => of(n + 1))
  const flow = component('flow', (n: number) => of(n + 1).pipe(inner), { type: 'workflow' })
  await all(of(1).pipe(flow, respanTrace('T', { sink })))
  t.deepEqual(
    sink.spans().map(({ name, input }) => [name, input]),
    [
      ['inner', '2'],
      ['flow', '1'],
      ['T', '1'],
    ],
  )
  const flowEnd = sink.events.filter((event) => event._tag === 'SpanEnded')[1]
  t.false(flowEnd !== undefined && 'input' in flowEnd, 'the start told it')
})

// The first trace of the process asks for Node's module, so nothing else in this file may be serial.
test.serial('without a trace it makes no span, id or frame, and reads no clock', (t) => {
  const { getBuiltinModule } = process
  const { now } = Date
  const sinceStart = performance.now
  const random = crypto.getRandomValues
  const counts = { modules: 0, frames: 0, storages: 0, clock: 0, ids: 0 }
  t.teardown(() => {
    process.getBuiltinModule = getBuiltinModule
    Date.now = now
    performance.now = sinceStart
    crypto.getRandomValues = random
  })
  const counted = {
    AsyncResource: class extends AsyncResource {
      constructor(...args: ConstructorParameters<typeof AsyncResource>) {
        super(...args)
        counts.frames++
      }
    },
    AsyncLocalStorage: class<T> extends AsyncLocalStorage<T> {
      constructor() {
        super()
        counts.storages++
      }
    },
  }
  Object.assign(process, {
    getBuiltinModule: () => {
      counts.modules++
      return counted
    },
  })
  Date.now = () => {
    counts.clock++
    return now()
  }
  performance.now = () => {
    counts.clock++
    return sinceStart.call(performance)
  }
  crypto.getRandomValues = (array) => {
    counts.ids++
    return random.call(crypto, array) as typeof array
  }

  const inner = component('inner', (n: number) => of(n))
  const pipeline = of(1, 2, 3).pipe(
    component('c', (n) => of(n).pipe(inner)),
    component('d', (n) => of(n), { flatten: switchMap }),
  )
  const seen: Array<number> = []
  pipeline.subscribe((n) => seen.push(n))
  t.deepEqual(seen, [1, 2, 3])
  t.is(
    withSpan(undefined, () => 7),
    7,
  )
  t.deepEqual(counts, { modules: 0, frames: 0, storages: 0, clock: 0, ids: 0 })

  const hiding = component('h', (n: number) => withSpan(undefined, () => of(n)))
  of(1)
    .pipe(hiding, respanTrace('without', { sink: noopSink, asyncContext: false }))
    .subscribe()
  t.like(counts, { modules: 0, frames: 0, storages: 0 })

  const sink = memorySink()
  pipeline.pipe(respanTrace('T', { sink })).subscribe()
  t.is(sink.spans().length, 10)
  t.is(counts.modules, 1)
  t.is(counts.storages, 1)
  t.true(counts.frames > 0 && counts.clock > 0 && counts.ids > 0)
})

test('a flattening that waits runs its items in their trace, also without AsyncLocalStorage', (t) => {
  const sink = memorySink()
  const open = new Subject<void>()
  const flatten: Flatten = (project) => (source) =>
    source.pipe(
      delayWhen(() => open),
      mergeMap(project),
    )
  of(1)
    .pipe(
      component('c', (n) => of(n), { flatten }),
      respanTrace('T', { sink, asyncContext: false }),
    )
    .subscribe()
  open.next()
  t.is(treeOf(sink.events), 'T(c)')
})

test('a trace that begins where the span is hidden hides it too, whichever trace is at work outside', (t) => {
  const sink = memorySink()
  const feed = new Subject<number>()
  const seen: Array<unknown> = []
  const begin = (n: number) =>
    withSpan(undefined, () => {
      of(n)
        .pipe(respanTrace('hidden', { sink }))
        .subscribe(() => seen.push(currentSpan()))
      return of(n)
    })
  feed.pipe(component('c', begin), respanTrace('fed', { sink, asyncContext: false })).subscribe()
  const feeding = component('c', (n: number) => {
    feed.next(n)
    return of(n)
  })
  of(1).pipe(feeding, respanTrace('feeding', { sink })).subscribe()
  t.deepEqual(seen, [undefined])
})

for (const asyncContext of [true, false]) {
  test(`an untraced run stays untraced when a traced one feeds it (asyncContext: ${asyncContext})`, async (t) => {
    const sink = memorySink()
    const feed = new Subject<number>()
    const seen: Array<unknown> = []
    const looking = component('looking', async (n: number) => {
      seen.push(currentSpan())
      await null
      seen.push(currentSpan())
      return n
    })
    const fed = lastValueFrom(feed.pipe(take(1), looking))
    const feeding = tap((n: number) => feed.next(n))
    await all(
      of(1).pipe(
        feeding,
        component('c', (n) => of(n)),
        respanTrace('T', { sink, asyncContext }),
      ),
    )
    await fed
    t.deepEqual(seen, [undefined, undefined])
    t.is(treeOf(sink.events), 'T(c)')
  })
}

test('withSpan makes a span the parent, or hides it', async (t) => {
  const sink = memorySink()
  const step = component('step', (n: number) => of(n))
  const run = (): Promise<number> => lastValueFrom(of(1).pipe(step))
  const inside = component('inside', async (n: number) => {
    const span = currentSpan()
    t.regex(span?.traceId ?? '', /^[0-9a-f]{32}$/)
    t.regex(span?.spanId ?? '', /^[0-9a-f]{16}$/)
    t.is(withSpan(span, currentSpan)?.spanId, span?.spanId)
    await withSpan(undefined, run)
    t.is(
      withSpan(undefined, () => currentSpan()),
      undefined,
    )
    await new Promise((resolve) => {
      withSpan(undefined, () => queueMicrotask(() => resolve(withSpan(span, run))))
    })
    return n
  })
  await all(of(1).pipe(inside, respanTrace('T', { sink })))
  t.is(treeOf(sink.events), 'T(inside(step))')
  t.is(
    withSpan(undefined, () => 7),
    7,
  )
  t.throws(
    () =>
      withSpan(undefined, () => {
        throw thrown
      }),
    { is: thrown },
  )
  t.is(currentSpan(), undefined)
})

test('carries what combinators need: project, flatten and the name', async (t) => {
  const c = component('c', (n: number) => of(n + 1), { flatten: switchMap })
  t.is(c.spanName, 'c')
  t.is(await firstValueFrom(c.project(1, 0)), 2)
  t.is(await firstValueFrom(of(1).pipe(c.flatten(c.project))), 2)
})

test('a result that is nothing to observe is told by the name of its component', async (t) => {
  for (const [result, found] of [
    [{ a: 1 }, 'object with key a'],
    [undefined, 'undefined'],
    ['a text', 'string(6 characters)'],
  ]) {
    const lookup = component('lookup', () => anything<never>(result))
    for (const run$ of [of(1).pipe(lookup), of(1).pipe(lookup, respanTrace('T', { sink: memorySink() }))]) {
      const error = await t.throwsAsync(lastValueFrom(run$), {
        instanceOf: TypeError,
        message: `component lookup: expected an observable, a promise or an iterable, found ${found}. Return of(value) for a single value.`,
      })
      // Of a text RxJS would have made characters.
      t.is(error?.cause instanceof TypeError, typeof result !== 'string')
    }
  }
})

test('tells that the mergeMap beside a concurrency is that of another copy of rxjs', (t) => {
  const copy: Flatten = Object.defineProperty((project) => mergeMap(project), 'name', { value: 'mergeMap' })
  t.throws(() => component('c', () => of(1), { flatten: copy, concurrency: 2 }), {
    instanceOf: InvalidInput,
    message:
      /^component c: .*expected flatten: mergeMap alongside it, found mergeMap of another copy of rxjs/,
  })
})

test('refuses an empty name and a senseless concurrency when it is built', (t) => {
  for (const name of ['', '  ']) {
    const error = t.throws(() => component(name, () => of(1)), { instanceOf: InvalidInput })
    t.is(error?.path, 'name')
  }
  // @ts-expect-error -- a name is a string
  t.throws(() => component(7, () => of(1)), { instanceOf: InvalidInput })
  for (const flatten of [concatMap, switchMap, exhaustMap]) {
    const error = t.throws(() => component('c', () => of(1), { flatten, concurrency: 2 }), {
      instanceOf: InvalidInput,
    })
    t.is(error?.path, 'concurrency')
    t.regex(
      error?.message ?? '',
      /^component c: .*expected flatten: mergeMap alongside it, found another flatten/,
    )
  }
  t.throws(() => component('c', () => of(1), { concurrency: 2 }), { instanceOf: InvalidInput })
  for (const concurrency of [0, -1, Number.NaN]) {
    const error = t.throws(() => component('c', () => of(1), { flatten: mergeMap, concurrency }), {
      instanceOf: InvalidInput,
    })
    t.regex(error?.message ?? '', new RegExp(`expected number of at least 1, found number ${concurrency}`))
  }
  t.notThrows(() => component('c', () => of(1), { flatten: mergeMap, concurrency: 1 }))
})

testProp(
  'law: it is the flattening operator, traced or not',
  [
    fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })), { maxLength: 5 }),
    fc.constantFrom<Flatten>(concatMap, mergeMap, switchMap, exhaustMap),
    fc.constantFrom(...Object.values(ROOTS)),
  ],
  (t, items, flatten, root) => {
    const script = items.map(([wait]) => `${'-'.repeat(wait)}a`).join('')
    marbles(t.deepEqual, ({ cold, expectObservable }) => {
      const inner = (_: string, i: number) => cold(`${'-'.repeat(items[i]?.[1] ?? 0)}x-y|`)
      const source = cold(`${script}|`)
      const run$ = source.pipe(component('c', inner, { flatten }), root())
      expectObservable(run$).toEqual(source.pipe(flatten(inner)))
    })
  },
  { numRuns: 200 },
)

test('its function runs anew for each try of a flatten that retries, traced or not', async (t) => {
  for (const root of Object.values(ROOTS)) {
    let calls = 0
    const flaky = component(
      'flaky',
      async (n: number) => {
        if (++calls === 1) throw thrown
        return n
      },
      { flatten: (project) => mergeMap((value, index) => project(value, index).pipe(retry(1))) },
    )
    t.deepEqual(await all(of(7).pipe(flaky, root())), [7])
    t.is(calls, 2)
  }
})

test('infers its input and output in a pipe without annotations', (t) => {
  const run$ = of('why').pipe(
    component('a', async (question) => ({ question, words: question.split(' ') })),
    component('b', ({ words }) => words.map((word) => word.length)),
    component('c', (length, index) => of({ length, index })),
    respanTrace('T', { output: ({ length }) => length }),
  )
  expectTypeOf(run$).toEqualTypeOf<Observable<{ length: number; index: number }>>()
  const retrieve = component('retrieve', async (question: string) => [question])
  expectTypeOf(retrieve).toEqualTypeOf<Component<string, Array<string>>>()
  expectTypeOf(component('g', (n: number) => [n, String(n)])).toEqualTypeOf<
    Component<number, string | number>
  >()
  t.pass()
})

test('does not compile for a function that returns a string, which would emit its characters', (t) => {
  // @ts-expect-error -- a string is an observable of its characters
  t.notThrows(() => component('shout', (text: string) => text.toUpperCase()))
  // @ts-expect-error -- nor sometimes
  t.notThrows(() => component('maybe', (n: number) => (n > 1 ? 'text' : of('text'))))
  // @ts-expect-error -- a number is no observable at all
  t.notThrows(() => component('count', (text: string) => text.length))
  t.notThrows(() => component('right', (text: string) => of(text.toUpperCase())))
})
