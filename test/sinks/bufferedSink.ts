import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { isLeft, isRight, right } from 'fp-ts/lib/Either.js'
import {
  asyncScheduler,
  EMPTY,
  firstValueFrom,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  type SchedulerLike,
  Subject,
  Subscription,
  throwError,
  timer,
} from 'rxjs'
import { filter, map, switchMap } from 'rxjs/operators'
import { TestScheduler } from 'rxjs/testing'
import {
  Aborted,
  HttpError,
  InvalidInput,
  InvalidResponse,
  MissingApiKey,
  NetworkError,
  RateLimited,
  StreamInterrupted,
  Timeout,
} from '../../dist/errors.js'
import { component } from '../../dist/operators/component.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import type { BufferPolicy } from '../../dist/sinks/BufferPolicy.js'
import { bufferedSink } from '../../dist/sinks/bufferedSink.js'
import type { SpoolStore } from '../../dist/sinks/Spool.js'
import type { Receipt, Transport } from '../../dist/sinks/Transport.js'
import { currentSpan } from '../../dist/tracing/currentSpan.js'
import type { Sink, SinkStats } from '../../dist/tracing/Sink.js'
import type { Span, SpanEnded, SpanStarted } from '../../dist/tracing/SpanEvent.js'
import { type Answers, refusing, rig, status, taken } from '../helpers/buffer.js'
import { memorySpool } from '../helpers/memorySpool.js'
import {
  accounted,
  ended,
  finish,
  finishWith,
  idOf,
  NOTHING,
  numberOf,
  range,
  started,
  virtualTime,
} from '../helpers/spans.js'

const failing = <A extends object>(value: A, field: string): A =>
  Object.defineProperty(value, field, {
    enumerable: true,
    get: () => {
      throw new Error('no')
    },
  })

// ── batches

test('sends what has ended when the oldest has waited for maxDelay', (t) => {
  const { time, sink, sent } = rig(t)
  finish(sink, 1)
  time.pass(600)
  finish(sink, 2, 3)
  time.pass(399)
  t.deepEqual(sent, [])
  time.pass(1)
  t.deepEqual(sent, [{ at: 1_000, spans: [1, 2, 3], keepalive: false }])
  t.like(sink.stats(), { accepted: 3, delivered: 3, queued: 0, inFlight: 0 })
})

test('sends a full batch at once, but not in the tick of its last span', (t) => {
  const { time, sink, sent } = rig(t, undefined, { maxBatchSize: 3 })
  finish(sink, 1, 2, 3, 4)
  t.deepEqual(sent, [])
  time.pass(0)
  t.deepEqual(
    sent.map(({ spans }) => spans),
    [[1, 2, 3]],
  )
  time.pass(1_000)
  t.deepEqual(sent.map(({ at, spans }) => ({ at, spans })).at(-1), { at: 1_000, spans: [4] })
})

test('sends a batch when it has enough bytes, and never more of them than that', (t) => {
  const { time, sink, sizes } = rig(t, undefined, { maxBatchBytes: 10_000 })
  finishWith(sink, 3_000, ...range(1, 5))
  time.pass(0)
  t.deepEqual(sizes(), [2, 2])
  time.pass(1_000)
  t.deepEqual(sizes(), [2, 2, 1])
})

test('a span that is larger than a batch goes alone', (t) => {
  const { time, sink, sizes } = rig(t, undefined, { maxBatchBytes: 1_000 })
  sink.next(started(1, { input: 'x'.repeat(5_000) }))
  sink.next(ended(1))
  finish(sink, 2)
  time.pass(2_000)
  t.deepEqual(sizes(), [1, 1])
})

test('holds no timer before the first finished span, and one for however many then', (t) => {
  const { time, sink } = rig(t)
  sink.next(started(1))
  t.is(time.scheduler.actions.length, 0)
  sink.next(ended(1))
  finish(sink, ...range(2, 50))
  t.is(time.scheduler.actions.length, 1)
  time.pass(1_000)
  t.is(time.scheduler.actions.length, 0)
})

test('delivers a burst of 10,000 spans in one turn, in order', (t) => {
  const { time, sink, sent } = rig(t, () => timer(5, time.scheduler).pipe(map(() => ({ rejected: [] }))))
  finish(sink, ...range(1, 10_000))
  time.pass(2_000)
  t.is(sent.length, 100)
  t.deepEqual(
    sent.flatMap(({ spans }) => spans),
    range(1, 10_000),
  )
  t.like(sink.stats(), { accepted: 10_000, delivered: 10_000, dropped: 0 })
})

test('a transport that answers in the same tick does not grow the stack', (t) => {
  const { time, sink } = rig(t, undefined, { maxBatchSize: 1, maxQueueSize: 50_000 })
  finish(sink, ...range(1, 50_000))
  time.pass(1_000)
  t.is(sink.stats().delivered, 50_000)
})

test('has at most maxInFlight requests under way', (t) => {
  const inFlight: Array<number> = []
  let under = 0
  const { time, sink } = rig(
    t,
    () =>
      new Observable<Receipt>((subscriber) => {
        inFlight.push(++under)
        return timer(10, time.scheduler)
          .pipe(map(() => ({ rejected: [] })))
          .subscribe(subscriber)
          .add(() => under--)
      }),
    { maxBatchSize: 1, maxInFlight: 3 },
  )
  finish(sink, ...range(1, 20))
  time.pass(1_000)
  t.is(Math.max(...inFlight), 3)
  t.is(sink.stats().delivered, 20)
})

// Each ends there with the request that flushed it, which is over once its own spans are delivered.
test.serial("in one of Cloudflare's Workers, a flush waits for no request but its own", async (t) => {
  const { navigator } = globalThis
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'Cloudflare-Workers' },
    configurable: true,
  })
  t.teardown(() => Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true }))
  const answers = new Subject<Receipt>()
  const { sink, sizes } = rig(t, () => answers)
  finish(sink, 1, 2)
  void sink.flush()
  await undefined
  finish(sink, 3)
  void sink.flush()
  await undefined
  t.deepEqual(sizes(), [2, 1])
  answers.next({ rejected: [] })
  t.is(sink.stats().delivered, 3)
})

test('a request that a runtime has ended, with all its timers, is over for the next flush', async (t) => {
  let now = 0
  const dead: SchedulerLike = { now: () => now, schedule: () => new Subscription() }
  const { sink, sizes } = rig(t, (_, attempt) => (attempt === 1 ? NEVER : undefined), {
    scheduler: dead,
    timeout: 5_000,
  })
  finish(sink, 1, 2)
  void sink.flush()
  await undefined
  now = 4_999
  void sink.flush()
  await undefined
  t.deepEqual(sizes(), [2])
  now = 5_000
  t.deepEqual(await sink.flush(), right({ ...NOTHING, delivered: 2 }))
})

test('a flush tries again also when the timer that was set has ended with its request', async (t) => {
  const actions = new Set<{ readonly at: number; readonly work: () => void }>()
  let now = 0
  const scheduler: SchedulerLike = {
    now: () => now,
    schedule: (work, delay = 0) => {
      const action = { at: now + delay, work: () => Reflect.apply(work, undefined, []) }
      actions.add(action)
      return new Subscription(() => actions.delete(action))
    },
  }
  const { sink, sizes } = rig(t, (_, attempt) => (attempt < 3 ? status(503) : undefined), {
    scheduler,
    maxBatchSize: 1,
  })
  finish(sink, 1)
  void sink.flush()
  await undefined
  // The request is over, and a minute later there is another one.
  actions.clear()
  now = 60_000
  finish(sink, 2)
  const flushed = sink.flush()
  await undefined
  for (let step = 0; step < 100; step++) {
    now += 100
    for (const action of actions) if (action.at <= now && actions.delete(action)) action.work()
  }
  t.deepEqual(await flushed, right({ ...NOTHING, delivered: 2 }))
  t.deepEqual(sizes(), [1, 1, 1, 1])
})

test('spans that ended while a request was under way go out when it is done, once they are due', (t) => {
  const { time, sink, sent } = rig(t, () => timer(3_000, time.scheduler).pipe(map(() => ({ rejected: [] }))))
  finish(sink, 1)
  time.pass(1_500)
  finish(sink, 2)
  time.pass(5_000)
  t.deepEqual(
    sent.map(({ at }) => at),
    [1_000, 4_000],
  )
})

// ── retries, as marbles: one character is a request and what came of it

const marbles = (
  body: (helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0], scheduler: TestScheduler) => void,
) => {
  return (t: { deepEqual: (actual: unknown, expected: unknown) => boolean }) => {
    const scheduler = new TestScheduler((actual, expected) => void t.deepEqual(actual, expected))
    scheduler.run((helpers) => body(helpers, scheduler))
  }
}

const watched = (
  scheduler: TestScheduler,
  answer: (attempt: number) => Observable<Receipt>,
  policy: BufferPolicy = {},
): { readonly sink: Sink; readonly attempt$: Subject<string> } => {
  const attempt$ = new Subject<string>()
  let attempt = 0
  const transport: Transport = (batch) => {
    attempt$.next(String(batch.length))
    return answer(++attempt)
  }
  const sink = bufferedSink(transport, {
    scheduler,
    random: () => 0.5,
    onWarning: () => undefined,
    ...policy,
  })
  return { sink, attempt$ }
}

test(
  'waits twice as long after each failure, up to maxDelay, times a random factor',
  marbles(({ cold, expectObservable }, scheduler) => {
    const failing = cold<Receipt>('#', {}, new NetworkError('no'))
    const { sink, attempt$ } = watched(
      scheduler,
      (n) => (n < 6 ? failing : cold('(r|)', { r: { rejected: [] } })),
      {
        retry: { delay: 100, maxDelay: 500 },
      },
    )
    cold('a').subscribe(() => finish(sink, 1))
    // 1000 ms maxDelay, then half of 100, 200, 400, 500 and 500 ms.
    expectObservable(attempt$).toBe('1s 1 49ms 1 99ms 1 199ms 1 249ms 1 249ms 1')
  }),
)

test(
  'waits as long as the server says, in place of its own backoff',
  marbles(({ cold, expectObservable }, scheduler) => {
    const errors = [
      new RateLimited('slow down', { retryAfter: 7_000 }),
      Object.assign(new NetworkError('busy'), { retryAfter: 300 }),
    ]
    const { sink, attempt$ } = watched(scheduler, (n) => {
      const error = errors[n - 1]
      return error === undefined ? of({ rejected: [] }) : throwError(() => error)
    })
    cold('a').subscribe(() => finish(sink, 1))
    expectObservable(attempt$).toBe('1s 1 6999ms 1 299ms 1')
  }),
)

test('waits as by its own backoff for what an error says that is no time', (t) => {
  for (const retryAfter of [-1, Number.NaN, '7']) {
    const busy = throwError(() => Object.assign(new NetworkError('busy'), { retryAfter }))
    const { time, sink, sent } = rig(t, (_, attempt) => (attempt === 1 ? busy : undefined))
    finish(sink, 1)
    time.pass(10_000)
    t.deepEqual(
      sent.map(({ at }) => at),
      [1_000, 1_500],
    )
  }
})

