import { isRespanError } from '../errors.js'
import { DEFAULT_RETRY } from './connectionPolicy.js'
import { exhaustedQuota } from './exhaustedQuota.js'

/**
 * Tells whether the same call may succeed when it is made again: there was no answer, it broke off, or its status is
 * one that may pass (but for a quota that is used up). Of what isn't a `RespanError` nothing is known: `false`.
 *
 * A generator makes it again by itself, as far as its `retry` goes, but not once an answer has begun; what it emits in
 * the end may still be retryable, by a queue that comes back to it in an hour, say. A `Timeout` is not: the first call
 * may still be running, and billed.
 *
 * @param statuses - HTTP statuses that pass. Default those of a `RetryPolicy`
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
