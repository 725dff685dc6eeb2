import { asyncScheduler, defer, type Observable, retry, throwError, timer } from 'rxjs'
import { isRespanError } from '../errors.js'
import { backoff } from './backoff.js'
import type { RetryPolicy } from './Connection.js'
import { isRetryable } from './isRetryable.js'

/** One attempt. */
export interface AttemptInfo {
  /** Its number, from 1. */
  readonly attempt: number
  /** What is left of the deadline, ms. */
  readonly left: number
  /** To be called before the first value goes out: no attempt is made after that. */
  readonly delivered: () => void
}

/** The longest wait that a server can impose when no deadline was given, ms. */
const LONGEST_IMPOSED_WAIT = 60_000

/**
 * Whether a failure is worth another attempt. An answer that broke off is not: it had begun, so a model was at work, which
 * may be billed.
 */
const mayRepeat = (error: unknown, statuses: ReadonlyArray<number>): boolean =>
  isRetryable(error, statuses) && !(isRespanError(error) && error._tag === 'StreamInterrupted')

/** What the server asks for, ms. */
const askedWait = (error: unknown): number | undefined =>
  isRespanError(error) && 'retryAfter' in error ? error.retryAfter : undefined

/**
 * Subscribes an attempt, and another one after each failure that is worth it and has delivered nothing, as far as the policy
 * goes. Waits as long as the server asks, else a backoff with full jitter; when that would pass the deadline, the failure is
 * emitted at once. Every other error passes through.
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
    let isOver = false
    const delivered = (): void => {
      isOver = true
    }
    return defer(() => run({ attempt: ++attempt, left: deadline - asyncScheduler.now(), delivered })).pipe(
      retry({
        delay: (error: unknown) => {
          const wait = askedWait(error) ?? backoff(policy, attempt, random)
          const longest = Number.isFinite(deadline)
            ? deadline - asyncScheduler.now()
            : Math.max(LONGEST_IMPOSED_WAIT, policy.maxDelay)
          return isOver || attempt > policy.count || wait > longest || !mayRepeat(error, policy.statuses)
            ? throwError(() => error)
            : timer(wait)
        },
      }),
    )
  })