test('a request that fails later does not cut short what the server asked for in answer to another', (t) => {
  const limited = throwError(() => new RateLimited('slow down', { retryAfter: 60_000 }))
  const { time, sink, sent } = rig(
    t,
    (_, attempt) => {
      if (attempt > 2) return undefined
      return timer(attempt * 10, time.scheduler).pipe(
        switchMap(() => (attempt === 1 ? limited : status(503))),
      )
    },
    { maxBatchSize: 1, maxInFlight: 2 },
  )
  finish(sink, 1, 2)
  time.pass(60_009)
  t.is(sent.length, 2)
  time.pass(1)
  t.deepEqual(sent.map(({ at }) => at).slice(2), [60_010, 60_010])
  t.is(sink.stats().delivered, 2)
})

test('a failure that may pass does not end a pause', async (t) => {
  const { time, sink, sent } = rig(
    t,
    (_, attempt) =>
      timer(attempt * 10, time.scheduler).pipe(switchMap(() => status(attempt === 1 ? 401 : 503))),
    { maxBatchSize: 1, maxInFlight: 2 },
  )
  finish(sink, 1, 2)
  const flushed = sink.flush()
  await time.settle()
  time.pass(20)
  // Nobody waits for a server that is paused.
  t.like(await flushed, { _tag: 'Left', left: { report: { queued: 2 } } })
  t.is(sent.length, 2)
})

for (const [code, waits] of [
  [503, [50, 100, 200, 400, 800]],
  // No less than the pause of a server that refuses us.
  [401, [100, 100, 200, 400, 800]],
] as const)
  test(`HTTP ${code} that wants to be asked at once, again and again, is asked less and less often`, (t) => {
    const { time, sink, sent } = rig(t, () =>
      throwError(() => new HttpError('no', { status: code, retryAfter: 0 })),
    )
    finish(sink, 1)
    time.pass(3_000)
    const gaps = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0))
    t.deepEqual(gaps, waits)
  })

test('batches that failed together are sent again in order of age', (t) => {
  const { time, sink, sent } = rig(
    t,
    (_, attempt) => (attempt > 3 ? undefined : timer(10, time.scheduler).pipe(switchMap(() => status(503)))),
    { maxBatchSize: 2, maxInFlight: 3 },
  )
  finish(sink, ...range(1, 8))
  time.pass(10_000)
  t.is(sent[2]?.at, 0)
  t.deepEqual(
    sent.slice(3).flatMap(({ spans }) => spans),
    range(1, 8),
  )
})

for (const [how, landing] of [
  ['at once', () => 10],
  ['one after the other', (attempt: number) => attempt * 2_000],
] as const)
  test(`requests that were under way together and fail ${how} count as one failure`, (t) => {
    const wait = (maxInFlight: number): number => {
      const { time, sink, sent } = rig(
        t,
        (_, attempt) =>
          attempt > maxInFlight
            ? undefined
            : timer(landing(attempt), time.scheduler).pipe(switchMap(() => status(503))),
        { maxBatchSize: 1, maxInFlight },
      )
      finish(sink, ...range(1, 5))
      time.pass(60_000)
      t.is(sink.stats().delivered, 5)
      return (sent[maxInFlight]?.at ?? 0) - landing(maxInFlight)
    }
    t.is(wait(5), wait(1))
  })

test('a failure after an answer counts, although its request was sent before', (t) => {
  const { time, sink, sent } = rig(
    t,
    (_, attempt) =>
      timer(attempt, time.scheduler).pipe(
        switchMap(() => (attempt === 1 || attempt === 3 ? status(503) : taken)),
      ),
    { maxBatchSize: 1, maxInFlight: 3 },
  )
  finish(sink, ...range(1, 6))
  time.pass(60_000)
  // The next one probes, alone.
  t.is(sent.filter(({ at }) => at <= (sent[3]?.at ?? 0)).length, 4)
})

test('a failure counts although rejected spans slow the sink down', (t) => {
  const { time, sink, sent } = rig(
    t,
    (_, attempt) => timer(attempt, time.scheduler).pipe(switchMap(() => status(attempt <= 20 ? 400 : 503))),
    { maxBatchSize: 1, maxInFlight: 21 },
  )
  finish(sink, ...range(1, 23))
  time.pass(60_000)
  // Those of the first wave, and one that probes.
  t.is(sent.filter(({ at }) => at <= (sent[23]?.at ?? 0)).length, 24)
})

test('an outage of minutes loses nothing, although the server wants to be asked at once', (t) => {
  let isDown = true
  const busy = throwError(() => new HttpError('no', { status: 503, retryAfter: 0 }))
  const { time, sink } = rig(t, () => (isDown ? busy : undefined))
  finish(sink, 1, 2)
  time.pass(120_000)
  isDown = false
  time.pass(30_000)
  t.like(sink.stats(), { delivered: 2, dropped: 0 })
})

test(
  'new spans do not go around a server that asked for time',
  marbles(({ cold, expectObservable }, scheduler) => {
    const { sink, attempt$ } = watched(scheduler, (n) =>
      n === 1 ? throwError(() => new RateLimited('slow down', { retryAfter: 5_000 })) : of({ rejected: [] }),
    )
    cold('a').subscribe(() => finish(sink, 1))
    cold('2s b').subscribe(() => finish(sink, 2, 3))
    expectObservable(attempt$).toBe('1s 1 4999ms (12)')
  }),
)

test(
  'an attempt without an answer is given up after timeout, and made again',
  marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
    const silent = cold<Receipt>('')
    const { sink, attempt$ } = watched(scheduler, (n) => (n === 1 ? silent : of({ rejected: [] })), {
      timeout: 200,
      retry: { delay: 100 },
    })
    cold('a').subscribe(() => finish(sink, 1))
    expectObservable(attempt$).toBe('1s 1 249ms 1')
    expectSubscriptions(silent.subscriptions).toBe('1s ^ 199ms !')
  }),
)

test('drops a batch after retry.count further attempts, and says so once', (t) => {
  const { time, sink, sent, warnings } = rig(t, () => status(503), { retry: { count: 2 } })
  finish(sink, 1, 2)
  time.pass(60_000)
  t.is(sent.length, 3)
  t.like(sink.stats(), { dropped: 2, queued: 0 })
  t.deepEqual(
    warnings.map(({ code, message }) => [code, message]),
    [['RESPAN_DELIVERY', 'test: 2 spans dropped: HttpError: HTTP 503: no']],
  )
})

test('drops a batch when its next attempt would be after retry.deadline', (t) => {
  const { time, sink, sent } = rig(t, () => status(503), { retry: { delay: 1_000, deadline: 2_000 } })
  finish(sink, 1)
  time.pass(100_000)
  // Attempts after 0, 500 and 1500 ms; the next one would be after 3500.
  t.deepEqual(
    sent.map(({ at }) => at),
    [1_000, 1_500, 2_500],
  )
  t.is(sink.stats().dropped, 1)
})

test('retry.deadline leaves time for the ten minutes that a server may ask for, however long its answer took', (t) => {
  const busy = new HttpError('HTTP 503: busy', { status: 503, retryAfter: 600_000 })
  const { time, sink, sent } = rig(t, () =>
    timer(900, time.scheduler).pipe(switchMap(() => throwError(() => busy))),
  )
  finish(sink, 1)
  time.pass(700_000)
  t.deepEqual(
    sent.map(({ at }) => at),
    [1_000, 601_900],
  )
})

test('count 0 never sends again, but gives the server its pause', (t) => {
  const { time, sink, sent } = rig(t, () => status(500), { maxBatchSize: 1, retry: { count: 0, delay: 400 } })
  finish(sink, 1, 2)
  time.pass(10_000)
  t.deepEqual(
    sent.map(({ at, spans }) => [at, ...spans]),
    [
      [0, 1],
      [200, 2],
    ],
  )
  t.is(sink.stats().dropped, 2)
})

test('retry.statuses replaces the statuses that may pass', (t) => {
  const retried = rig(t, (_, attempt) => (attempt === 1 ? status(403) : undefined), {
    retry: { statuses: [403] },
  })
  finish(retried.sink, 1, 2)
  retried.time.pass(10_000)
  t.deepEqual(retried.sizes(), [2, 2])
  const paused = rig(t, () => status(500), { retry: { statuses: [403] } })
  finish(paused.sink, 1, 2)
  paused.time.pass(3_000)
  t.deepEqual(paused.sizes().slice(0, 2), [2, 1])
})

// ── each class of answer

const passing: ReadonlyArray<readonly [string, Observable<never>]> = [
  ...[408, 409, 425, 429, 500, 502, 503, 504, 529].map((code) => [`HTTP ${code}`, status(code)] as const),
  ['RateLimited', throwError(() => new RateLimited('no', {}))],
  ['Timeout', throwError(() => new Timeout('headers', 1))],
  ['NetworkError', throwError(() => new NetworkError('refused'))],
  ['StreamInterrupted', throwError(() => new StreamInterrupted('reset'))],
  ['an error that is none of ours', throwError(() => new TypeError('what'))],
  ['a thrown string', throwError(() => 'what')],
]

for (const [title, answer] of passing)
  test(`${title} may pass: the same batch is sent again`, (t) => {
    const { time, sink, sent, warnings } = rig(t, (_, attempt) => (attempt === 1 ? answer : undefined))
    finish(sink, 1, 2, 3)
    time.pass(1_000)
    t.like(sink.stats(), { queued: 3, delivered: 0 })
    time.pass(1_000)
    t.deepEqual(
      sent.map(({ at, spans }) => [at, ...spans]),
      [
        [1_000, 1, 2, 3],
        [1_500, 1, 2, 3],
      ],
    )
    t.like(sink.stats(), { delivered: 3 })
    t.deepEqual(warnings, [])
  })

const lasting: ReadonlyArray<readonly [string, Observable<never>]> = [
  ...[0, 301, 302, 307, 308, 401, 402, 403, 404, 405, 410, 415, 451].map(
    (code) => [`HTTP ${code}`, status(code)] as const,
  ),
  ['an exhausted quota', throwError(() => new RateLimited('no', { code: 'insufficient_quota' }))],
  ['a bill at its limit', throwError(() => new RateLimited('no', { code: 'billing_hard_limit_reached' }))],
]

for (const [title, answer] of lasting)
  test(`${title} pauses: all is kept, told once, and probed with one span`, (t) => {
    const { time, sink, sent, sizes, warnings } = rig(t, (_, attempt) => (attempt < 4 ? answer : undefined))
    finish(sink, ...range(1, 5))
    time.pass(1_000)
    finish(sink, ...range(6, 9))
    t.like(sink.stats(), { queued: 9, dropped: 0, rejected: 0 })
    time.pass(60_000)
    // Waits of half of 1, 2 and 4 seconds; then the probe is taken, and the rest follows at once.
    t.deepEqual(sizes(), [5, 1, 1, 1, 4, 4])
    t.deepEqual(
      sent.map(({ at }) => at),
      [1_000, 1_500, 2_500, 4_500, 4_500, 4_500],
    )
    t.like(sink.stats(), { delivered: 9 })
    t.is(warnings.length, 1)
    t.regex(warnings[0]?.message ?? '', /^test: paused; 5 spans kept and retried from time to time: \w+: ./)
  })

test('a pause does not count against a batch', (t) => {
  const { time, sink } = rig(t, (_, attempt) => (attempt < 30 ? status(401) : undefined), {
    retry: { count: 1, deadline: 1_000 },
  })
  finish(sink, 1)
  time.pass(1_000_000)
  t.is(sink.stats().delivered, 1)
})

