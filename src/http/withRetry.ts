import { asyncScheduler, defer, type Observable, retry, throwError, timer } from 'rxjs'
import { isRespanError } from '../errors.js'
import { backoff } from './backoff.js'
import type { RetryPolicy } from './Connection.js'
import type { Deadline } from './exchange.js'
import { isRetryable } from './isRetryable.js'

/** One attempt. */
export interface AttemptInfo {
  /** Number of the attempt, from 1. */
  readonly attempt: number
  readonly deadline: Deadline
  /** To be called before the first value is emitted: nothing is retried after that. */
  readonly delivered: () => void
}

/** The longest wait that a server can impose if there is no deadline, ms. */
const LONGEST_IMPOSED_WAIT = 60_000

/**
 * Whether a failure is retried. An answer that broke off is not: it had begun, so a model was at work, which may be
 * billed.
 */
const mayRetry = (error: unknown, statuses: ReadonlyArray<number>): boolean =>
  isRetryable(error, statuses) && !(isRespanError(error) && error._tag === 'StreamInterrupted')

/** How long the server asks clients to wait, ms. */
const requestedWait = (error: unknown): number | undefined =>
  isRespanError(error) && 'retryAfter' in error ? error.retryAfter : undefined

/**
 * Subscribes to an attempt, and to another one after each retryable failure, as long as nothing was delivered and the
 * policy allows it. Waits as long as the server asks, otherwise for a backoff with full jitter; if that would pass the
 * deadline, the failure is emitted at once. Every other error passes through.
 *
 * @param policy - validated, with all defaults
 * @param run - makes an attempt
 * @param random - returns a number from 0 (inclusive) to 1 (exclusive)
 */
export const withRetry = <T>(
  policy: Required<RetryPolicy>,
  run: (info: AttemptInfo) => Observable<T>,
  random: () => number = Math.random,
): Observable<T> =>
  defer(() => {
    const deadline = asyncScheduler.now() + policy.deadline
    let attempt = 0
    let hasDelivered = false
    const delivered = (): void => {
      hasDelivered = true
    }
    const left = (): number => deadline - asyncScheduler.now()
    return defer(() =>
      run({ attempt: ++attempt, deadline: { left: left(), limit: policy.deadline }, delivered }),
    ).pipe(
      retry({
        delay: (error: unknown) => {
          const wait = requestedWait(error) ?? backoff(policy, attempt, random)
          const longest = Number.isFinite(deadline) ? left() : Math.max(LONGEST_IMPOSED_WAIT, policy.maxDelay)
          const isOver = hasDelivered || attempt > policy.count || wait > longest
          return isOver || !mayRetry(error, policy.statuses) ? throwError(() => error) : timer(wait)
        },
      }),
    )
  })
