import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { testProp } from '@fast-check/ava'
import test from 'ava'
import fc from 'fast-check'
import {
  asapScheduler,
  asyncScheduler,
  auditTime,
  bufferCount,
  bufferTime,
  bufferToggle,
  bufferWhen,
  catchError,
  combineLatestWith,
  concatAll,
  concatMap,
  concatWith,
  connect,
  count,
  debounceTime,
  defaultIfEmpty,
  delay,
  delayWhen,
  dematerialize,
  distinctUntilChanged,
  EMPTY,
  elementAt,
  endWith,
  every,
  exhaustMap,
  expand,
  filter,
  finalize,
  find,
  first,
  groupBy,
  identity,
  interval,
  last,
  lastValueFrom,
  type MonoTypeOperatorFunction,
  map,
  materialize,
  merge,
  mergeAll,
  mergeMap,
  mergeScan,
  mergeWith,
  NEVER,
  Observable,
  type OperatorFunction,
  observeOn,
  of,
  onErrorResumeNextWith,
  pairwise,
  publish,
  queueScheduler,
  raceWith,
  reduce,
  refCount,
  repeat,
  retry,
  Subject,
  sampleTime,
  scan,
  share,
  shareReplay,
  skip,
  skipLast,
  skipUntil,
  startWith,
  subscribeOn,
  switchMap,
  switchScan,
  take,
  takeLast,
  takeUntil,
  takeWhile,
  tap,
  throttleTime,
  throwError,
  throwIfEmpty,
  timeInterval,
  timeout,
  timer,
  timestamp,
  toArray,
  windowCount,
  windowTime,
  withLatestFrom,
  zipWith,
} from 'rxjs'
import { type RunHelpers, TestScheduler } from 'rxjs/testing'
import { component } from '../../dist/operators/component.js'
import type { Flatten } from '../../dist/operators/Flattening.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { traced } from '../../dist/operators/traced.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { virtualClock } from '../../dist/testing/index.js'
import type { SpanEvent } from '../../dist/tracing/SpanEvent.js'
import { moduleFile } from '../helpers/moduleFile.js'
import { dishonesties } from '../helpers/traces.js'

const run = promisify(execFile)

type Op = OperatorFunction<number, number>
type Note = (what: string) => void

/** Anything as a number, so that any operator can follow any other. */
const num = (value: unknown): number => (typeof value === 'number' ? value : JSON.stringify(value).length)

const sometimes = (value: number): number => {
  if (value % 5 === 0) throw new Error(`five: ${value}`)
  return value
}

const ticks = (value: number): Observable<number> =>
  interval(2).pipe(
    take((value % 3) + 1),
    map((tick) => value + tick),
  )

const FLATTENS: ReadonlyArray<readonly [string, Flatten]> = [
  ['concatMap', concatMap],
  ['mergeMap', mergeMap],
  ['switchMap', switchMap],
  ['exhaustMap', exhaustMap],
]