test('probes a paused server with some restraint, whatever policy and server say', (t) => {
  const later = throwError(() => Object.assign(new HttpError('no', { status: 401 }), { retryAfter: 0 }))
  const { time, sink, sent } = rig(t, (_, attempt) => (attempt % 2 === 0 ? later : status(401)), {
    retry: { delay: 0 },
  })
  finish(sink, 1)
  time.pass(3_000)
  t.is(sent.length, 21)
})

for (const code of [429, 503, 403])
  test(`HTTP ${code} that asks for a day is asked again after ten minutes`, (t) => {
    let isDown = true
    const refused = throwError(() => new HttpError('no', { status: code, retryAfter: 86_400_000 }))
    const { time, sink, sent } = rig(t, () => (isDown ? refused : undefined), { maxDelay: 0 })
    finish(sink, 1)
    time.pass(1)
    isDown = false
    finish(sink, 2)
    time.pass(599_000)
    t.is(sent.length, 1)
    time.pass(2_000)
    t.true(sent.length > 1)
    t.like(sink.stats(), { queued: 0, delivered: 2 })
  })

for (const code of [400, 413])
  test(`HTTP ${code} for the one span that asks ends a pause as well`, (t) => {
    const answers = [status(401), status(code)]
    const { time, sink, sizes } = rig(t, (_, attempt) => answers[attempt - 1])
    finish(sink, ...range(1, 5))
    time.pass(60_000)
    t.deepEqual(sizes(), [5, 1, 4])
    t.like(sink.stats(), { rejected: 1, delivered: 4 })
  })

test('a pause that comes again is told again, but not within a minute', (t) => {
  const { time, sink, warnings } = rig(t, (_, attempt) => (attempt % 2 === 1 ? status(401) : undefined))
  for (const number of range(1, 100)) {
    finish(sink, number)
    time.pass(6_000)
  }
  t.is(sink.stats().delivered, 100)
  t.is(warnings.length, 10)
})

test('a kind of loss is told once for as long as nothing is delivered', (t) => {
  const { time, sink, warnings } = rig(t, () => status(503), { retry: { count: 0, delay: 1 } })
  for (const number of range(1, 5)) {
    finish(sink, number)
    time.pass(100_000)
  }
  t.is(sink.stats().dropped, 5)
  t.is(warnings.length, 1)
})

test('a warning is one line of an error, and not too long', (t) => {
  const told = (error: Error): string | undefined => {
    const { time, sink, warnings } = rig(t, () => throwError(() => error), { retry: { count: 0 } })
    finish(sink, 1)
    time.pass(10_000)
    return warnings[0]?.message
  }
  t.is(told(new TypeError('')), 'test: 1 span dropped: TypeError')
  t.is(told(new Error('one\n\ttwo')), 'test: 1 span dropped: Error: one two')
  t.is(told(new NetworkError('reset')), 'test: 1 span dropped: NetworkError: reset')
  const longest = `Error: ${'x'.repeat(293)}`
  t.is(told(new Error('x'.repeat(293))), `test: 1 span dropped: ${longest}`)
  t.is(told(new Error('x'.repeat(294))), `test: 1 span dropped: ${longest.slice(0, -1)}…`)
})

for (const code of [400, 422])
  test(`HTTP ${code} isolates the span that is refused, by halves`, (t) => {
    const { time, sink, sizes, warnings } = rig(t, (spans) =>
      spans.some((span) => numberOf(span) === 6) ? status(code) : undefined,
    )
    finish(sink, ...range(1, 8))
    time.pass(1_000)
    t.deepEqual(sizes(), [8, 4, 4, 2, 1, 1, 2])
    t.like(sink.stats(), { delivered: 7, rejected: 1, queued: 0 })
    t.deepEqual(
      warnings.map(({ message }) => message),
      [`test: 1 span rejected: HttpError: HTTP ${code}: no`],
    )
  })

const namings: ReadonlyArray<readonly [string, unknown]> = [
  ['by their position as keys', { detail: 'Validation error', errors: { '1': ['bad'], '4': ['bad'] } }],
  ['by paths', { errors: { 'spans[1].model': ['bad'], '[4].cost': ['bad'] } }],
  [
    'by location',
    {
      detail: [
        { loc: ['body', 1, 'x'], msg: 'bad' },
        { loc: ['body', 4], msg: 'bad' },
      ],
    },
  ],
  ['by index', { errors: [{ index: 1, message: 'bad' }, { index: 4 }] }],
  ['by id', { errors: [{ span_unique_id: idOf(2), error: 'bad' }, `${idOf(5)} is bad`] }],
  ['in a sentence', { errors: ['span 1: bad', 'span 4: bad'] }],
  ['by empty entries for the others', [{}, { model: ['bad'] }, {}, {}, { model: ['bad'] }]],
]

for (const [title, body] of namings)
  test(`a body that names spans ${title} isolates them at once`, (t) => {
    const { time, sink, sizes } = rig(t, (_, attempt) => (attempt === 1 ? status(422, body) : undefined))
    finish(sink, ...range(1, 5))
    time.pass(1_000)
    t.deepEqual(sizes(), [5, 3])
    t.like(sink.stats(), { delivered: 3, rejected: 2 })
  })

for (const body of [
  { errors: { messages: ['required'] } },
  { errors: ['span 99: bad'] },
  { detail: 'no' },
  'text',
  null,
])
  test(`a body that names no span of the batch is no help: ${JSON.stringify(body)}`, (t) => {
    const { time, sink, sizes } = rig(t, (_, attempt) => (attempt === 1 ? status(400, body) : undefined))
    finish(sink, ...range(1, 4))
    time.pass(1_000)
    t.deepEqual(sizes(), [4, 2, 2])
    t.is(sink.stats().delivered, 4)
  })

test('a span that the transport finds wrong is isolated without help of the server', (t) => {
  const wrong = new InvalidInput('Span', { path: '[2].cost', expected: 'number', found: 'string' })
  const { time, sink, sizes } = rig(t, (_, attempt) => (attempt === 1 ? throwError(() => wrong) : undefined))
  finish(sink, ...range(1, 4))
  time.pass(1_000)
  t.deepEqual(sizes(), [4, 3])
  t.like(sink.stats(), { delivered: 3, rejected: 1 })
})

test('a server that refuses every span is asked more and more slowly', (t) => {
  const { time, sink, sent } = rig(t, () => status(400))
  finish(sink, ...range(1, 100))
  time.pass(10_000)
  t.true(sent.length < 60, `${sent.length} requests`)
  t.true(sink.stats().rejected >= 20)
  t.is(accounted(sink), 100)
})

const unwritable = new InvalidInput('Span', { path: '[0].cost', expected: 'number', found: 'string' })

for (const [what, wrong] of [
  ['', unwritable],
  [
    ', says another copy of the package',
    Object.assign(new Error('wrong'), { ...unwritable, name: 'InvalidInput' }),
  ],
] as const)
  test(`spans that can not be written do not slow down the others${what}: no server was asked`, (t) => {
    const isWrong = (span: Span): boolean => numberOf(span) <= 40
    const { time, sink } = rig(t, (spans) => (spans.some(isWrong) ? throwError(() => wrong) : undefined))
    finish(sink, ...range(1, 41))
    time.pass(1_000)
    t.like(sink.stats(), { rejected: 40, delivered: 1 })
  })

test('whoever waits for a flush does not wait long for spans that are refused', async (t) => {
  const { time, sink } = rig(t, refusing(...range(1, 40)))
  finish(sink, ...range(1, 50))
  const done = sink.flush()
  await time.settle()
  time.pass(5_000)
  t.like(await done, { _tag: 'Left', left: { report: { rejected: 40, delivered: 10, queued: 0 } } })
})

test('HTTP 413 splits a batch, and makes the ones to come smaller', (t) => {
  const limit = 300_000
  const size = (spans: ReadonlyArray<{ readonly output?: string }>): number =>
    spans.reduce((sum, { output = '' }) => sum + output.length, 0)
  const { time, sink, sizes } = rig(t, (spans) => (size(spans) > limit ? status(413) : undefined))
  const many = (from: number, to: number): void => {
    finishWith(sink, 10_000, ...range(from, to))
    time.pass(1_000)
  }
  many(1, 100)
  t.deepEqual(sizes().slice(0, 3), [100, 50, 25])
  const before = sizes().length
  many(101, 200)
  t.true(
    sizes()
      .slice(before)
      .every((count) => count <= 30),
  )
  t.like(sink.stats(), { delivered: 200, rejected: 0 })
})

test('a batch that does not get through in time is sent in smaller ones, which grow again', (t) => {
  const tooSlow = throwError(() => new Timeout('headers', 15_000))
  let inTime = 30
  const { time, sink, sizes } = rig(t, (spans) => (spans.length > inTime ? tooSlow : undefined))
  const many = (from: number, to: number): void => {
    finishWith(sink, 10_000, ...range(from, to))
    time.pass(60_000)
  }
  many(1, 100)
  t.deepEqual(sizes().slice(0, 2), [100, 50])
  t.like(sink.stats(), { delivered: 100, dropped: 0 })
  inTime = 100
  many(101, 2_000)
  many(2_001, 2_100)
  t.is(sizes().at(-1), 100)
  t.like(sink.stats(), { delivered: 2_100, dropped: 0 })
})

test('a single span that is too large counts as rejected', (t) => {
  const { time, sink } = rig(t, (spans) =>
    spans.some((span) => numberOf(span) === 3) ? status(413) : undefined,
  )
  finish(sink, ...range(1, 4))
  time.pass(1_000)
  t.like(sink.stats(), { delivered: 3, rejected: 1 })
})

test('a single span that is too large makes the batches to come no smaller', (t) => {
  const { time, sink, sizes } = rig(t, (spans) =>
    spans.some((span) => numberOf(span) === 1) ? status(413) : undefined,
  )
  finishWith(sink, 10_000, 1)
  time.pass(1_000)
  finishWith(sink, 10_000, ...range(2, 51))
  time.pass(1_000)
  t.deepEqual(sizes(), [1, 50])
})

test('spans that a receipt names are rejected, and nothing is sent again', (t) => {
  const { time, sink, sizes, warnings } = rig(t, (spans) =>
    of({
      // Named twice, and one that was never sent: neither may disturb the counts.
      rejected: [...spans, ...spans]
        .filter((span) => numberOf(span) % 2 === 0)
        .map((span) => ({ span: { ...span }, reason: 'even' }))
        .concat(
          spans.slice(0, 1).map((span) => ({ span: { ...span, spanId: idOf(99) }, reason: 'foreign' })),
        ),
    }),
  )
  finish(sink, ...range(1, 5))
  time.pass(60_000)
  t.deepEqual(sizes(), [5])
  t.like(sink.stats(), { delivered: 3, rejected: 2 })
  t.is(warnings.length, 1)
  t.regex(warnings[0]?.message ?? '', /2 spans rejected: .*even/)
})

test('what a receipt complains about without naming spans is told, and the spans are delivered', (t) => {
  const said = ['clock skew', 'clock skew', 'late', ...range(1, 100).map(String)]
  const { time, sink, warnings } = rig(t, () => of({ rejected: [], warnings: said }))
  finish(sink, 1)
  time.pass(1_000)
  t.is(sink.stats().delivered, 1)
  t.deepEqual(
    warnings.map(({ message }) => message),
    ['test: the server accepted the spans and says: clock skew; late; 1'],
  )
})

