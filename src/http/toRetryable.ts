import type { RespanError } from '../errors.js'
import type { RetryPolicy } from './Connection.js'
import { isRetryable } from './isRetryable.js'
import type { Retryable } from './withRetry.js'

/**
 * Marks a failure that is worth another attempt. An answer that broke off is not: it had begun, so a model was at work,
 * which may be billed. Every other failure stays as it is.
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
