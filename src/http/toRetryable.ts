import type { RespanError } from '../errors.js'
import type { RetryPolicy } from './Connection.js'
import type { Retryable } from './withRetry.js'

/**
 * Marks a failure as worth another attempt, if it is: no answer, one that broke off, or a status that the policy names
 * (but for a quota that is used up). Every other one stays as it is.
 *
 * @param error - of a call that has delivered nothing
 */
export const toRetryable = (
  error: RespanError,
  { statuses }: Required<RetryPolicy>,
): RespanError | Retryable => {
  switch (error._tag) {
    case 'NetworkError':
    case 'StreamInterrupted':
      return { _tag: 'Retryable', error, retryAfter: undefined }
    case 'HttpError':
    case 'RateLimited':
      return statuses.includes(error.status) && error.code !== 'insufficient_quota'
        ? { _tag: 'Retryable', error, retryAfter: error.retryAfter }
        : error
    default:
      return error
  }
}