test('what a receipt complains about is told in one line, and not too long', (t) => {
  const { time, sink, warnings } = rig(t, () =>
    of({ rejected: [], warnings: [`one\n\ttwo${'x'.repeat(1_000)}`] }),
  )
  finish(sink, 1)
  time.pass(1_000)
  t.is(warnings[0]?.message, `test: the server accepted the spans and says: one two${'x'.repeat(292)}…`)
})

test('what a server says cannot drive the terminal that a warning goes to', (t) => {
  const said = 'a\u001b]0;b\u0007\u009b2Jc\u202ed\u2067e'
  const { time, sink, warnings } = rig(t, (_, attempt) =>
    attempt === 1
      ? of({ rejected: [], warnings: [said] })
      : throwError(() => new HttpError(said, { status: 401 })),
  )
  finish(sink, 1)
  time.pass(1_000)
  finish(sink, 2)
  time.pass(1_000)
  t.is(warnings.length, 2)
  for (const { message } of warnings) t.true(message.includes('a ]0;b 2Jc d e'), message)
})

for (const [error, code] of [
  [new MissingApiKey('RESPAN_API_KEY'), 'RESPAN_MISSING_API_KEY'],
  [new Aborted(), 'RESPAN_DELIVERY'],
  [new InvalidInput('RESPAN_BASE_URL', { path: '', expected: 'a URL', found: 'none' }), 'RESPAN_DELIVERY'],
] as const)
  test(`${error.name} never passes: spans are dropped, and that is told once`, (t) => {
    const { time, sink, warnings } = rig(t, () => throwError(() => error), { maxBatchSize: 2 })
    finish(sink, ...range(1, 9))
    time.pass(10_000)
    t.like(sink.stats(), { dropped: 9, queued: 0 })
    t.deepEqual(
      warnings.map((warning) => warning.code),
      [code],
    )
    t.true(warnings[0]?.message.includes(error.message))
  })

// ── overflow

const text = 'x'.repeat(10_000)
const tellers: Readonly<Record<string, readonly [start: Partial<SpanStarted>, end: Partial<SpanEnded>]>> = {
  name: [{ name: text }, {}],
  path: [{ path: text }, {}],
  input: [{ input: text }, {}],
  'late input': [{}, { input: text }],
  output: [{}, { output: text }],
  message: [{}, { error: { tag: 'E', status: 500, message: text } }],
  stack: [{}, { error: { tag: 'E', status: 500, stack: text } }],
  attributes: [{ attributes: { properties: { list: [{ text }] } } }, {}],
  request: [{}, { generation: { usageSource: 'unknown', request: { tools: [{ text }] } } }],
}

for (const [place, [start, end]] of Object.entries(tellers))
  test(`maxQueueBytes counts what a span tells in its ${place}`, (t) => {
    const { sink } = rig(t, undefined, { maxQueueBytes: 50_000 })
    for (const number of range(1, 10)) {
      sink.next(started(number, start))
      sink.next(ended(number, end))
    }
    t.like(sink.stats(), { queued: 4, dropped: 6 })
  })

test('maxQueueBytes leaves room for spans that tell little', (t) => {
  const { sink } = rig(t, undefined, { maxQueueBytes: 50_000 })
  for (const number of range(1, 10)) {
    sink.next(started(number, { attributes: { properties: { n: 1, list: [true, null] } } }))
    sink.next(ended(number))
  }
  t.like(sink.stats(), { queued: 10, dropped: 0 })
})

test('attributes that hold themselves, and an error without a message, take a finite room', (t) => {
  const { time, sink } = rig(t, undefined, { maxQueueBytes: 100_000 })
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  cycle.nothing = null
  sink.next(started(1, { attributes: { properties: cycle } }))
  sink.next(ended(1, { status: 'error', error: { tag: 'Error', status: 500 } }))
  finish(sink, 2)
  time.pass(1_000)
  t.like(sink.stats(), { delivered: 2, dropped: 0 })
})

test('a batch that is sent again and again takes its room once', (t) => {
  const { time, sink } = rig(t, (_, attempt) => (attempt < 10 ? status(503) : undefined), {
    maxQueueBytes: 3_000,
  })
  finish(sink, 1)
  time.pass(100_000)
  t.is(sink.stats().delivered, 1)
  finish(sink, 2, 3, 4)
  t.like(sink.stats(), { queued: 3, dropped: 0 })
})

test('drops the newest spans when the queue is full, by default', (t) => {
  const { time, sink, sent, warnings } = rig(t, undefined, { maxQueueSize: 3, maxBatchSize: 10 })
  finish(sink, ...range(1, 5))
  t.like(sink.stats(), { accepted: 5, dropped: 2, queued: 3 })
  time.pass(1_000)
  t.deepEqual(
    sent.flatMap(({ spans }) => spans),
    [1, 2, 3],
  )
  t.deepEqual(
    warnings.map(({ message }) => message),
    ['test: the queue is full (3 spans): new spans are dropped.'],
  )
})

test('a queue takes 10,000 spans or 64 MiB unless told otherwise', (t) => {
  const many = rig(t)
  finish(many.sink, ...range(1, 10_001))
  t.like(many.sink.stats(), { queued: 10_000, dropped: 1 })
  const large = rig(t)
  const output = 'x'.repeat(2 ** 20 - 10_000)
  for (const number of range(1, 66)) {
    large.sink.next(started(number))
    large.sink.next(ended(number, { output }))
  }
  t.like(large.sink.stats(), { queued: 64, dropped: 2 })
})

test('a queue of few bytes is sent before it is full', (t) => {
  const { time, sink } = rig(t, undefined, { maxQueueBytes: 100_000, maxDelay: 60_000 })
  for (const number of range(1, 80)) {
    sink.next(started(number, { input: 'x'.repeat(5_000) }))
    sink.next(ended(number))
    time.pass(10)
  }
  t.is(sink.stats().dropped, 0)
})

test('drops the oldest spans when told to, those that wait to be sent again first', (t) => {
  const { time, sink, sent } = rig(t, (_, attempt) => (attempt === 1 ? status(503) : undefined), {
    maxQueueSize: 4,
    maxBatchSize: 2,
    overflow: 'drop-oldest',
  })
  finish(sink, 1, 2)
  time.pass(0)
  finish(sink, 3, 4, 5)
  t.like(sink.stats(), { accepted: 5, dropped: 1, queued: 4 })
  time.pass(5_000)
  t.deepEqual(
    sent.map(({ spans }) => spans),
    [[1, 2], [2], [3, 4], [5]],
  )
  t.like(sink.stats(), { delivered: 4, dropped: 1 })
})

for (const overflow of ['drop-newest', 'drop-oldest'] as const)
  test(`maxQueueBytes bounds what waits: ${overflow}`, (t) => {
    const { time, sink, sent } = rig(t, undefined, { maxQueueBytes: 10_000, overflow })
    finishWith(sink, 4_000, ...range(1, 5))
    sink.next(started(6))
    sink.next(ended(6, { output: 'x'.repeat(40_000) }))
    t.like(sink.stats(), { accepted: 6, queued: 2, dropped: 4 })
    time.pass(1_000)
    t.deepEqual(
      sent.flatMap(({ spans }) => spans),
      overflow === 'drop-newest' ? [1, 2] : [4, 5],
    )
  })

for (const overflow of ['drop-newest', 'drop-oldest'] as const)
  test(`a span that is larger than the queue is dropped, and no other one is said to be: ${overflow}`, (t) => {
    const { sink, warnings } = rig(t, undefined, { maxQueueBytes: 10_000, overflow })
    finish(sink, 1)
    sink.next(started(2))
    sink.next(ended(2, { output: 'x'.repeat(40_000) }))
    t.like(sink.stats(), { queued: 1, dropped: 1 })
    t.regex(
      warnings.map(({ message }) => message).join(),
      /^test: a span of about 40\d{3} bytes is dropped: the queue holds at most 10000\.$/,
    )
  })

// ── flush

test('flush delivers at once what has ended, in this tick too', async (t) => {
  const { time, sink, sent } = rig(t)
  finish(sink, 1)
  const done = sink.flush()
  finish(sink, 2)
  t.deepEqual(sent, [])
  t.deepEqual(await done, right({ ...NOTHING, delivered: 2 }))
  t.deepEqual(sent, [{ at: 0, spans: [1, 2], keepalive: false }])
  t.is(time.scheduler.actions.length, 0)
})

test('flush is lazy, and with nothing to do it is done', async (t) => {
  const { sink, sent } = rig(t)
  t.is(typeof sink.flush, 'function')
  t.deepEqual(await sink.flush(), right(NOTHING))
  t.deepEqual(sent, [])
})

test('flush waits for what is in flight', async (t) => {
  const answer = new Subject<Receipt>()
  const { time, sink, sent } = rig(t, () => answer)
  finish(sink, 1, 2)
  time.pass(1_000)
  t.is(sink.stats().inFlight, 2)
  let outcome: unknown
  const done = sink.flush().then((result) => {
    outcome = result
  })
  await time.settle()
  t.is(outcome, undefined)
  answer.next({ rejected: [] })
  await done
  t.deepEqual(outcome, right({ ...NOTHING, delivered: 2 }))
  t.is(sent.length, 1)
})

test('a flush waits for what another one has under way', async (t) => {
  const answer = new Subject<Receipt>()
  const { time, sink } = rig(t, () => answer)
  finish(sink, 1)
  const first = sink.flush()
  await time.settle()
  const second = sink.flush()
  await time.settle()
  finish(sink, 2)
  answer.next({ rejected: [] })
  t.deepEqual(await Promise.all([first, second]), [
    right({ ...NOTHING, delivered: 1 }),
    right({ ...NOTHING, delivered: 1 }),
  ])
  t.is(sink.stats().queued, 1)
})

test('flush tries at once while a retry is waited for, and goes on retrying', async (t) => {
  const { time, sink, sent } = rig(t, (_, attempt) => (attempt < 3 ? status(503) : undefined), {
    retry: { delay: 10_000 },
  })
  finish(sink, 1)
  time.pass(1_000)
  const done = sink.flush()
  await time.settle()
  t.deepEqual(
    sent.map(({ at }) => at),
    [1_000, 1_000],
  )
  time.pass(20_000)
  t.deepEqual(await done, right({ ...NOTHING, delivered: 1 }))
  t.deepEqual(
    sent.map(({ at }) => at),
    [1_000, 1_000, 11_000],
  )
})

test('attempts before their time, because somebody flushes, are none of the retries', async (t) => {
  const { time, sink, sent } = rig(t, (_, attempt) => (attempt <= 60 ? status(503) : undefined))
  finish(sink, 1)
  for (const _ of range(1, 59)) {
    void sink.flush()
    await time.settle()
    time.pass(10)
  }
  t.true(sent.length >= 59)
  t.like(sink.stats(), { queued: 1, dropped: 0 })
  time.pass(600_000)
  t.like(sink.stats(), { delivered: 1, dropped: 0 })
})

test('an attempt before its time that works makes none of the retries to come free', async (t) => {
  const fails = [1, 3, 4]
  const { time, sink, sent } = rig(t, (_, attempt) => (fails.includes(attempt) ? status(503) : undefined), {
    retry: { count: 1 },
  })
  finish(sink, 1)
  time.pass(1_000)
  await sink.flush()
  t.like(sink.stats(), { delivered: 1 })
  finish(sink, 2)
  time.pass(60_000)
  t.is(sent.length, 4)
  t.like(sink.stats(), { delivered: 1, dropped: 1 })
})