/** Operators by name, each made anew for each chain: `n` is from 1 to 4. */
const OPERATORS: Readonly<Record<string, (n: number, note: Note) => Op>> = {
  map: (n) => map((v) => v + n),
  'map that throws': () => map(sometimes),
  filter: (n) => filter((v) => v % (n + 1) !== 0),
  scan: () => scan((sum, v) => sum + v, 0),
  take: (n) => take(n),
  skip: (n) => skip(n),
  takeLast: (n) => takeLast(n),
  skipLast: (n) => skipLast(n),
  takeWhile: (n) => takeWhile((v) => v < n * 3, true),
  first: () => first(),
  last: () => last(),
  elementAt: (n) => elementAt(n, 99),
  find: (n) => (source) =>
    source.pipe(
      find((v) => v > n),
      map((v) => v ?? -1),
    ),
  every: (n) => (source) =>
    source.pipe(
      every((v) => v < n * 4),
      map(Number),
    ),
  count: () => count(),
  reduce: () => reduce((sum, v) => sum + v, 0),
  toArray: () => (source) => source.pipe(toArray(), map(num)),
  pairwise: () => (source) =>
    source.pipe(
      pairwise(),
      map(([a, b]) => a * b),
    ),
  distinctUntilChanged: (n) => distinctUntilChanged((a, b) => a % n === b % n),
  startWith: (n) => startWith(n),
  endWith: (n) => endWith(n),
  defaultIfEmpty: (n) => defaultIfEmpty(n),
  throwIfEmpty: () => throwIfEmpty(() => new Error('empty')),
  delay: (n) => delay(n),
  delayWhen: (n) => delayWhen((v) => timer((v % 3) + n)),
  debounceTime: (n) => debounceTime(n),
  throttleTime: (n) => throttleTime(n, undefined, { leading: true, trailing: true }),
  auditTime: (n) => auditTime(n),
  sampleTime: (n) => sampleTime(n + 1),
  bufferCount: (n) => (source) => source.pipe(bufferCount(n, 1), map(num)),
  bufferTime: (n) => (source) => source.pipe(bufferTime(n + 1), map(num)),
  bufferWhen: (n) => (source) =>
    source.pipe(
      bufferWhen(() => timer(n + 1)),
      map(num),
    ),
  bufferToggle: (n) => (source) =>
    source.pipe(
      bufferToggle(interval(n + 1), () => timer(n)),
      map(num),
    ),
  windowCount: (n) => (source) => source.pipe(windowCount(n), mergeAll()),
  windowTime: (n) => (source) => source.pipe(windowTime(n + 1), concatAll()),
  groupBy: (n) => (source) =>
    source.pipe(
      groupBy((v) => v % n),
      mergeMap((group) => group.pipe(map((v) => v * 10 + group.key))),
    ),
  concatMap: () => concatMap(ticks),
  mergeMap: () => mergeMap(ticks),
  'mergeMap with concurrency': (n) => mergeMap(ticks, n),
  switchMap: () => switchMap(ticks),
  exhaustMap: () => exhaustMap(ticks),
  expand: (n) => expand((v) => (v < n + 3 ? timer(1).pipe(map(() => v + 2)) : EMPTY)),
  mergeScan: () => mergeScan((sum, v) => of(sum + v).pipe(delay(1)), 0),
  switchScan: () => switchScan((sum, v) => of(sum + v).pipe(delay(1)), 0),
  retry: (n) => retry(n),
  'retry with delay': (n) => retry({ count: 1, delay: n }),
  repeat: (n) => repeat(n),
  'repeat with delay': (n) => repeat({ count: 2, delay: n }),
  catchError: (n) => catchError(() => of(n, n + 1)),
  'catchError that tries again': (n) => {
    let tries = 0
    return catchError((_, caught) => (++tries < 3 ? caught.pipe(take(n)) : EMPTY))
  },
  onErrorResumeNextWith: (n) => onErrorResumeNextWith(of(n)),
  share: () => share(),
  shareReplay: () => shareReplay({ bufferSize: 1, refCount: true }),
  'publish and refCount': () => (source) => source.pipe(publish(), refCount()),
  connect: (n) => connect((shared) => merge(shared, shared.pipe(delay(n)))),
  'observeOn asap': () => observeOn(asapScheduler),
  'observeOn async': (n) => observeOn(asyncScheduler, n),
  'observeOn queue': () => observeOn(queueScheduler),
  'subscribeOn asap': () => subscribeOn(asapScheduler),
  'subscribeOn async': (n) => subscribeOn(asyncScheduler, n),
  timeout: (n) => timeout({ each: n + 3, with: () => of(n) }),
  takeUntil: (n) => takeUntil(timer(n * 5)),
  skipUntil: (n) => skipUntil(timer(n)),
  combineLatestWith: (n) => (source) =>
    source.pipe(
      combineLatestWith(interval(n).pipe(take(3))),
      map(([a, b]) => a + b),
    ),
  withLatestFrom: (n) => (source) =>
    source.pipe(
      withLatestFrom(interval(n)),
      map(([a, b]) => a + b),
    ),
  zipWith: (n) => (source) =>
    source.pipe(
      zipWith(interval(n)),
      map(([a, b]) => a + b),
    ),
  mergeWith: (n) => mergeWith(timer(n)),
  concatWith: (n) => concatWith(timer(n), of(n)),
  raceWith: (n) => raceWith(timer(n)),
  'materialize and dematerialize': () => (source) => source.pipe(materialize(), delay(1), dematerialize()),
  timestamp: () => (source) =>
    source.pipe(
      timestamp(),
      map(({ value, timestamp: at }) => value + at),
    ),
  timeInterval: () => (source) =>
    source.pipe(
      timeInterval(),
      map(({ value, interval: since }) => value + since),
    ),
  finalize: (_, note) => finalize(() => note('finalize')),
  tap: (_, note) =>
    tap({
      subscribe: () => note('subscribe'),
      next: (v) => note(`next ${v}`),
      error: (error) => note(String(error)),
      complete: () => note('complete'),
      unsubscribe: () => note('unsubscribe'),
    }),
}

