import { testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  catchError,
  concat,
  concatMap,
  concatWith,
  config,
  defer,
  EMPTY,
  exhaustMap,
  expand,
  finalize,
  firstValueFrom,
  forkJoin,
  identity,
  lastValueFrom,
  type MonoTypeOperatorFunction,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  retry,
  Subject,
  type Subscription,
  share,
  startWith,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs'
import type { ReplyEvent } from '../../dist/codecs/Reply.js'
import { Aborted, HttpError, StreamInterrupted, Timeout } from '../../dist/errors.js'
import { component } from '../../dist/operators/component.js'
import type { Flatten } from '../../dist/operators/Flattening.js'
import { respanGenerate } from '../../dist/operators/respanGenerate.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { tokens } from '../../dist/operators/tokens.js'
import { traced } from '../../dist/operators/traced.js'
import { traceEach } from '../../dist/operators/traceEach.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import type { Gateway, GatewayEvent } from '../../dist/sources/Gateway.js'
import { marbleGateway, marbles, virtualClock } from '../../dist/testing/index.js'
import { currentSpan } from '../../dist/tracing/currentSpan.js'
import { currentOpenSpan } from '../../dist/tracing/frames.js'
import type { OpenSpan } from '../../dist/tracing/OpenSpan.js'
import { dishonesties, statusesOf } from '../helpers/traces.js'

const thrown = new Error('of a test')
config.onUnhandledError = (error) => {
  if (error !== thrown && !String(error).includes('teardown')) throw error
}

/** What became of each span of a pipeline under the root `T`, in the order of their ends. */
const endsOf = async (
  t: ExecutionContext,
  pipeline: Observable<unknown>,
  consume: (run$: Observable<unknown>) => unknown = (run$) => lastValueFrom(run$, { defaultValue: 0 }),
): Promise<ReadonlyArray<string>> => {
  const sink = memorySink()
  try {
    await consume(pipeline.pipe(respanTrace('T', { sink })))
  } catch {
    // The error is in the trace.
  }
  t.deepEqual(dishonesties(sink.events), [])
  return statusesOf(sink.spans())
}

const passing = component('c', (value: unknown) => [value])
const failing = component('f', () => throwError(() => thrown))
const waiting = component('w', () => NEVER)
/** Emits, then has more to do. */
const going = component('g', (value: unknown) => concat(of(value), NEVER))

test('a run that completes is ok, and so are its components', async (t) => {
  t.deepEqual(await endsOf(t, of(1).pipe(passing)), ['c ok', 'T ok'])
  t.deepEqual(await endsOf(t, timer(1).pipe(passing)), ['c ok', 'T ok'])
  t.deepEqual(await endsOf(t, EMPTY), ['T ok'])
  t.deepEqual(await endsOf(t, of(1, 2).pipe(passing)), ['c ok', 'c ok', 'T ok'])
})

test('a run that is never subscribed leaves nothing', async (t) => {
  t.deepEqual(await endsOf(t, of(1).pipe(passing), () => undefined), [])
})

test('a consumer that takes what it wants and leaves ends the run ok', async (t) => {
  const ends = ['c left', 'T left']
  t.deepEqual(await endsOf(t, of(1, 2).pipe(passing), firstValueFrom), ends)
  t.deepEqual(await endsOf(t, timer(1).pipe(passing, concatWith(NEVER)), firstValueFrom), ends)
  t.deepEqual(await endsOf(t, of(1, 2).pipe(passing), (run$) => lastValueFrom(run$.pipe(take(1)))), ends)
  const leaveInNext = (run$: Observable<unknown>) =>
    new Promise<void>((resolve) => {
      const subscription = run$.subscribe(() =>
        Promise.resolve().then(() => {
          subscription.unsubscribe()
          resolve()
        }),
      )
    })
  t.deepEqual(await endsOf(t, timer(1).pipe(passing, concatWith(NEVER)), leaveInNext), ['c ok', 'T left'])
})

test('a component that is left after its output by take above the root is ok too', async (t) => {
  t.deepEqual(await endsOf(t, of(1, 2).pipe(passing, take(1))), ['c left', 'T ok'])
})

test('leaving while a component works cancels it and what encloses it', async (t) => {
  const leave = (run$: Observable<unknown>) => run$.subscribe().unsubscribe()
  t.deepEqual(await endsOf(t, NEVER, leave), ['T cancelled'])
  t.deepEqual(await endsOf(t, of(1).pipe(waiting), leave), ['w cancelled', 'T cancelled'])
  t.deepEqual(await endsOf(t, of(1).pipe(passing, waiting), leave), ['c ok', 'w cancelled', 'T cancelled'])
  t.deepEqual(await endsOf(t, of(1).pipe(waiting, startWith(0)), leave), ['w cancelled', 'T cancelled'])
})

test('leaving after an output, with nothing at work that has none, is ok', async (t) => {
  const leave = (run$: Observable<unknown>) => run$.subscribe().unsubscribe()
  t.deepEqual(await endsOf(t, of(1).pipe(going), leave), ['g left', 'T left'])
  const outer = component('outer', (value: unknown) => of(value).pipe(going))
  t.deepEqual(await endsOf(t, of(1).pipe(outer), leave), ['g left', 'outer left', 'T left'])
})

test('work below that has no output makes the leaving of all above it a cancellation', async (t) => {
  const leave = (run$: Observable<unknown>) => run$.subscribe().unsubscribe()
  const outer = component('outer', (value: unknown) => merge(of(value), of(value).pipe(waiting)))
  t.deepEqual(await endsOf(t, of(1).pipe(outer), leave), ['w cancelled', 'outer cancelled', 'T cancelled'])
})

test('an error ends what it passes through, and cancels what works beside it', async (t) => {
  t.deepEqual(await endsOf(t, of(1).pipe(failing)), ['f error', 'T error'])
  t.deepEqual(
    await endsOf(
      t,
      throwError(() => thrown),
    ),
    ['T error'],
  )
  t.deepEqual(await endsOf(t, of(1, 2).pipe(passing, concatWith(throwError(() => thrown)))), [
    'c ok',
    'c ok',
    'T error',
  ])
  const beside = of(1).pipe(mergeMap((v) => merge(of(v).pipe(waiting), of(v).pipe(failing))))
  t.deepEqual(await endsOf(t, beside), ['f error', 'w cancelled', 'T error'])
})

test('a function of the user that throws is an error of its span', async (t) => {
  const sync = component('sync', (): Observable<number> => {
    throw thrown
  })
  const later = component('later', async (): Promise<number> => {
    await null
    throw thrown
  })
  t.deepEqual(await endsOf(t, of(1).pipe(sync)), ['sync error', 'T error'])
  t.deepEqual(await endsOf(t, of(1).pipe(later)), ['later error', 'T error'])
  const mapped = of(1).pipe(
    passing,
    map(() => {
      throw thrown
    }),
  )
  t.deepEqual(await endsOf(t, mapped), ['c left', 'T error'])
})

test('an error that is caught ends its component alone; each try is a span of its own', async (t) => {
  t.deepEqual(
    await endsOf(
      t,
      of(1).pipe(
        failing,
        catchError(() => of(2).pipe(passing)),
      ),
    ),
    ['f error', 'c ok', 'T ok'],
  )
  t.deepEqual(await endsOf(t, of(1).pipe(failing, retry(2))), ['f error', 'f error', 'f error', 'T error'])
})

test('an abort is a cancellation, a stream without an end is truncated', async (t) => {
  const aborted = component('a', () => throwError(() => new Aborted()))
  t.deepEqual(await endsOf(t, of(1).pipe(aborted)), ['a cancelled', 'T cancelled'])
  const cut = component('s', () => throwError(() => new StreamInterrupted('reset')))
  t.deepEqual(await endsOf(t, of(1).pipe(cut)), ['s truncated', 'T truncated'])
})

test('an item that switchMap gives up is cancelled, one that exhaustMap leaves out makes no span', async (t) => {
  const switching = component('s', (v: number) => (v < 3 ? NEVER : of(v)), { flatten: switchMap })
  t.deepEqual(await endsOf(t, of(1, 2, 3).pipe(switching)), ['s cancelled', 's cancelled', 's ok', 'T ok'])
  const exhausting = component('e', (v: number) => timer(1).pipe(map(() => v)), { flatten: exhaustMap })
  t.deepEqual(await endsOf(t, of(1, 2, 3).pipe(exhausting)), ['e ok', 'T ok'])
})

test('every kind of span ends before the one that encloses it', async (t) => {
  const inside = component('inside', (value: unknown) => of(value).pipe(passing, respanTrace('nested')))
  const pipeline = of(1).pipe(traced('whole', inside), traceEach('each', {}, inside))
  t.deepEqual(await endsOf(t, pipeline), [
    'c ok',
    'nested ok',
    'inside ok',
    'each ok',
    'c ok',
    'nested ok',
    'inside ok',
    'whole ok',
    'T ok',
  ])
})

test('a teardown that throws still ends the spans', async (t) => {
  const teardown = finalize(() => {
    throw new Error('teardown')
  })
  const leave = (run$: Observable<unknown>) => run$.subscribe().unsubscribe()
  t.deepEqual(await endsOf(t, NEVER.pipe(teardown), leave), ['T cancelled'])
  const inside = component('inside', () => NEVER.pipe(teardown))
  t.deepEqual(await endsOf(t, of(1).pipe(inside), leave), ['inside cancelled', 'T cancelled'])
})

test('what is subscribed for a subscriber that has left before is no run', async (t) => {
  // `forkJoin` goes on subscribing after the first one failed.
  const late = (name: string) => of(1).pipe(component(name, () => NEVER))
  t.deepEqual(await endsOf(t, forkJoin([throwError(() => thrown), late('late'), late('later')])), ['T error'])
  const inside = defer(() => forkJoin([of(1).pipe(failing), of(1).pipe(respanTrace('n'), waiting)]))
  t.deepEqual(await endsOf(t, inside), ['f error', 'T error'])
  const whole = defer(() => forkJoin([of(1).pipe(failing), of(1).pipe(traced('x', passing))]))
  t.deepEqual(await endsOf(t, whole), ['f error', 'T error'])
  // `expand` emits, and then subscribes what it makes of that.
  const calls: Array<number> = []
  const step = component('step', (value: number) => {
    calls.push(value)
    return of(value + 1)
  })
  const steps = of(0).pipe(
    expand((value) => step.project(value, 0)),
    take(2),
  )
  t.deepEqual(await endsOf(t, steps), ['step left', 'T ok'])
  t.deepEqual(calls, [0])
  const gateway = marbleGateway('(ab|)')
  const ask = respanGenerate({ model: 'm', name: 'ask', gateway })
  const rounds = of('hi').pipe(
    ask,
    expand(({ replies: [text = ''] }) => ask.project(text, 0)),
    take(2),
  )
  t.deepEqual(await endsOf(t, rounds), ['ask ok', 'ask ok', 'T ok'])
  t.is(gateway.requests.length, 2)
  await lastValueFrom(rounds)
  t.is(gateway.requests.length, 4)
})

test('what is left from a finalizer ends after what is being torn down', async (t) => {
  const item$ = new Subject<number>()
  const search = component(
    'search',
    () =>
      concat(of('hit'), NEVER).pipe(
        finalize(() => {
          run?.unsubscribe()
        }),
      ),
    { flatten: switchMap },
  )
  let run: Subscription | undefined
  const leave = (run$: Observable<unknown>) => {
    run = run$.subscribe()
    item$.next(1)
    item$.next(2)
  }
  t.deepEqual(await endsOf(t, item$.pipe(search), leave), ['search left', 'T left'])
})

test('a run that is stopped from its own onStart ends once, cancelled', async (t) => {
  const sink = memorySink()
  const stop = new Subject<void>()
  const seen: Array<unknown> = []
  const onStart = (): void => stop.next()
  of(1)
    .pipe(passing, respanTrace('T', { sink, onStart }), takeUntil(stop))
    .subscribe((value) => seen.push(value))
  t.deepEqual(dishonesties(sink.events), [])
  t.deepEqual(statusesOf(sink.spans()), ['T cancelled'])
  t.deepEqual(seen, [])
})

test('what is left while its span starts is not begun', (t) => {
  const sink = memorySink()
  const stop = new Subject<void>()
  let calls = 0
  const next: typeof sink.next = (event) => {
    sink.next(event)
    if (event._tag === 'SpanStarted' && event.name === 'c') stop.next()
  }
  const called = component('c', (value: number) => {
    calls++
    return of(value)
  })
  of(1)
    .pipe(called, respanTrace('T', { sink: { ...sink, next } }), takeUntil(stop))
    .subscribe()
  t.is(calls, 0)
  t.deepEqual(dishonesties(sink.events), [])
  t.deepEqual(statusesOf(sink.spans()), ['c cancelled', 'T cancelled'])
})

test('what is left from the onStart of a trace inside another ends before that one', (t) => {
  const sink = memorySink()
  const stop = new Subject<void>()
  of(1)
    .pipe(
      respanTrace('inner', { onStart: () => stop.next() }),
      respanTrace('outer', { sink }),
      takeUntil(stop),
    )
    .subscribe()
  t.deepEqual(dishonesties(sink.events), [])
  t.deepEqual(statusesOf(sink.spans()), ['inner cancelled', 'outer cancelled'])
})

test('a generation whose consumer is gone before it is asked for is none', (t) => {
  const sink = memorySink()
  const stop = new Subject<void>()
  const gateway = marbleGateway('(a|)')
  const generate = respanGenerate({
    model: 'm',
    gateway,
    attributes: () => {
      stop.next()
      return {}
    },
  })
  of('Hi').pipe(generate, respanTrace('T', { sink }), takeUntil(stop)).subscribe()
  t.deepEqual(dishonesties(sink.events), [])
  t.deepEqual(statusesOf(sink.spans()), ['T cancelled'])
  t.is(gateway.requests.length, 0)
})

test('a source whose own subscribe throws fails its span', async (t) => {
  const broken = Object.assign(new Observable<number>(), {
    subscribe: () => {
      throw thrown
    },
  })
  t.deepEqual(await endsOf(t, broken), ['T error'])
  t.deepEqual(await endsOf(t, of(1).pipe(component('c', () => broken))), ['c error', 'T error'])
})

test('a span ends no earlier than what is below it begins', async (t) => {
  const sink = memorySink()
  let now = 0
  const clock = { now: () => now++ * 100 }
  const leaving = component(
    'parent',
    (value: number) =>
      new Observable<number>((subscriber) => {
        subscriber.next(value)
        of(9)
          .pipe(component('child', () => NEVER))
          .subscribe()
        subscriber.complete()
      }),
  )
  await lastValueFrom(of(1).pipe(leaving, respanTrace('T', { sink, clock })))
  const [parent] = sink.spans()
  const child = sink.events.find((event) => event._tag === 'SpanStarted' && event.name === 'child')
  t.true(parent !== undefined && child !== undefined && child.at <= parent.endedAt)
})

test('the time that a consumer takes for the last value is none of the component’s', async (t) => {
  const ends = async (leaving: MonoTypeOperatorFunction<unknown>) => {
    const sink = memorySink()
    let now = 0
    const slow = tap(() => {
      now += 100
    })
    const root = respanTrace<unknown>('T', { sink, clock: { now: () => now } })
    await lastValueFrom(of(1).pipe(passing, slow, leaving, root))
    return sink.spans().map(({ name, endedAt }) => [name, endedAt])
  }
  const expected = [
    ['c', 0],
    ['T', 100],
  ]
  t.deepEqual(await ends(identity), expected)
  t.deepEqual(await ends(take(1)), expected)
})

test('a consumer that throws does not change the end', async (t) => {
  const throwing = (run$: Observable<unknown>) =>
    new Promise<void>((resolve) => {
      run$.subscribe({
        next: () => {
          throw thrown
        },
        complete: resolve,
      })
    })
  t.deepEqual(await endsOf(t, of(1, 2).pipe(passing), throwing), ['c ok', 'c ok', 'T ok'])
})

test('work that its function does not wait for outlives the span, and ends on its own', async (t) => {
  const sink = memorySink()
  const detached = new Subject<number>()
  const fire = component('fire', (value: number) => {
    detached.pipe(component('slow', (v: number) => of(v))).subscribe()
    const pending = lastValueFrom(detached.pipe(respanTrace('loose')))
    return of({ value, pending })
  })
  const { pending } = await lastValueFrom(of(1).pipe(fire, respanTrace('T', { sink })))
  t.deepEqual(statusesOf(sink.spans()), ['fire ok', 'T ok'])
  detached.next(1)
  detached.complete()
  await pending
  t.deepEqual(statusesOf(sink.spans()), ['fire ok', 'T ok', 'slow ok', 'loose ok'])
})

test('a generation that its function does not wait for outlives the span, and ends on its own', async (t) => {
  const sink = memorySink()
  const chunks = new Subject<GatewayEvent>()
  const gateway = { ...marbleGateway('(a|)'), chat: () => chunks }
  const fire = component('fire', (value: number) => {
    of('Hi')
      .pipe(respanGenerate({ model: 'm', gateway }))
      .subscribe()
    return of(value)
  })
  await lastValueFrom(of(1).pipe(fire, respanTrace('T', { sink })))
  t.deepEqual(statusesOf(sink.spans()), ['fire ok', 'T ok'])
  const message = { role: 'assistant', content: 'a' } as const
  const response = { id: 'r', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }
  chunks.next({ _tag: 'Response', response })
  chunks.complete()
  t.deepEqual(statusesOf(sink.spans()), ['fire ok', 'T ok', 'respanGenerate ok'])
})

test('an error tells its tag, message, status and stack', async (t) => {
  const sink = memorySink()
  const refused = new HttpError('refused', { status: 422 })
  const ours = [refused, new Timeout('body', 5), new StreamInterrupted('cut'), new Aborted()]
  for (const error of [...ours, thrown, 'text', { code: 7 }, undefined]) {
    await t.throwsAsync(lastValueFrom(throwError(() => error).pipe(respanTrace('T', { sink }))), {
      any: true,
    })
  }
  t.deepEqual(
    sink.spans().map(({ error }) => [error?.tag, error?.message, error?.status]),
    [
      ['HttpError', 'refused', 422],
      ['Timeout', 'Timed out after 5 ms (body).', 504],
      ['StreamInterrupted', 'cut', 502],
      ['Aborted', new Aborted().message, 500],
      ['Error', 'of a test', 500],
      ['string', 'text', 500],
      ['object', '{"code":7}', 500],
      ['undefined', 'undefined', 500],
    ],
  )
  t.is(sink.spans()[0]?.error?.stack, refused.stack)
  t.is(sink.spans()[ours.length]?.error?.stack, thrown.stack)
})

test('whatever is thrown or emitted, the trace does not throw', async (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const hostile: ReadonlyArray<unknown> = [
    Object.create(null),
    proxy,
    Symbol('s'),
    10n,
    {
      get _tag(): never {
        throw new Error('getter')
      },
    },
    {
      toJSON: (): never => {
        throw new Error('toJSON')
      },
    },
    Object.assign(new Error('e'), { stack: 7, name: 8 }),
  ]
  for (const value of hostile) {
    const sink = memorySink()
    const [caught] = await new Promise<ReadonlyArray<unknown>>((resolve) => {
      concat(
        [value],
        throwError(() => value),
      )
        .pipe(passing, respanTrace('T', { sink }))
        .subscribe({ error: (error) => resolve([error]) })
    })
    t.is(caught, value)
    t.deepEqual(statusesOf(sink.spans()), ['c ok', 'T error'])
  }
})

test('a generation ends ok, left, cancelled, truncated or with the error of its stream', (t) => {
  const ends = (script: string, error?: unknown, leaveAt = 100): ReadonlyArray<string> => {
    const sink = memorySink()
    marbles(t.deepEqual, ({ scheduler, clock, flush }) => {
      const gateway = marbleGateway(script, {}, error)
      const subscription = of('hi')
        .pipe(
          respanGenerate({ model: 'm', stream: true, gateway, name: 'chat' }),
          tokens(),
          respanTrace('T', { sink, clock }),
        )
        .subscribe({ error: () => undefined })
      scheduler.schedule(() => subscription.unsubscribe(), leaveAt)
      flush()
    })
    t.deepEqual(dishonesties(sink.events), [])
    return [...statusesOf(sink.spans()), ...sink.spans().map(({ output }) => output ?? '-')]
  }
  t.deepEqual(ends('--a-b-|').slice(0, 2), ['chat ok', 'T ok'])
  t.deepEqual(ends('--a-b-|', undefined, 3).slice(0, 2), ['chat cancelled', 'T cancelled'])
  t.deepEqual(ends('--a-b-|', undefined, 1).slice(0, 2), ['chat cancelled', 'T cancelled'])
  t.deepEqual(ends('--a-#', new StreamInterrupted('cut')).slice(0, 2), ['chat truncated', 'T truncated'])
  t.deepEqual(ends('--a-#', new HttpError('no', { status: 500 })).slice(0, 2), ['chat error', 'T error'])
  t.is(ends('--a-b-|').at(-1), 'ab')
  t.is(ends('--a-b-|', undefined, 3).at(-1), 'a')
  t.is(ends('--a-#', new StreamInterrupted('cut')).at(-1), 'a')
})

test('a generation whose finish reason is read is done, though its usage may still come', async (t) => {
  const chunk = (content: string, finish_reason: string | null): GatewayEvent => ({
    _tag: 'Chunk',
    chunk: { id: 'r', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason }] },
  })
  const gateway = (finish: string | null): Gateway => ({
    name: 'g',
    kind: 'respan',
    chat: () => concat(of(chunk('all', finish)), NEVER),
  })
  const ends = (finish: string | null) =>
    endsOf(
      t,
      of('hi').pipe(
        respanGenerate({ model: 'm', stream: true, name: 'chat', gateway: gateway(finish) }),
        tokens(),
      ),
      firstValueFrom,
    )
  t.deepEqual(await ends('stop'), ['chat left', 'T left'])
  t.deepEqual(await ends(null), ['chat cancelled', 'T cancelled'])
})