test('flush tries a paused server at once, and does not wait for it', async (t) => {
  const { time, sink, sizes } = rig(t, () => status(401))
  finish(sink, 1, 2, 3)
  time.pass(1_000)
  const outcome = await sink.flush()
  t.deepEqual(sizes(), [3, 1])
  t.true(isLeft(outcome))
  if (!isLeft(outcome)) return
  t.deepEqual(outcome.left.report, { ...NOTHING, queued: 3 })
  t.deepEqual(
    outcome.left.failures.map(({ sink: name, error }) => [name, error.message]),
    [['test', 'HTTP 401: no']],
  )
  t.is(sink.stats().queued, 3)
})

test('flush does not wait for a retry that is later than its own end', async (t) => {
  const limited = throwError(() => new RateLimited('later', { retryAfter: 60_000 }))
  const { time, sink } = rig(t, () => limited)
  finish(sink, 1)
  const outcome = await sink.flush()
  t.true(isLeft(outcome) && outcome.left.report.queued === 1)
  t.is(time.now(), 0)
})

test('flush ends after flushTimeout, and what it waited for stays', async (t) => {
  const { time, sink } = rig(t, () => NEVER, { flushTimeout: 2_000 })
  finish(sink, 1)
  const done = sink.flush()
  await time.settle()
  time.pass(2_000)
  const outcome = await done
  t.true(isLeft(outcome))
  if (!isLeft(outcome)) return
  t.deepEqual(outcome.left.report, { ...NOTHING, queued: 1 })
  t.deepEqual(
    outcome.left.failures.map(({ error }) => error.message),
    ['Timed out after 2000 ms (flush).'],
  )
  t.is(sink.stats().inFlight, 1)
})

test('flush ends after thirty seconds where nothing else is said', async (t) => {
  const { time, sink } = rig(t, () => NEVER)
  finish(sink, 1)
  let ended = false
  const done = sink.flush().then(() => {
    ended = true
  })
  await time.settle()
  time.pass(29_999)
  await time.settle()
  t.false(ended)
  time.pass(1)
  await done
  t.true(ended)
})

test('a flush that lost something is a Left, with the reasons', async (t) => {
  const { sink } = rig(t, refusing(2))
  finish(sink, 1, 2, 3)
  const outcome = await sink.flush()
  t.true(isLeft(outcome))
  if (!isLeft(outcome)) return
  t.deepEqual(outcome.left.report, { ...NOTHING, delivered: 2, rejected: 1 })
  t.is(outcome.left.failures.length, 1)
})

test('a report is about the spans of its flush only', async (t) => {
  const { sink } = rig(t, refusing(1))
  finish(sink, 1)
  t.true(isLeft(await sink.flush()))
  finish(sink, 2)
  t.deepEqual(await sink.flush(), right({ ...NOTHING, delivered: 1 }))
})

test('an error of a transport is told as it is, also where Jest runs a test', async (t) => {
  const error: unknown = runInNewContext("Object.assign(new Error('of another realm'), { code: 'EX' })")
  const { sink } = rig(t, () => throwError(() => error), { retry: { count: 0 } })
  finish(sink, 1)
  const outcome = await sink.flush()
  t.true(isLeft(outcome) && outcome.left.failures.every((failure) => failure.error === error))
})

test('a thrown value that is no error becomes one in the report', async (t) => {
  const { sink } = rig(t, () => throwError(() => 'secret text'), { retry: { count: 0 } })
  finish(sink, 1)
  const outcome = await sink.flush()
  t.true(isLeft(outcome) && outcome.left.failures.every(({ error }) => error instanceof Error))
  t.false(JSON.stringify(outcome).includes('secret text'))
})

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {})
  revoke()
  return proxy
}

const unreadable: ReadonlyArray<readonly [string, unknown]> = [
  ['a revoked proxy', revoked()],
  ['an error whose message throws', failing(new Error('x'), 'message')],
  ['an error that says nothing, and has a number for its name', Object.assign(new Error(), { name: 5 })],
  ['an error whose name is no text', Object.assign(new Error('x'), { name: Symbol('x') })],
  ['a tag without the fields that belong to it', { _tag: 'InvalidInput', message: 'x' }],
]

for (const [title, thrown] of unreadable)
  test(`a transport that fails with ${title} is tried again, and told`, async (t) => {
    const { time, sink, sent, warnings } = rig(
      t,
      (_, attempt) => (attempt < 3 ? throwError(() => thrown) : undefined),
      { retry: { count: 1 } },
    )
    finish(sink, 1)
    time.pass(60_000)
    t.like(sink.stats(), { accepted: 1, dropped: 1 })
    t.is(sent.length, 2)
    t.is(warnings.length, 1)
    finish(sink, 2)
    t.deepEqual(await sink.flush(), right({ ...NOTHING, delivered: 1 }))
  })

test('where fetches and timers end with the request that began them, a sink for each request delivers, and one for all waits', async (t) => {
  let isOver = false
  const make = () => {
    const made = rig(
      t,
      () => timer(100, made.time.scheduler).pipe(switchMap(() => (isOver ? NEVER : taken))),
      // As if its timer had ended, too.
      { timeout: 1_000_000 },
    )
    return made
  }
  const shared = make()
  finish(shared.sink, 1)
  const first = shared.sink.flush()
  await shared.time.settle()
  isOver = true
  shared.time.pass(100)
  isOver = false
  const outcomes = [shared, make()].map(async ({ time, sink }) => {
    finish(sink, 2)
    const flushed = sink.flush()
    await time.settle()
    time.pass(30_000)
    return isRight(await flushed)
  })
  t.deepEqual(await Promise.all(outcomes), [false, true])
  t.true(isLeft(await first))
  t.like(shared.sink.stats(), { delivered: 0, inFlight: 1, queued: 1 })
})

// ── close

test('close delivers what there is; what comes later counts as dropped', async (t) => {
  const { sink, sent } = rig(t)
  finish(sink, 1)
  sink.next(started(2))
  t.deepEqual(await sink.close(), right({ ...NOTHING, delivered: 1 }))
  sink.next(ended(2))
  finish(sink, 3)
  t.like(sink.stats(), { accepted: 3, delivered: 1, dropped: 2, queued: 0 })
  t.is(sent.length, 1)
  t.deepEqual(await sink.flush(), right(NOTHING))
})

test('spans that end while close delivers count as dropped, which is told once', async (t) => {
  const { time, sink, warnings } = rig(t, () =>
    timer(1_000, time.scheduler).pipe(map(() => ({ rejected: [] }))),
  )
  finish(sink, 1)
  const closed = sink.close()
  await time.settle()
  finish(sink, 2, 3)
  t.deepEqual(warnings, [
    { code: 'RESPAN_DELIVERY', message: 'test: spans that end after the sink was closed are dropped.' },
  ])
  time.pass(1_000)
  t.deepEqual(await closed, right({ ...NOTHING, delivered: 1 }))
  finish(sink, 4)
  t.like(sink.stats(), { accepted: 4, delivered: 1, dropped: 3 })
  t.is(warnings.length, 1)
})

test('close includes what ends in this tick, and closing twice closes once', async (t) => {
  const { sink } = rig(t)
  const first = sink.close()
  finish(sink, 1)
  t.deepEqual(await first, right({ ...NOTHING, delivered: 1 }))
  t.deepEqual(await sink.close(), await first)
})

test('close drops what it could not deliver, and gives up what is in flight', async (t) => {
  let unsubscribed = 0
  const hanging = new Observable<Receipt>(() => () => {
    unsubscribed++
  })
  const { time, sink } = rig(t, () => hanging, { maxBatchSize: 2, flushTimeout: 500 })
  finish(sink, 1, 2, 3)
  const done = sink.close()
  await time.settle()
  t.like(sink.stats(), { inFlight: 2, queued: 1 })
  time.pass(500)
  const outcome = await done
  t.true(isLeft(outcome) && outcome.left.report.dropped === 3 && outcome.left.report.queued === 0)
  t.like(sink.stats(), { dropped: 3, inFlight: 0, queued: 0 })
  t.is(unsubscribed, 1)
  t.is(time.scheduler.actions.length, 0)
})

test('what close could not deliver is told, not only to whoever awaits it', async (t) => {
  const { time, sink, warnings } = rig(t, () => status(503))
  finish(sink, 1, 2)
  const done = sink.close()
  await time.settle()
  time.pass(30_000)
  t.true(isLeft(await done))
  t.deepEqual(
    warnings.map(({ message }) => message),
    [
      'test: 2 spans not delivered before the sink was closed: HttpError: HTTP 503: no; Error: The sink was closed.',
    ],
  )
})

test('close of a paused sink drops what was kept', async (t) => {
  const { time, sink } = rig(t, () => status(401))
  finish(sink, 1, 2, 3)
  time.pass(5_000)
  const outcome = await sink.close()
  t.true(isLeft(outcome) && outcome.left.report.dropped === 3)
  t.like(sink.stats(), { dropped: 3, queued: 0 })
  t.is(time.scheduler.actions.length, 0)
})

// ── odd transports

const odd: ReadonlyArray<readonly [string, Answers, Partial<SinkStats>]> = [
  [
    'that throws when it is called',
    () => {
      throw new Error('boom')
    },
    { queued: 2 },
  ],
  [
    'that throws when it is subscribed',
    () =>
      new Observable<Receipt>(() => {
        throw new Error('boom')
      }),
    { queued: 2 },
  ],
  ['that never answers', () => NEVER, { inFlight: 2 }],
  ['that completes without a receipt', () => EMPTY, { delivered: 2 }],
  ['that emits twice', () => of({ rejected: [] }, { rejected: [] }), { delivered: 2 }],
  [
    'that emits, then fails',
    () =>
      new Observable<Receipt>((subscriber) => {
        subscriber.next({ rejected: [] })
        subscriber.error(new Error('boom'))
      }),
    { delivered: 2 },
  ],
  [
    'that emits and never completes',
    () => new Observable<Receipt>((subscriber) => subscriber.next({ rejected: [] })),
    { delivered: 2 },
  ],
  [
    'that throws when it is unsubscribed',
    () =>
      new Observable<Receipt>((subscriber) => {
        subscriber.next({ rejected: [] })
        return () => {
          throw new Error('boom')
        }
      }),
    { delivered: 2 },
  ],
]

for (const [title, answers, expected] of odd)
  test(`a transport ${title} is dealt with`, (t) => {
    const { time, sink } = rig(t, answers, { timeout: 1_000_000 })
    t.notThrows(() => finish(sink, 1, 2))
    time.pass(1_000)
    t.like(sink.stats(), { accepted: 2, ...expected })
    t.is(accounted(sink), 2)
  })

test('a receipt of the wrong shape is one that names no spans', (t) => {
  const rejected: ReadonlyArray<unknown> = [[null], [{ span: undefined }]]
  const wrong = [undefined, null, 1, {}, { rejected: [], warnings: 5 }]
  for (const receipt of [...wrong, ...rejected.map((rejected) => ({ rejected }))]) {
    // @ts-expect-error -- what JavaScript may send
    const { time, sink } = rig(t, () => of(receipt))
    finish(sink, 1)
    t.notThrows(() => time.pass(1_000))
    t.like(sink.stats(), { delivered: 1 })
  }
})

const noChance: Readonly<Record<string, () => number>> = {
  throws: () => {
    throw new Error('mine')
  },
  'is no number': () => Number.NaN,
  'is none': () => 2,
}