const SOURCES: ReadonlyArray<(helpers: RunHelpers) => Observable<number>> = [
  () => of(1, 2, 3, 4),
  () => EMPTY,
  () => throwError(() => new Error('at once')),
  () => interval(1),
  ({ cold }) => cold('a-b-(cd)e|', { a: 1, b: 2, c: 3, d: 4, e: 5 }),
  ({ cold }) => cold('-ab--#', { a: 3, b: 4 }, new Error('late')),
  ({ hot }) => hot('--a-b-c-d--e|', { a: 6, b: 7, c: 8, d: 9, e: 10 }),
  ({ hot }) => hot('---a--b-c#', { a: 2, b: 4, c: 6 }, new Error('hot')),
  () => interval(2).pipe(take(5), share()),
  () => merge(of(1), timer(3), timer(3)),
  () => {
    // Re-entrant: feeds itself while it emits.
    const again = new Subject<number>()
    return merge(
      again,
      timer(1).pipe(
        tap(() => again.next(1)),
        filter((v) => v < 0),
      ),
    ).pipe(
      tap((v) => {
        if (v < 4) again.next(v + 1)
      }),
    )
  },
]

interface Step {
  readonly name: string
  readonly n: number
  /** Under a span of its own in the traced runs. */
  readonly wrapped: boolean
}

interface Chain {
  readonly source: number
  readonly steps: ReadonlyArray<Step>
  /** When the first subscriber leaves; the second comes three frames late and leaves at the end. */
  readonly leave: number
}

interface Mode {
  readonly deep: boolean
  readonly asyncContext: boolean
}

const END = 60

// RxJS 7's TestScheduler loses an interval that is rescheduled and left at the same moment: `windowTime` under a
// hot `interval` does it, with no operator of ours in sight. Such chains prove nothing.
const isBroken = (spec: Chain): boolean => {
  try {
    played(spec, undefined)
    return false
  } catch {
    return true
  }
}

const COMPONENT = /^component (\w+)$/

const flattenOf = (name: string): Flatten | undefined => {
  const flatten = COMPONENT.exec(name)?.[1]
  return FLATTENS.find(([known]) => known === flatten)?.[1]
}

const operatorOf = ({ name, n, wrapped }: Step, mode: Mode | undefined, note: Note): Op => {
  const flatten = flattenOf(name)
  if (flatten !== undefined) return mode === undefined ? flatten(ticks) : component(name, ticks, { flatten })
  const operator = OPERATORS[name]?.(n, note) ?? identity
  return wrapped && mode !== undefined ? traced(name, operator) : operator
}