// ── the law, over random pipelines and random cuts

interface Leaf {
  /** ms before each output; 0 is at once. */
  readonly gaps: ReadonlyArray<number>
  readonly end: 'complete' | 'error' | 'never' | 'throw'
}

interface Stage {
  readonly leaf: Leaf
  readonly flatten: number
  readonly form: 'component' | 'nested component' | 'traceEach' | 'traced' | 'respanTrace' | 'forked'
}

type Cut =
  | { readonly _tag: 'None' }
  | { readonly _tag: 'Take'; readonly count: number }
  | { readonly _tag: 'At'; readonly ms: number }
  | { readonly _tag: 'TakeUntilAbove'; readonly ms: number }

const FLATTENS: ReadonlyArray<Flatten> = [concatMap, mergeMap, switchMap, exhaustMap]

/** What a component's function saw of its own run. */
interface Witness {
  outputs: number
  end: 'open' | 'ok' | 'error' | 'unsubscribed'
}

const witnessed = (runs: Map<string, Witness>, leaf: () => Observable<number>): Observable<number> => {
  const id = currentSpan()?.spanId ?? 'none'
  const witness: Witness = { outputs: 0, end: 'open' }
  runs.set(id, witness)
  try {
    return leaf().pipe(
      tap({
        next: () => {
          witness.outputs++
        },
        complete: () => {
          witness.end = 'ok'
        },
        error: () => {
          witness.end = 'error'
        },
        unsubscribe: () => {
          witness.end = 'unsubscribed'
        },
      }),
    )
  } catch (error) {
    witness.end = 'error'
    throw error
  }
}