for (const [how, random] of Object.entries(noChance))
  test(`a batch is sent again after half of the time where a chance ${how}`, (t) => {
    const { time, sink, sent } = rig(t, (_, attempt) => (attempt === 1 ? status(503) : undefined), { random })
    finish(sink, 1)
    time.pass(10_000)
    t.deepEqual(
      sent.map(({ at }) => at),
      [1_000, 1_500],
    )
    t.like(sink.stats(), { delivered: 1, inFlight: 0 })
  })

test('a receipt of which not all can be read says as much as can be', async (t) => {
  const unreadable = {
    rejected: [],
    get warnings(): never {
      throw new Error('mine')
    },
  }
  // What no text can be made of, as JavaScript may send it.
  const noText = Object.create(null)
  const receipts = [unreadable, { rejected: [], warnings: [noText, 'some'] }]
  const { sink, warnings } = rig(t, (spans, attempt) =>
    of(receipts[attempt - 1] ?? { rejected: spans.map((span) => ({ span, reason: noText })) }),
  )
  for (const number of [1, 2]) {
    finish(sink, number)
    t.true(isRight(await sink.flush()))
  }
  finish(sink, 3)
  t.true(isLeft(await sink.flush()))
  t.like(sink.stats(), { delivered: 2, rejected: 1, inFlight: 0 })
  t.deepEqual(
    warnings.map(({ message }) => message),
    [
      'test: the server accepted the spans and says: some',
      'test: 1 span rejected: GatewayError: The server refused spans of a batch: no reason given',
    ],
  )
})

test('an answer that comes after the attempt was given up counts no more', (t) => {
  const answers = [new Subject<Receipt>(), new Subject<Receipt>()]
  const { time, sink } = rig(t, (_, attempt) => answers[attempt - 1], { timeout: 100 })
  finish(sink, 1)
  time.pass(1_650)
  t.is(sink.stats().inFlight, 1)
  answers[0]?.next({ rejected: [] })
  t.like(sink.stats(), { inFlight: 1, delivered: 0 })
  answers[1]?.next({ rejected: [] })
  t.like(sink.stats(), { inFlight: 0, delivered: 1 })
})

test('a transport may be traced into the same sink', (t) => {
  const { time, sink } = rig(t, (spans) => {
    if (spans.some((span) => numberOf(span) < 100)) finish(sink, ...spans.map((span) => numberOf(span) + 100))
    return undefined
  })
  finish(sink, 1, 2)
  time.pass(5_000)
  t.like(sink.stats(), { accepted: 4, delivered: 4 })
})

test('next never throws, whatever it is given', (t) => {
  const { sink, warnings } = rig(t)
  const hostile = [
    null,
    undefined,
    1,
    'text',
    {},
    { _tag: 'SpanEnded' },
    { _tag: 'SpanStarted' },
    {
      get _tag() {
        throw new Error('no')
      },
    },
  ]
  // @ts-expect-error -- what JavaScript may pass
  for (const event of hostile) t.notThrows(() => sink.next(event))
  t.is(accounted(sink), sink.stats().accepted)
  t.is(warnings.length, 1)
})

test('a span whose size can not be told counts as dropped, and is told', async (t) => {
  const { sink, warnings } = rig(t)
  sink.next(started(1, { attributes: { metadata: failing({}, 'x') } }))
  sink.next(ended(1))
  sink.next(started(2))
  sink.next(ended(2, { generation: { usageSource: 'unknown', request: failing({}, 'x') } }))
  sink.next(started(3))
  sink.next(failing(ended(3), 'output'))
  finish(sink, 4)
  await sink.flush()
  t.like(sink.stats(), { accepted: 4, dropped: 3, delivered: 1 })
  t.deepEqual(
    warnings.map(({ message }) => message),
    ['test: a span could not be accepted: Error: no'],
  )
})

for (const field of ['status', 'at', 'totals', 'leftEarly'])
  test(`a span whose end has a ${field} that throws is delivered without it`, async (t) => {
    const spans: Array<Span> = []
    const { sink } = rig(t, (batch) => {
      spans.push(...batch)
      return undefined
    })
    sink.next(started(1))
    sink.next(failing(ended(1, { output: 'out' }), field))
    finish(sink, 2)
    t.deepEqual(await sink.flush(), right({ ...NOTHING, delivered: 2 }))
    t.like(spans[0], { spanId: idOf(1), name: 'span 1', output: 'out' })
  })

for (const [how, fail] of [
  [
    'throws',
    (error: Error) => {
      throw error
    },
  ],
  ['rejects', (error: Error) => Promise.reject(error)],
] as const)
  test(`an onWarning that ${how} disturbs nobody, and is told once as a process warning`, async (t) => {
    const messages: Array<string> = []
    const listen = (warning: Error & { readonly code?: string }): void => {
      if (warning.code === 'RESPAN_DELIVERY' && warning.message.includes(`it ${how}`))
        messages.push(warning.message)
    }
    process.on('warning', listen)
    let asked = 0
    const { time, sink } = rig(t, () => status(401), {
      onWarning: () => {
        asked++
        return fail(new Error(`it ${how}`))
      },
    })
    finish(sink, 1)
    t.notThrows(() => time.pass(1_000))
    t.is(sink.stats().queued, 1)
    t.notThrows(() => sink.next(ended(2)))
    t.is(sink.stats().dropped, 1)
    t.is(asked, 2)
    await setImmediate()
    process.off('warning', listen)
    t.deepEqual(messages, [`test: onWarning failed: it ${how}`])
  })

test('an end without a start counts as dropped, which is told once', (t) => {
  const { sink, warnings } = rig(t)
  sink.next(ended(1))
  sink.next(ended(2))
  t.like(sink.stats(), { accepted: 2, dropped: 2 })
  t.deepEqual(
    warnings.map(({ message }) => message),
    ['test: spans whose start was not seen, or was forgotten, are dropped.'],
  )
})

// ── counts

test('stats$ gives the counts on subscription, then after each change, until unsubscribed', (t) => {
  const { time, sink } = rig(t)
  finish(sink, 1)
  const seen: Array<ReadonlyArray<number>> = []
  const subscription = sink.stats$.subscribe(({ accepted, queued, inFlight, delivered }) =>
    seen.push([accepted, queued, inFlight, delivered]),
  )
  finish(sink, 2)
  time.pass(1_000)
  subscription.unsubscribe()
  finish(sink, 3)
  t.deepEqual(seen, [
    [1, 1, 0, 0],
    [2, 2, 0, 0],
    [2, 0, 2, 0],
    [2, 0, 0, 2],
  ])
})

test('a snapshot does not change', (t) => {
  const { sink } = rig(t)
  const before = sink.stats()
  finish(sink, 1)
  t.is(before.accepted, 0)
})

test('a watcher of stats$ is told of a span when its delivery is already on its way', (t) => {
  const { time, sink } = rig(t)
  const timers: Array<number> = []
  sink.stats$.subscribe(({ queued }) => {
    if (queued === 1) timers.push(time.scheduler.actions.length)
  })
  finish(sink, 1)
  t.deepEqual(timers, [1])
})

test('a watcher of stats$ that ends spans itself sees sums that are right', (t) => {
  const { time, sink } = rig(t, undefined, { maxQueueSize: 5, overflow: 'drop-oldest' })
  let wrong = 0
  let more = 100
  sink.stats$.subscribe(({ accepted }) => {
    if (accepted !== accounted(sink)) wrong++
    if (more < 120) finish(sink, more++)
  })
  finish(sink, ...range(1, 10))
  time.pass(5_000)
  t.is(wrong, 0)
  t.is(sink.stats().accepted, 30)
  t.is(sink.stats().queued, 0)
})

type Step =
  | { readonly _tag: 'finish'; readonly count: number; readonly size: number }
  | { readonly _tag: 'orphan' | 'flush' | 'close' }
  | { readonly _tag: 'pass'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      _tag: fc.constant('finish' as const),
      count: fc.integer({ min: 1, max: 12 }),
      size: fc.constantFrom(0, 10, 2_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ _tag: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constantFrom('orphan' as const, 'flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('close' as const) }) },
)

const STATUSES = [200, 200, 200, 408, 429, 500, 401, 404, 301, 400, 422, 413]

type Answer = { readonly code: number; readonly delay: number; readonly odd: number }

const answer: fc.Arbitrary<Answer> = fc.record({
  code: fc.constantFrom(...STATUSES),
  delay: fc.constantFrom(0, 0, 10, 3_000),
  odd: fc.integer({ min: 0, max: 12 }),
})

const policies: fc.Arbitrary<BufferPolicy> = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 10 }),
  maxBatchBytes: fc.constantFrom(1_000, 5_000, 1_000_000),
  maxDelay: fc.constantFrom(0, 100, 1_000),
  maxQueueSize: fc.integer({ min: 1, max: 30 }),
  maxQueueBytes: fc.constantFrom(3_000, 1_000_000),
  overflow: fc.constantFrom('drop-newest' as const, 'drop-oldest' as const),
  maxInFlight: fc.integer({ min: 1, max: 3 }),
  retry: fc.record({
    count: fc.integer({ min: 0, max: 3 }),
    delay: fc.constantFrom(0, 100, 1_000),
    deadline: fc.constantFrom(1, 2_000, Number.POSITIVE_INFINITY),
  }),
  timeout: fc.constantFrom(50, 5_000),
  flushTimeout: fc.constantFrom(0, 100, 10_000),
})

testProp(
  'law: at every moment accepted = delivered + dropped + rejected + spooled + queued + inFlight',
  [policies, fc.array(answer, { minLength: 1, maxLength: 12 }), fc.array(step, { maxLength: 20 })],
  async (t, policy, answers, steps) => {
    const respond: Answers = (spans, attempt) => {
      const {
        code,
        delay,
        odd: oddity,
      } = answers[attempt % answers.length] ?? { code: 200, delay: 0, odd: 0 }
      const receipt: Observable<Receipt> =
        oddity === 1
          ? EMPTY
          : oddity === 2
            ? NEVER
            : oddity === 3
              ? of({ rejected: spans.slice(0, 2).map((span) => ({ span, reason: 'no' })) })
              : code === 200
                ? taken
                : status(code, oddity === 4 ? { errors: { '0': 'bad' } } : undefined)
      if (oddity === 5) throw new Error('boom')
      return delay === 0
        ? receipt
        : new Observable((subscriber) =>
            timer(delay, time.scheduler).subscribe(() => subscriber.add(receipt.subscribe(subscriber))),
          )
    }
    const { time, sink, sent } = rig(t, respond, policy)
    const violations: Array<SinkStats> = []
    let ends = 0
    let number = 0
    sink.stats$.subscribe((stats) => {
      const { accepted, delivered, dropped, rejected, spooled, queued, inFlight } = stats
      const sum = delivered + dropped + rejected + spooled + queued + inFlight
      const negative = Object.values(stats).some((count) => count < 0)
      if (accepted !== sum || accepted > ends || negative) violations.push(stats)
    })
    const outcomes: Array<Promise<unknown>> = []
    for (const one of steps) {
      switch (one._tag) {
        case 'finish':
          for (let index = 0; index < one.count; index++) {
            sink.next(started(++number, { input: 'x'.repeat(one.size) }))
            ends++
            sink.next(ended(number))
          }
          break
        case 'orphan':
          ends++
          sink.next(ended(999_999))
          break
        case 'pass':
          time.pass(one.ms)
          break
        default:
          outcomes.push(sink[one._tag]())
          await time.settle()
      }
    }
    t.deepEqual(violations, [])
    t.is(sink.stats().accepted, ends)
    t.is(accounted(sink), ends)
    // In the end everything has met its fate, every flush is done, and no timer is left.
    outcomes.push(sink.close())
    await time.settle()
    time.pass(20_000)
    await Promise.all(outcomes)
    t.like(sink.stats(), { queued: 0, inFlight: 0 })
    t.is(accounted(sink), ends)
    t.deepEqual(violations, [])
    t.is(time.scheduler.actions.length, 0)
    t.true(sent.every(({ spans }) => spans.length > 0 && spans.length <= (policy.maxBatchSize ?? 0)))
  },
  { numRuns: 300 },
)

