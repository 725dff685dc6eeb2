import type { RespanError } from '../errors.js'
import type { RetryPolicy } from './Connection.js'
import { isRetryable } from './isRetryable.js'
import type { Retryable } from './withRetry.js'

/**
 * Marks a failure as one that is followed by another attempt, if it is: whatever passes, but for an answer that broke
 * off. Behind its headers somebody was at work, who may bill it. Every other failure stays as it is.
 *
 * @param error - of a call that has delivered nothing
 */
export const toRetryable = (
  error: RespanError,
  { statuses }: Required<RetryPolicy>,
): RespanError | Retryable =>
  error._tag !== 'StreamInterrupted' && isRetryable(error, statuses)
    ? { _tag: 'Retryable', error, retryAfter: 'retryAfter' in error ? error.retryAfter : undefined }
    : error
