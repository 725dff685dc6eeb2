import { asyncScheduler, defer, type Observable, retry, throwError, timer } from 'rxjs'
import type { RespanError } from '../errors.js'
import { backoff } from './backoff.js'
import type { RetryPolicy } from './Connection.js'

/** A failed attempt that may be made again. Never leaves this folder and its gateways: its `error` does. */
export interface Retryable {
  readonly _tag: 'Retryable'
  readonly error: RespanError
  /** What the server asks for, ms. */
  readonly retryAfter: number | undefined
}

/** One attempt: its number, from 1, and what is left of the deadline, ms. */
export interface AttemptInfo {
  readonly attempt: number
  readonly left: number
}

/** The longest wait that a server can impose when no deadline was given, ms. */
const LONGEST_IMPOSED_WAIT = 60_000

/**
 * Subscribes an attempt, and another one after each failure that is `Retryable`, as far as the policy goes. Waits as
 * long as the server asks, else a backoff with full jitter; when that would pass the deadline, the failure is emitted
 * at once. Every other error passes through.
 *
 * @param policy - complete and checked
 * @param run - makes an attempt
 * @param random - from 0 up to, but not including, 1
 */
export const withRetry = <T>(
  policy: Required<RetryPolicy>,
  run: (info: AttemptInfo) => Observable<T>,
  random: () => number = Math.random,
): Observable<T> =>
  defer(() => {
    const deadline = asyncScheduler.now() + policy.deadline
    let attempt = 0
    return defer(() => run({ attempt: ++attempt, left: deadline - asyncScheduler.now() })).pipe(
      retry({
        delay: (failure: unknown) => {
          if (!isMarked(failure)) return throwError(() => failure)
          const wait = failure.retryAfter ?? backoff(policy, attempt, random)
          const longest = Number.isFinite(deadline)
            ? deadline - asyncScheduler.now()
            : Math.max(LONGEST_IMPOSED_WAIT, policy.maxDelay)
          return attempt > policy.count || wait > longest ? throwError(() => failure.error) : timer(wait)
        },
      }),
    )
  })

/** Marked by `toRetryable`. */
const isMarked = (failure: unknown): failure is Retryable =>
  typeof failure === 'object' && failure !== null && '_tag' in failure && failure._tag === 'Retryable'