testProp(
  'law: a healthy server gets every span once and in order',
  [fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 10 }), fc.integer({ min: 0, max: 2_000 })],
  (t, bursts, pause) => {
    const { time, sink, sent } = rig(t)
    let number = 0
    for (const burst of bursts) {
      finish(sink, ...range(number + 1, number + burst))
      number += burst
      time.pass(pause)
    }
    time.pass(5_000)
    t.deepEqual(
      sent.flatMap(({ spans }) => spans),
      range(1, number),
    )
    t.is(sink.stats().delivered, number)
  },
)

testProp(
  'law: isolating finds exactly the spans that a server refuses',
  [fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 12 }), fc.integer({ min: 1, max: 40 })],
  (t, bad, maxBatchSize) => {
    const { time, sink, sent } = rig(t, refusing(...bad), { maxBatchSize })
    finish(sink, ...range(1, 40))
    time.pass(10_000)
    const accepted = sent.filter(({ spans }) => !spans.some((span) => bad.includes(span)))
    t.deepEqual(
      accepted.flatMap(({ spans }) => spans),
      range(1, 40).filter((span) => !bad.includes(span)),
    )
    t.like(sink.stats(), { delivered: 40 - bad.length, rejected: bad.length })
  },
)

// ── the end of a process or a page

/** What tells a sink, once it waits for something, that its process has nothing left to do. */
const atIdle = (): (() => void) => {
  // Not by `emit`: the test runner listens, too.
  const others = process.listeners('beforeExit')
  return () => {
    for (const listener of process.listeners('beforeExit')) if (!others.includes(listener)) listener(0)
  }
}

test.serial(
  'however many sinks wait, a process has one listener, and none when all is delivered',
  async (t) => {
    const before = process.listenerCount('beforeExit')
    const sinks = range(1, 30).map(() => rig(t).sink)
    t.is(process.listenerCount('beforeExit'), before)
    for (const sink of sinks) finish(sink, 1)
    t.is(process.listenerCount('beforeExit'), before + 1)
    await Promise.all(sinks.map((sink) => sink.flush()))
    t.is(process.listenerCount('beforeExit'), before)
  },
)

const ownTime: ReadonlyArray<
  readonly [
    what: string,
    policy: BufferPolicy,
    answers: (batch: number, time: SchedulerLike) => Observable<Receipt>,
    sent: ReadonlyArray<number>,
  ]
> = [
  [
    'in a batch under way of its own',
    { maxBatchSize: 1, maxInFlight: 2 },
    (batch, time) => (batch === 1 ? NEVER : timer(600, time).pipe(map(() => ({ rejected: [] })))),
    [1, 2],
  ],
  [
    'in a batch of its own that has to be sent again',
    { maxBatchSize: 1, maxInFlight: 2, retry: { delay: 1_000 } },
    (batch) => (batch === 1 ? NEVER : batch === 2 ? status(503) : taken),
    [1, 2, 2],
  ],
  ['waiting for the same request', { maxBatchSize: 1 }, (batch) => (batch === 1 ? NEVER : taken), [1, 2]],
]

for (const [what, policy, answers, spans] of ownTime)
  test.serial(`what ends while a process waits for others has its own time: ${what}`, (t) => {
    const { time, sink, sent } = rig(t, (_, batch) => answers(batch, time.scheduler), {
      maxDelay: 0,
      flushTimeout: 300,
      ...policy,
    })
    const idle = atIdle()
    finish(sink, 1)
    time.pass(10)
    idle()
    time.pass(100)
    finish(sink, 2)
    time.pass(5_000)
    t.deepEqual(
      sent.flatMap((batch) => batch.spans),
      spans,
    )
    t.like(sink.stats(), { delivered: 1, dropped: 1, inFlight: 0, queued: 0 })
  })

test.serial('what ends while a process waits for others has its own time: in one batch with them', (t) => {
  const { time, sink, sent } = rig(
    t,
    (_, batch) =>
      batch === 1
        ? timer(100, time.scheduler).pipe(map(() => ({ rejected: [] })))
        : batch === 2
          ? NEVER
          : taken,
    { maxBatchSize: 2, maxDelay: 0, flushTimeout: 300 },
  )
  const idle = atIdle()
  finish(sink, 1)
  time.pass(10)
  finish(sink, 2)
  idle()
  finish(sink, 3)
  time.pass(5_000)
  t.deepEqual(
    sent.map(({ spans }) => spans),
    [[1], [2, 3], [3]],
  )
  t.like(sink.stats(), { delivered: 2, dropped: 1, inFlight: 0, queued: 0 })
})

const eventTarget = () => {
  const events = new EventEmitter()
  return {
    events,
    addEventListener: (name: string, listener: () => void) => void events.on(name, listener),
    removeEventListener: (name: string, listener: () => void) => void events.off(name, listener),
  }
}

const page = (t: { teardown: (undo: () => void) => void }) => {
  const { events, ...window } = eventTarget()
  const document = { ...eventTarget(), visibilityState: 'visible' }
  Object.assign(globalThis, { document, ...window })
  t.teardown(() => {
    for (const key of ['document', 'addEventListener', 'removeEventListener'])
      Reflect.deleteProperty(globalThis, key)
  })
  return {
    events,
    listenedFor: () => [...document.events.eventNames(), ...events.eventNames()],
    show: (visibilityState: string): void => {
      document.visibilityState = visibilityState
      document.events.emit('visibilitychange')
    },
  }
}

/** Closes a sink whose flushes have no time: it gives up what is under way. */
const closeAtOnce = async (time: ReturnType<typeof virtualTime>, sink: Sink): ReturnType<Sink['close']> => {
  const closed = sink.close()
  await time.settle()
  time.pass(0)
  return closed
}

test.serial('a page is listened to for as long as one sink has something to lose', (t) => {
  const { listenedFor, show } = page(t)
  const first = rig(t)
  const second = rig(t)
  finish(first.sink, 1)
  finish(second.sink, 1)
  first.time.pass(1_000)
  t.is(first.sink.stats().delivered, 1)
  t.deepEqual(listenedFor(), ['visibilitychange', 'pagehide', 'pageshow'])
  show('hidden')
  t.is(second.sink.stats().delivered, 1)
  t.deepEqual(listenedFor(), [])
})

test.serial(
  'a page that is hidden sends what it has, in small requests that outlive it, one after the other',
  (t) => {
    const { listenedFor, show } = page(t)
    const { time, sink, sent } = rig(t, () => timer(10, time.scheduler).pipe(map(() => ({ rejected: [] }))))
    finishWith(sink, 9_000, ...range(1, 20))
    t.deepEqual(listenedFor(), ['visibilitychange', 'pagehide', 'pageshow'])
    show('hidden')
    t.deepEqual(sent, [{ at: 0, spans: range(1, 6), keepalive: true }])
    time.pass(100)
    t.deepEqual(
      sent.map(({ spans, keepalive }) => [spans.length, keepalive]),
      [
        [6, true],
        [6, true],
        [6, true],
        [2, true],
      ],
    )
    t.is(sink.stats().delivered, 20)
    t.deepEqual(listenedFor(), [])
  },
)

test.serial(
  'what ends while a page is left goes out beside the request under way, as far as their limit allows',
  async (t) => {
    const { events, show } = page(t)
    const { time, sink, sent } = rig(t, () => NEVER, { flushTimeout: 0 })
    finishWith(sink, 20_000, 1)
    events.emit('pagehide')
    finishWith(sink, 20_000, 2)
    show('hidden')
    finishWith(sink, 20_000, 3)
    finishWith(sink, 10, 4)
    show('hidden')
    t.deepEqual(
      sent.map(({ spans, keepalive }) => [...spans, keepalive]),
      [
        [1, true],
        [2, true],
      ],
    )
    t.like(sink.stats(), { inFlight: 2, queued: 2 })
    await closeAtOnce(time, sink)
  },
)

test.serial('the sinks of a page share the room for requests that outlive it', async (t) => {
  const { show } = page(t)
  const first = rig(t, () => NEVER, { flushTimeout: 0 })
  const written: Array<number> = []
  const write: SpoolStore['write'] = (records) => {
    written.push(records.length)
    return records.map(({ traceId, text }) => ({ traceId, bytes: text.length }))
  }
  const second = rig(t, () => NEVER, { spool: memorySpool({ write }), flushTimeout: 0 })
  finishWith(first.sink, 9_000, ...range(1, 4))
  finishWith(second.sink, 9_000, ...range(1, 4))
  show('hidden')
  t.deepEqual(first.sent, [{ at: 0, spans: range(1, 4), keepalive: true }])
  t.deepEqual(second.sent, [{ at: 0, spans: range(1, 2), keepalive: true }])
  t.deepEqual(written, [2])
  await closeAtOnce(first.time, first.sink)
  await closeAtOnce(second.time, second.sink)
})

test.serial('a sink sends although others have used up that room: nobody would wake it', async (t) => {
  const { show } = page(t)
  const first = rig(t, () => NEVER, { flushTimeout: 0 })
  const second = rig(t)
  finishWith(first.sink, 9_000, ...range(1, 6))
  finishWith(second.sink, 9_000, 1, 2)
  show('hidden')
  t.deepEqual(
    second.sent.map(({ spans, keepalive }) => [...spans, keepalive]),
    [
      [1, false],
      [2, false],
    ],
  )
  await closeAtOnce(first.time, first.sink)
})

test.serial('a page that is hidden delivers what is in its spool', async (t) => {
  const { show } = page(t)
  const { time, sink, sizes } = rig(t, (_, attempt) => (attempt === 1 ? status(503) : undefined), {
    spool: memorySpool({}),
    retry: { count: 0 },
  })
  finish(sink, 1, 2)
  time.pass(1_000)
  t.like(sink.stats(), { spooled: 2 })
  show('hidden')
  t.is((await sink.flush())._tag, 'Right')
  t.deepEqual(sizes(), [2, 2])
  await sink.close()
})

test.serial('a page that is left measures no request under way again', async (t) => {
  const { show } = page(t)
  const time = virtualTime(t)
  const measured: Array<number> = []
  const transport: Transport = Object.assign(() => NEVER, {
    bytes: (span: Span) => {
      measured.push(numberOf(span))
      return 20_000
    },
  })
  const sink = bufferedSink(transport, {
    scheduler: time.scheduler,
    flushTimeout: 0,
    onWarning: () => undefined,
  })
  finish(sink, 1)
  show('hidden')
  t.true(measured.includes(1))
  measured.length = 0
  finish(sink, 2)
  show('hidden')
  t.deepEqual([...new Set(measured)], [2])
  t.like(sink.stats(), { inFlight: 2 })
  await closeAtOnce(time, sink)
})

