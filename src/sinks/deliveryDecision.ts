import { type HttpError, isRespanError, type RateLimited, type RespanError } from '../errors.js'
import { exhaustedQuota } from '../http/exhaustedQuota.js'

/** What a buffer does with a batch whose transport emitted an error. */
export type DeliveryDecision =
  /** The server has it nevertheless. */
  | { readonly _tag: 'Delivered' }
  /** The failure may be transient: send it again, after `after` ms if the server said so. */
  | { readonly _tag: 'Retry'; readonly after: number | undefined }
  /** Nothing works until a key, an address or a quota is changed: keep it, and probe. */
  | { readonly _tag: 'Pause'; readonly after: number | undefined }
  /** A span in it was refused: find out which one. `body` may name it. */
  | { readonly _tag: 'Isolate'; readonly body: unknown }
  /** It is too large: send it in parts. */
  | { readonly _tag: 'Split' }
  /** It will never work: drop it. */
  | { readonly _tag: 'Discard' }

const isTransient = (status: number): boolean =>
  status === 408 || status === 409 || status === 425 || status === 429 || status >= 500

const retryAfterOf = (error: RespanError): number | undefined => {
  const after = 'retryAfter' in error ? error.retryAfter : undefined
  return typeof after === 'number' && after >= 0 ? after : undefined
}

const decisionForStatus = (
  status: number,
  error: HttpError | RateLimited,
  statuses: ReadonlyArray<number> | undefined,
): DeliveryDecision => {
  const after = retryAfterOf(error)
  if (status >= 200 && status < 300) return { _tag: 'Delivered' }
  if (statuses === undefined ? isTransient(status) : statuses.includes(status))
    return { _tag: 'Retry', after }
  switch (status) {
    case 400:
    case 422:
      return { _tag: 'Isolate', body: error.body }
    case 413:
      return { _tag: 'Split' }
    default:
      // 401, 403, 404, 405, a redirect, and every other status that isn't about a span.
      return { _tag: 'Pause', after }
  }
}

/**
 * Decides what to do with a batch by the error that its transport emitted.
 *
 * - Retry: 408, 409, 425, 429, 5xx, a timeout, a broken connection, and any error that is not a `RespanError`.
 * - Isolate: 400, 422, and a span of the wrong shape.
 * - Split: 413.
 * - Pause: a redirect, every other status, and a 429 about an exhausted quota.
 * - Discard: a missing key, a wrong configuration, and an abort by the user's own signal.
 * - Delivered: a 2xx with any body that arrived whole.
 *
 * An error may carry `retryAfter`, ms.
 *
 * @param statuses - the transient statuses, instead of the ones above
 */
export const deliveryDecision = (error: unknown, statuses?: ReadonlyArray<number>): DeliveryDecision => {
  if (!isRespanError(error)) return { _tag: 'Retry', after: undefined }
  switch (error._tag) {
    case 'MissingApiKey':
    case 'Aborted':
      return { _tag: 'Discard' }
    case 'InvalidInput':
      // The path begins with the span's position in the batch, unless it is about the configuration.
      return error.path.startsWith('[')
        ? { _tag: 'Isolate', body: { errors: { [error.path]: error.message } } }
        : { _tag: 'Discard' }
    case 'InvalidResponse':
      return { _tag: 'Delivered' }
    case 'HttpError':
      return decisionForStatus(error.status, error, statuses)
    case 'RateLimited':
      return exhaustedQuota.has(error.code)
        ? { _tag: 'Pause', after: retryAfterOf(error) }
        : decisionForStatus(429, error, statuses)
    case 'Timeout':
    case 'NetworkError':
    case 'StreamInterrupted':
    case 'GatewayError':
      return { _tag: 'Retry', after: retryAfterOf(error) }
  }
}