const leafOf =
  ({ gaps, end }: Leaf, clock: VirtualTimeScheduler) =>
  (value: number): Observable<number> => {
    if (end === 'throw') throw thrown
    const outputs = gaps.map((gap, i) =>
      gap === 0 ? of(value + i) : timer(gap, clock).pipe(map(() => value + i)),
    )
    const last = end === 'complete' ? EMPTY : end === 'error' ? throwError(() => thrown) : NEVER
    return concat(...outputs, last)
  }

const stageOf = (clock: VirtualTimeScheduler, runs: Map<string, Witness>, { leaf, flatten, form }: Stage) => {
  const options = { flatten: FLATTENS[flatten] ?? concatMap }
  const run = (value: number) => witnessed(runs, () => leafOf(leaf, clock)(value))
  const leafComponent = component('leaf', run, options)
  switch (form) {
    case 'component':
      return leafComponent
    case 'nested component':
      return component('outer', (value: number) => of(value).pipe(leafComponent), options)
    case 'traceEach':
      return traceEach('each', options, leafComponent)
    case 'traced':
      return traced('traced', leafComponent)
    case 'respanTrace':
      return component(
        'outer',
        (value: number) => of(value).pipe(leafComponent, respanTrace('inner')),
        options,
      )
    case 'forked':
      return component('fork', (value: number) => merge(of(value).pipe(leafComponent), of(value)), options)
  }
}