/** Everything that two subscribers and the operators' own functions saw, each with its virtual time. */
const played = ({ source, steps, leave }: Chain, mode: Mode | undefined) => {
  const scheduler = new TestScheduler(() => undefined)
  const seen: Array<string> = []
  const sink = memorySink()
  scheduler.run((helpers) => {
    const note: Note = (what) => seen.push(`${scheduler.now()} ${what}`)
    const start = SOURCES[source]?.(helpers) ?? EMPTY
    const chain = steps.reduce<Observable<number>>(
      (before, step) => before.pipe(operatorOf(step, mode, note)),
      start,
    )
    const root =
      mode === undefined
        ? identity
        : respanTrace<number>('T', { sink, clock: virtualClock(scheduler), ...mode })
    const result = chain.pipe(root)
    const subscribe = (who: string) =>
      result.subscribe({
        next: (value) => note(`${who} ${value}`),
        error: (error) => note(`${who} ${error}`),
        complete: () => note(`${who} |`),
      })
    const first = subscribe('first')
    scheduler.schedule(() => first.unsubscribe(), leave)
    scheduler.schedule(() => {
      const second = subscribe('second')
      scheduler.schedule(() => second.unsubscribe(), END)
    }, 3)
    helpers.flush()
  })
  return { seen, events: sink.events as ReadonlyArray<SpanEvent> }
}

// A multicast belongs to its first subscriber, and can outlive it; `onErrorResumeNextWith` tears down after it goes on.
const LATE: ReadonlySet<string> = new Set([
  'share',
  'shareReplay',
  'publish and refCount',
  'connect',
  'onErrorResumeNextWith',
])

const TOO_LATE = /ends before what is below|under no open parent/

const outlives = ({ steps }: Chain): boolean => steps.some(({ name }) => LATE.has(name))

const MODES: ReadonlyArray<Mode> = [
  { deep: true, asyncContext: true },
  { deep: false, asyncContext: true },
  { deep: true, asyncContext: false },
]

const NAMES = [...Object.keys(OPERATORS), ...FLATTENS.map(([name]) => `component ${name}`)]

const step: fc.Arbitrary<Step> = fc.record({
  name: fc.constantFrom(...NAMES),
  n: fc.integer({ min: 1, max: 4 }),
  wrapped: fc.boolean(),
})

const chain: fc.Arbitrary<Chain> = fc.record({
  source: fc.nat({ max: SOURCES.length - 1 }),
  steps: fc.array(step, { maxLength: 6 }),
  leave: fc.integer({ min: 1, max: END }),
})

testProp(
  'law: tracing leaves every notification and every side effect as and when it was',
  [chain],
  (t, spec) => {
    fc.pre(!isBroken(spec))
    const plain = played(spec, undefined)
    for (const mode of MODES) {
      const { seen, events } = played(spec, mode)
      t.deepEqual(seen, plain.seen)
      const wrong = dishonesties(events).filter((what) => !(outlives(spec) && TOO_LATE.test(what)))
      t.deepEqual(wrong, [])
    }
  },
  { numRuns: Number(process.env.TRANSPARENCY_RUNS ?? 200) },
)

for (const name of NAMES) {
  test(`leaves ${name} as it is, under every source`, (t) => {
    for (const source of SOURCES.keys()) {
      for (const wrapped of [false, true]) {
        const spec: Chain = { source, steps: [{ name, n: 2, wrapped }], leave: 7 }
        const plain = played(spec, undefined)
        for (const mode of MODES) t.deepEqual(played(spec, mode).seen, plain.seen)
      }
    }
  })
}

const plainly = (name: string): Step => ({ name, n: 2, wrapped: false })

test('leaves what is torn down in its order, whatever stands between', (t) => {
  for (const name of NAMES) {
    for (const source of SOURCES.keys()) {
      const spec: Chain = { source, steps: [plainly('tap'), plainly(name), plainly('finalize')], leave: 7 }
      if (isBroken(spec)) continue
      const plain = played(spec, undefined)
      for (const mode of MODES)
        t.deepEqual(played(spec, mode).seen, plain.seen, `${name} under source ${source}`)
    }
  }
})

