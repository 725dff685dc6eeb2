import { isRespanError } from '../errors.js'
import { DEFAULT_RETRY } from './connectionPolicy.js'
import { exhaustedQuota } from './exhaustedQuota.js'

/**
 * Tells whether the same call may succeed if it is retried: there was no answer, the answer broke off, or its status may
 * be temporary (unless it is about a quota that is used up). `false` for anything that isn't a `RespanError`, because
 * nothing is known about it.
 *
 * A generator retries by itself as far as its `retry` goes, but not once an answer has begun. The error that it finally
 * emits may still be retryable, for example by a queue that tries again in an hour. A `Timeout` is not: the first call
 * may still be running, and billed.
 *
 * @param statuses - HTTP statuses that may be temporary. Default: those of a `RetryPolicy`
 */
export const isRetryable = (
  error: unknown,
  statuses: ReadonlyArray<number> = DEFAULT_RETRY.statuses,
): boolean => {
  if (!isRespanError(error)) return false
  switch (error._tag) {
    case 'NetworkError':
    case 'StreamInterrupted':
      return true
    case 'HttpError':
    case 'RateLimited':
      return statuses.includes(error.status) && !exhaustedQuota.has(error.code)
    default:
      return false
  }
}
