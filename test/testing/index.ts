import assert from 'node:assert/strict'
import test from 'ava'
import { delay, of, toArray } from 'rxjs'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import {
  deterministicClock,
  deterministicIds,
  marbles,
  memorySink,
  virtualClock,
} from '../../dist/testing/index.js'

test('deterministicIds counts traces and spans apart, in the forms that the wire takes', (t) => {
  const ids = deterministicIds()
  t.deepEqual(
    [ids.trace(), ids.span(), ids.span()],
    ['1'.padStart(32, '0'), '1'.padStart(16, '0'), '2'.padStart(16, '0')],
  )
  t.is(deterministicIds().trace(), '1'.padStart(32, '0'))
  for (let count = 2; count < 17; count += 1) ids.span()
  t.is(ids.span(), '12'.padStart(16, '0'), 'hexadecimal')
})

test('deterministicClock goes on by one step per reading', (t) => {
  const clock = deterministicClock(1000, 5)
  t.deepEqual([clock.now(), clock.now(), clock.now()], [1000, 1005, 1010])
  t.is(deterministicClock().now(), 0)
})

test('virtualClock shows the frame', (t) => {
  marbles(t.deepEqual, ({ cold, scheduler, flush }) => {
    const clock = virtualClock(scheduler, 100)
    const seen: Array<number> = []
    cold('--a--b|').subscribe(() => seen.push(clock.now()))
    flush()
    t.deepEqual(seen, [102, 105])
  })
})

test('marbles fails where the assertion it was given fails, and passes on what the test returns', (t) => {
  t.throws(() =>
    marbles(assert.deepEqual, ({ cold, expectObservable }) => {
      expectObservable(cold('-a|')).toBe('-b|')
    }),
  )
  t.is(
    marbles(assert.deepEqual, ({ cold, expectObservable }) => {
      expectObservable(cold('-a|').pipe(delay(2))).toBe('---(a|)')
      return 7
    }),
    7,
  )
})

test('a whole trace is the same in every run', (t) => {
  const run = (): unknown =>
    marbles(t.deepEqual, ({ clock, flush }) => {
      const sink = memorySink()
      of('a')
        .pipe(delay(3), toArray(), respanTrace('run', { sink, clock, ids: deterministicIds() }))
        .subscribe()
      flush()
      return sink.events
    })
  const events = run()
  t.like(events, [
    { _tag: 'SpanStarted', at: 0, traceId: '1'.padStart(32, '0'), spanId: '1'.padStart(16, '0') },
    { _tag: 'SpanFirstOutput', at: 3 },
    { _tag: 'SpanEnded', at: 3, status: 'ok' },
  ])
  t.deepEqual(run(), events)
})
