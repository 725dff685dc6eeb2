import test, { type ExecutionContext } from 'ava'
import { concat, defer, of, throwError } from 'rxjs'
import { type RunHelpers, TestScheduler } from 'rxjs/testing'
import { HttpError, NetworkError, RateLimited, StreamInterrupted } from '../../dist/errors.js'
import type { RetryPolicy } from '../../dist/http/Connection.js'
import { retryPolicy } from '../../dist/http/connectionPolicy.js'
import { type AttemptInfo, withRetry } from '../../dist/http/withRetry.js'

const marbles = (title: string, body: (run: RunHelpers, t: ExecutionContext) => void): void => {
  test(title, (t) => {
    new TestScheduler((actual, expected) => t.deepEqual(actual, expected)).run((run) => body(run, t))
  })
}

const half = () => 0.5
const POLICY: RetryPolicy = { count: 2, delay: 20, maxDelay: 1_000 }
const last = new NetworkError('the last one')

const asking = (retryAfter: number): RateLimited => new RateLimited('later', { retryAfter })

/** Each attempt as marbles: `#` fails with the value given for it, by default worth retrying. */
const attempts = (
  { cold }: RunHelpers,
  rows: ReadonlyArray<string>,
  errors: ReadonlyArray<unknown> = [],
): ((info: AttemptInfo) => ReturnType<RunHelpers['cold']>) => {
  return ({ attempt }) => cold(rows[attempt - 1] ?? '', undefined, errors[attempt - 1] ?? last)
}

marbles('leaves a success as it is', (run) => {
  const run$ = withRetry(retryPolicy(POLICY), attempts(run, ['-a-b|']), half)
  run.expectObservable(run$).toBe('-a-b|')
})

marbles('makes another attempt after a random part of a bound that doubles', (run) => {
  const run$ = withRetry(retryPolicy(POLICY), attempts(run, ['a#', 'b#', '-c|']), half)
  run.expectObservable(run$).toBe('a 10ms b 20ms -c|')
})

marbles('waits as long as the server asks, even beyond the maximum, instead of the backoff', (run) => {
  const asked = [asking(30_000), asking(0)]
  const run$ = withRetry(retryPolicy(POLICY), attempts(run, ['#', '#', 'c|'], asked), half)
  run.expectObservable(run$).toBe('30s c|')
})

marbles('emits the last error itself when no attempt is left', (run) => {
  const first = new HttpError('the first one', { status: 503 })
  const run$ = withRetry(retryPolicy(POLICY), attempts(run, ['a#', 'b#', 'c#'], [first, first, last]), half)
  run.expectObservable(run$).toBe('a 10ms b 20ms c#', undefined, last)
})

marbles('makes no second attempt when none is allowed', (run) => {
  const run$ = withRetry(retryPolicy({ ...POLICY, count: 0 }), attempts(run, ['a#']), half)
  run.expectObservable(run$).toBe('a#', undefined, last)
})

marbles('passes on at once what is not worth another attempt', (run) => {
  const error = new HttpError('no', { status: 400 })
  const run$ = withRetry(retryPolicy(POLICY), attempts(run, ['a#'], [error]), half)
  run.expectObservable(run$).toBe('a#', undefined, error)
})

for (const [what, error] of [
  ['broke off, though it had delivered nothing', new StreamInterrupted('cut')],
  ['has a status that the policy does not name', new HttpError('no', { status: 503 })],
  ['has used up its quota', new RateLimited('no', { code: 'insufficient_quota' })],
  ['is no error of ours', new TypeError('no')],
] as const)
  marbles(`makes no second attempt after one that ${what}`, (run) => {
    const policy = retryPolicy({ ...POLICY, statuses: [429] })
    run.expectObservable(withRetry(policy, attempts(run, ['a#'], [error]), half)).toBe('a#', undefined, error)
  })

marbles('makes no second attempt after one that has delivered something', (run) => {
  const rows = attempts(run, ['a#', 'b#'])
  const run$ = withRetry(
    retryPolicy(POLICY),
    (info) => {
      if (info.attempt === 2) info.delivered()
      return rows(info)
    },
    half,
  )
  run.expectObservable(run$).toBe('a 10ms b#', undefined, last)
})

marbles('emits the error at once when the wait would pass the deadline', (run) => {
  const limited = asking(900)
  const policy = retryPolicy({ ...POLICY, deadline: 1_000 })
  const run$ = withRetry(policy, attempts(run, ['101ms #'], [limited]), half)
  run.expectObservable(run$).toBe('101ms #', undefined, limited)
})

marbles('waits when the deadline allows for it, and tells each attempt what is left', (run, t) => {
  const left: Array<number> = []
  const policy = retryPolicy({ ...POLICY, deadline: 1_000 })
  const each = attempts(run, ['100ms #', '10ms #', 'c|'], [asking(500), asking(100)])
  const run$ = withRetry(
    policy,
    (info) => {
      left.push(info.deadline.left)
      return each(info)
    },
    half,
  )
  run.expectObservable(run$).toBe('710ms c|')
  run.flush()
  t.deepEqual(left, [1_000, 400, 290])
})

marbles('waits no longer than a minute for a server when there is no deadline', (run) => {
  const limited = asking(86_400_000)
  const minute = withRetry(retryPolicy(POLICY), attempts(run, ['#', 'b|'], [asking(60_000)]), half)
  const day = withRetry(retryPolicy(POLICY), attempts(run, ['#', 'b|'], [limited]), half)
  run.expectObservable(minute).toBe('1m b|')
  run.expectObservable(day).toBe('#', undefined, limited)
})

marbles('waits as long as the server asks when a deadline allows for more than a minute', (run) => {
  const policy = retryPolicy({ ...POLICY, deadline: 90_000_000 })
  const run$ = withRetry(policy, attempts(run, ['#', 'b|'], [asking(86_400_000)]), half)
  run.expectObservable(run$).toBe('1440m b|')
})

marbles('makes no further attempt once it is unsubscribed, while waiting as well', (run, t) => {
  let made = 0
  const run$ = withRetry(
    retryPolicy(POLICY),
    () => {
      made += 1
      return run.cold<string>('#', undefined, asking(1_000))
    },
    half,
  )
  run.expectObservable(run$, '500ms !').toBe('')
  run.flush()
  t.is(made, 1)
})

marbles('counts anew for each subscription', (run) => {
  const run$ = withRetry(retryPolicy({ ...POLICY, count: 1 }), attempts(run, ['#', 'b#']), half)
  run.expectObservable(run$).toBe('10ms b#', undefined, last)
  run.expectObservable(run$, '3ms ^').toBe('13ms b#', undefined, last)
})

marbles('makes the attempt only when it is subscribed', (run, t) => {
  let made = 0
  const run$ = withRetry(retryPolicy(POLICY), () => defer(() => of(++made)), half)
  t.is(made, 0)
  run.expectObservable(run$).toBe('(a|)', { a: 1 })
})

marbles('retries attempts that fail in the tick of their subscription', (run) => {
  const run$ = withRetry(
    retryPolicy({ ...POLICY, delay: 0 }),
    ({ attempt }) => concat(of(attempt), attempt < 3 ? throwError(() => last) : of('end')),
    half,
  )
  run.expectObservable(run$).toBe('(abcd|)', { a: 1, b: 2, c: 3, d: 'end' })
})