test('leaves finalizers of later inner observables, and producers that leave, as they are', (t) => {
  const feed = new Subject<number>()
  const leaving = new Observable<number>((subscriber) => {
    subscriber.next(1)
    subscriber.unsubscribe()
    subscriber.next(2)
  })
  const chains: ReadonlyArray<(note: Note) => Observable<unknown>> = [
    (note) =>
      feed.pipe(
        mergeMap((n) => NEVER.pipe(finalize(() => note(`inner ${n}`)))),
        finalize(() => note('outer')),
      ),
    (note) =>
      leaving.pipe(
        tap((n) => note(`next ${n}`)),
        finalize(() => note('left')),
      ),
    (note) =>
      leaving.pipe(
        groupBy((n) => n),
        mergeAll(),
        tap((n) => note(`next ${n}`)),
        finalize(() => note('left')),
      ),
  ]
  const seenIn = (chain: (note: Note) => Observable<unknown>, mode: Mode | undefined) => {
    const seen: Array<string> = []
    const made = chain((what) => seen.push(what))
    const run = (
      mode === undefined ? made : made.pipe(respanTrace('T', { sink: memorySink(), ...mode }))
    ).subscribe()
    feed.next(1)
    feed.next(2)
    run.unsubscribe()
    return seen
  }
  for (const chain of chains)
    for (const mode of MODES) t.deepEqual(seenIn(chain, mode), seenIn(chain, undefined))
})

test('what a source takes back from its subscriber is not torn down', (t) => {
  const tornDown: Array<string> = []
  const kept = (): void => void tornDown.push('kept')
  const takenBack = (): void => void tornDown.push('taken back')
  const source = new Observable<number>((subscriber) => {
    subscriber.add(kept)
    subscriber.add(takenBack)
    subscriber.remove(takenBack)
    subscriber.complete()
  })
  source.pipe(skip(0), respanTrace('T', { sink: memorySink() })).subscribe()
  t.deepEqual(tornDown, ['kept'])
})

test('the random chains do emit, fail, complete and leave', (t) => {
  const ends = fc
    .sample(chain, { numRuns: 200, seed: 1 })
    .filter((spec) => !isBroken(spec))
    .map((spec) => played(spec, undefined).seen.filter((line) => line.includes('first')))
  t.true(ends.filter((lines) => lines.length > 1).length > 50)
  t.true(ends.filter((lines) => lines.at(-1)?.endsWith('|')).length > 20)
  t.true(ends.filter((lines) => lines.at(-1)?.includes('Error')).length > 20)
  t.true(NAMES.length > 60)
})

// Vue makes one of every object that becomes part of a state.
test('a Proxy of an observable is as good as that', async (t) => {
  const of7 = component('of7', () => of(7))
  const operators: ReadonlyArray<MonoTypeOperatorFunction<number>> = [
    of7,
    traced('traced', of7),
    (source) => source.pipe(of7, respanTrace('flow', { sink: memorySink() })),
  ]
  for (const operator of operators) {
    const proxied = new Proxy(of(1).pipe(operator), {})
    t.is(await lastValueFrom(proxied), 7)
    t.is(await lastValueFrom(proxied.pipe(respanTrace('outer', { sink: memorySink() }))), 7)
  }
})

// Next.js's Edge Runtime is one.
test('a runtime whose functions of Node throw when they are called changes nothing', async (t) => {
  const script = `
    const refuse = () => {
      throw new Error('not supported in this runtime')
    }
    globalThis.process = { env: {}, getBuiltinModule: refuse, emitWarning: refuse, emit: refuse, on: refuse, off: refuse }
    const { component, memorySink, respanTrace } = await import('respan-rx')
    const { of } = await import('rxjs')
    const sink = memorySink()
    of(7)
      .pipe(component('inner', (n) => of(n)), respanTrace('outer', { sink, onStart: refuse }))
      .subscribe({ next: (n) => console.log(n), error: (error) => console.log(error.message) })
    console.log(...sink.spans().map(({ name, status }) => name + ' ' + status))
  `
  const { stdout, stderr } = await run(process.execPath, [moduleFile(t, script)])
  t.is(stdout, '7\ninner ok outer ok\n')
  t.regex(stderr, /^\[RESPAN_TRACE\] outer: onStart threw: not supported/)
})