test.serial('a server that refuses us gets one span at a time, also from a page that is left', async (t) => {
  const { show } = page(t)
  const { time, sink, sent } = rig(t, (_, attempt) => (attempt === 1 ? status(401) : NEVER), {
    flushTimeout: 0,
  })
  finish(sink, 1)
  time.pass(1_000)
  finish(sink, 2, 3, 4)
  show('hidden')
  t.deepEqual(
    sent.map(({ spans }) => spans),
    [[1], [1]],
  )
  await closeAtOnce(time, sink)
})

test.serial('a page that is hidden writes to its spool what may never be delivered', async (t) => {
  const { show } = page(t)
  const asked: Array<number | 'leave'> = []
  const write: SpoolStore['write'] = (records) => {
    asked.push(records.length)
    return records.map(({ traceId, text }) => ({ traceId, bytes: text.length }))
  }
  const leave = (): void => {
    asked.push('leave')
  }
  const { time, sink, sizes } = rig(t, () => NEVER, { spool: memorySpool({ write, leave }), flushTimeout: 0 })
  finishWith(sink, 9_000, ...range(1, 20))
  show('hidden')
  t.deepEqual(sizes(), [6])
  t.deepEqual(asked, [14, 'leave'])
  t.is((await closeAtOnce(time, sink))._tag, 'Left')
})

test.serial('a page that is left survives a spool that can not take that, or throws at it', async (t) => {
  const { show } = page(t)
  const leave = (): never => {
    throw new Error('No room.')
  }
  for (const [spool, told] of [
    [memorySpool({}), 0],
    [memorySpool({ leave }), 1],
  ] as const) {
    const { time, sink, warnings } = rig(t, () => NEVER, { spool, flushTimeout: 0 })
    finish(sink, 1)
    t.notThrows(() => show('hidden'))
    t.is(warnings.length, told)
    await closeAtOnce(time, sink)
  }
})

test.serial('a page that is left during an outage writes down what is on its way, too', async (t) => {
  const { show } = page(t)
  const written: Array<number> = []
  const write: SpoolStore['write'] = (records) => {
    written.push(records.length)
    return records.map(({ traceId, text }) => ({ traceId, bytes: text.length }))
  }
  const { time, sink } = rig(t, (_, attempt) => (attempt === 1 ? status(503) : NEVER), {
    spool: memorySpool({ write }),
    flushTimeout: 0,
  })
  finish(sink, 1)
  time.pass(1_000)
  show('hidden')
  t.like(sink.stats(), { inFlight: 1 })
  t.deepEqual(written, [1])
  await closeAtOnce(time, sink)
})

test.serial(
  'a page that is left does not wait for a request that will not outlive it, nor for a retry',
  async (t) => {
    const { events, listenedFor } = page(t)
    const retrying = rig(t, (_, attempt) => (attempt === 1 ? status(503) : undefined))
    finish(retrying.sink, 1)
    retrying.time.pass(1_000)
    const sending = rig(t, (_, attempt) => (attempt === 1 ? NEVER : undefined), { flushTimeout: 0 })
    finish(sending.sink, 1)
    sending.time.pass(1_000)
    finish(sending.sink, 2)
    events.emit('pagehide')
    t.deepEqual(
      retrying.sent.map(({ at, keepalive }) => [at, keepalive]),
      [
        [1_000, false],
        [1_000, true],
      ],
    )
    t.deepEqual(
      sending.sent.map(({ spans, keepalive }) => [...spans, keepalive]),
      [
        [1, false],
        [2, true],
      ],
    )
    const closed = sending.sink.close()
    await sending.time.settle()
    sending.time.pass(0)
    await closed
    t.deepEqual(listenedFor(), [])
  },
)

test.serial(
  'a span that is too large to outlive its page is sent all the same, and a page that is back is as before',
  (t) => {
    const { show } = page(t)
    const { time, sink, sent } = rig(t)
    sink.next(started(1, { input: 'x'.repeat(100_000) }))
    sink.next(ended(1))
    show('hidden')
    t.deepEqual(
      sent.map(({ keepalive }) => keepalive),
      [false],
    )
    finish(sink, 2)
    show('visible')
    time.pass(1_000)
    t.deepEqual(
      sent.map(({ keepalive }) => keepalive),
      [false, false],
    )
  },
)

test.serial('a page that is back when nobody listened any more is as before', (t) => {
  const { listenedFor, show } = page(t)
  const { time, sink, sent } = rig(t)
  finish(sink, 1)
  show('hidden')
  t.deepEqual(listenedFor(), [])
  finish(sink, 2)
  time.pass(1_000)
  show('visible')
  finish(sink, 3)
  time.pass(1_000)
  t.deepEqual(
    sent.map(({ keepalive }) => keepalive),
    [true, true, false],
  )
})

test.serial('a transport that cannot tell the size of a span has it estimated', (t) => {
  const { show } = page(t)
  const time = virtualTime(t)
  const transport: Transport = Object.assign(() => taken, {
    bytes: () => {
      throw new Error('no')
    },
  })
  const sink = bufferedSink(transport, { scheduler: time.scheduler })
  finish(sink, 1)
  t.notThrows(() => show('hidden'))
  t.is(sink.stats().delivered, 1)
})

// ── the policy

const wrong: ReadonlyArray<readonly [string, unknown]> = [
  ['maxBatchSize', 0],
  ['maxBatchSize', 1.5],
  ['maxBatchBytes', -1],
  ['maxDelay', -1],
  ['maxDelay', Number.NaN],
  ['maxQueueSize', 0],
  ['maxQueueBytes', '1'],
  ['overflow', 'drop'],
  ['maxInFlight', 0],
  ['retry', { count: -1 }],
  ['retry', { delay: 'soon' }],
  ['retry', { attempts: 1 }],
  ['maxBatch', 100],
  ['timeout', 0],
  ['flushTimeout', Number.POSITIVE_INFINITY],
  ['scheduler', {}],
  ['random', 0.5],
  ['onWarning', 'console'],
]

for (const [option, value] of wrong)
  test(`a policy whose ${option} is ${JSON.stringify(value)} is refused when the sink is made`, (t) => {
    const error = t.throws(() => bufferedSink(() => taken, { [option]: value }), { instanceOf: InvalidInput })
    t.true(error?.path.startsWith(option))
  })

test('an option that is undefined is one that was not given', async (t) => {
  for (const option of ['maxBatchSize', 'maxDelay', 'maxQueueSize', 'retry', 'scheduler', 'flushTimeout']) {
    const sink = bufferedSink(() => taken, { [option]: undefined })
    finish(sink, 1)
    t.deepEqual(await sink.flush(), right({ ...NOTHING, delivered: 1 }))
  }
})

test('has the page of a trace when its transport knows one', (t) => {
  const plain: Transport = () => taken
  t.is(bufferedSink(plain).traceUrl, undefined)
  const known = bufferedSink(
    Object.assign((() => taken) satisfies Transport, { traceUrl: (id: string) => `/${id}` }),
  )
  t.is(known.traceUrl?.('1'), '/1')
})

test('is a Right only when everything was delivered', async (t) => {
  const { sink } = rig(t)
  finish(sink, 1)
  t.true(isRight(await sink.flush()))
})

// ── transports of one's own

test('a transport that can not say its destination is a sink without a name', async (t) => {
  const warnings: Array<string> = []
  const transport: Transport = () => status(404)
  const sink = bufferedSink(failing(transport, 'destination'), {
    onWarning: ({ message }) => warnings.push(message),
  })
  finish(sink, 1)
  const outcome = await sink.flush()
  t.true(isLeft(outcome))
  t.deepEqual(isLeft(outcome) && outcome.left.failures.map(({ sink }) => sink), ['bufferedSink'])
  t.deepEqual(warnings, [
    'bufferedSink: paused; 1 span kept and retried from time to time: HttpError: HTTP 404: no',
  ])
})

for (const error of [
  new InvalidResponse('The answer', { path: '', expected: 'JSON', found: 'nothing' }),
  new HttpError('HTTP 204', { status: 204 }),
]) {
  test(`a transport that fails with ${error.message} has delivered`, (t) => {
    const { time, sink } = rig(t, () => throwError(() => error))
    finish(sink, 1)
    time.pass(1_000)
    t.like(sink.stats(), { delivered: 1, queued: 0, inFlight: 0 })
  })
}

test('a transport that throws when it is broken off is told of, and its batch is sent again', (t) => {
  const stuck = new Observable<Receipt>(() => () => {
    throw new Error('teardown')
  })
  const { time, sink, warnings, sizes } = rig(t, (_, attempt) => (attempt === 1 ? stuck : undefined), {
    timeout: 500,
  })
  finish(sink, 1)
  time.pass(10_000)
  t.deepEqual(sizes(), [1, 1])
  t.like(sink.stats(), { delivered: 1, inFlight: 0 })
  const [warning] = warnings
  t.regex(warning?.message ?? '', /^test: a delivery could not be stopped: .*teardown/)
})

test('a complaint that no JSON can hold names its span all the same', (t) => {
  const complaint: Record<string, unknown> = { spanId: idOf(2) }
  complaint.self = complaint
  const { time, sink, sizes } = rig(t, (_, attempt) =>
    attempt === 1 ? status(422, { errors: [complaint] }) : undefined,
  )
  finish(sink, 1, 2, 3)
  time.pass(10_000)
  t.deepEqual(sizes(), [3, 2])
  t.like(sink.stats(), { delivered: 2, rejected: 1 })
})

test('an attempt without a limit is waited for', (t) => {
  const answer$ = new Subject<Receipt>()
  const { time, sink } = rig(t, () => answer$, { timeout: Number.POSITIVE_INFINITY })
  finish(sink, 1)
  time.pass(2_000_000_000)
  t.is(sink.stats().inFlight, 1)
  answer$.next({ rejected: [] })
  t.is(sink.stats().delivered, 1)
})

for (const [whose, policy] of Object.entries({
  'our own timers': {},
  asyncScheduler: { scheduler: asyncScheduler },
})) {
  test(`an attempt without a limit is waited for in real time, by ${whose}`, async (t) => {
    let attempts = 0
    const transport: Transport = () => {
      attempts++
      return timer(20).pipe(switchMap(() => taken))
    }
    const sink = bufferedSink(transport, { ...policy, timeout: Number.POSITIVE_INFINITY })
    finish(sink, 1)
    t.true(isRight(await sink.close()))
    t.is(attempts, 1)
  })
}

test('what a transport does is in no trace, whichever one made it go out', async (t) => {
  const sent: Array<string> = []
  const post = component('post', async (batch: ReadonlyArray<Span>): Promise<Receipt> => {
    sent.push(...batch.map(({ name }) => name), `${currentSpan()?.spanId}`)
    return { rejected: [] }
  })
  const sink = bufferedSink((batch) => of(batch).pipe(post), { maxDelay: 1 })
  const inside = component('inside', (value: number) => of(value))
  const flushing = component('flushing', async (value: number) => {
    await sink.flush()
    return value
  })
  await lastValueFrom(of(1).pipe(inside, flushing, respanTrace('T', { sink })))
  await firstValueFrom(sink.stats$.pipe(filter(({ delivered }) => delivered === 3)))
  await sink.close()
  t.deepEqual(sent, ['inside', 'undefined', 'flushing', 'T', 'undefined'])
  t.is(sink.stats().accepted, 3)
})
