import type { RespanError } from '../errors.js'
import type { RetryPolicy } from './Connection.js'
import { isRetryable } from './isRetryable.js'
import type { Retryable } from './withRetry.js'

/**
 * Marks a failure as worth another attempt, if it is. Every other one stays as it is.
 *
 * @param error - of a call that has delivered nothing
 */
export const toRetryable = (
  error: RespanError,
  { statuses }: Required<RetryPolicy>,
): RespanError | Retryable =>
  isRetryable(error, statuses)
    ? { _tag: 'Retryable', error, retryAfter: 'retryAfter' in error ? error.retryAfter : undefined }
    : error