const leaf: fc.Arbitrary<Leaf> = fc.record({
  gaps: fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
  end: fc.oneof(
    { weight: 6, arbitrary: fc.constant('complete' as const) },
    { weight: 2, arbitrary: fc.constantFrom('error' as const, 'never' as const, 'throw' as const) },
  ),
})

const stage: fc.Arbitrary<Stage> = fc.record({
  leaf,
  flatten: fc.nat({ max: 3 }),
  form: fc.constantFrom('component', 'nested component', 'traceEach', 'traced', 'respanTrace', 'forked'),
})

const cut: fc.Arbitrary<Cut> = fc.oneof(
  fc.constant({ _tag: 'None' as const }),
  fc.record({ _tag: fc.constant('Take' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ _tag: fc.constant('At' as const), ms: fc.nat({ max: 12 }) }),
  fc.record({ _tag: fc.constant('TakeUntilAbove' as const), ms: fc.nat({ max: 12 }) }),
)

const played = (gap: number, stages: ReadonlyArray<Stage>, where: Cut) => {
  const sink = memorySink()
  const runs = new Map<string, Witness>()
  const seen = { outputs: 0, end: 'left', eventsBefore: 0 }
  const clock = new VirtualTimeScheduler()
  const source = gap === 0 ? of(1, 2, 3) : timer(0, gap, clock).pipe(take(3))
  const chain = stages.reduce<Observable<number>>(
    (before, each) => before.pipe(stageOf(clock, runs, each)),
    source,
  )
  const note = (): void => {
    seen.eventsBefore = sink.events.length
  }
  const root = (where._tag === 'TakeUntilAbove' ? chain.pipe(takeUntil(timer(where.ms, clock))) : chain).pipe(
    respanTrace('T', { sink, clock: virtualClock(clock) }),
    tap({
      next: () => {
        seen.outputs++
        note()
      },
      complete: () => {
        seen.end = 'ok'
      },
      error: () => {
        seen.end = 'error'
      },
    }),
  )
  const subscription = (where._tag === 'Take' ? root.pipe(take(where.count)) : root).subscribe({
    error: () => undefined,
  })
  const leave = (): void => {
    if (!subscription.closed) note()
    subscription.unsubscribe()
  }
  clock.schedule(leave, where._tag === 'At' ? where.ms : 200)
  clock.flush()
  return { sink, runs, seen }
}

testProp(
  'law: every run has exactly one honest end, wherever it is cut',
  [fc.nat({ max: 2 }), fc.array(stage, { minLength: 1, maxLength: 3 }), cut],
  (t, gap, stages, where) => {
    const { sink, runs, seen } = played(gap, stages, where)
    t.deepEqual(dishonesties(sink.events), [])
    const spans = sink.spans()
    const root = spans.at(-1)
    t.is(root?.name, 'T')

    // What each function saw of its own run is what its span says.
    const leaves = spans.filter(({ name }) => name === 'leaf')
    t.is(leaves.length, runs.size)
    for (const { spanId, status, leftEarly } of leaves) {
      const witness = runs.get(spanId)
      const left = witness?.outputs === 0 ? 'cancelled' : 'ok'
      t.is(status, witness?.end === 'ok' || witness?.end === 'error' ? witness.end : left)
      t.is(leftEarly, witness?.end === 'unsubscribed' && left === 'ok' ? true : undefined)
    }

    // What the consumer saw is what the root says; leaving cancels it exactly if it cancels something below.
    if (seen.end !== 'left') {
      t.is(root?.status, seen.end === 'ok' ? 'ok' : 'error')
      return
    }
    const ids = new Set(
      sink.events
        .slice(seen.eventsBefore)
        .flatMap((event) =>
          event._tag === 'SpanEnded' && event.status === 'cancelled' ? [event.spanId] : [],
        ),
    )
    ids.delete(root?.spanId ?? '')
    t.is(root?.status, seen.outputs === 0 || ids.size > 0 ? 'cancelled' : 'ok')
  },
  { numRuns: Number(process.env.ENDINGS_RUNS ?? 1_000) },
)

test('the random runs have every kind of end', (t) => {
  const statuses = fc
    .sample(fc.tuple(fc.nat({ max: 2 }), fc.array(stage, { minLength: 1, maxLength: 3 }), cut), {
      numRuns: 200,
      seed: 1,
    })
    .flatMap(([gap, stages, where]) => statusesOf(played(gap, stages, where).sink.spans()).slice(-1))
  for (const status of ['T ok', 'T left', 'T error', 'T cancelled'])
    t.true(statuses.filter((each) => each === status).length > 10, status)
})

test('an ended span keeps nothing of tokens that a stream which outlives it goes on to emit', (t) => {
  const events = new Subject<ReplyEvent>()
  let span: OpenSpan | null = null
  const shared$ = defer(() => {
    span = currentOpenSpan()
    return events.pipe(tokens())
  }).pipe(share())
  const texts: Array<string> = []
  of(1)
    .pipe(
      component('c', () => shared$.pipe(take(1))),
      respanTrace('T', { sink: memorySink() }),
    )
    .subscribe()
  shared$.subscribe((text) => texts.push(text))
  for (const text of ['a', 'b', 'c']) events.next({ _tag: 'TextDelta', id: 'r', choice: 0, text })
  t.deepEqual(texts, ['a', 'b', 'c'])
  t.like(span, { name: 'c', ended: true, output: { parts: undefined } })
})
