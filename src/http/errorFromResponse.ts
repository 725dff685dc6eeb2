import { errorCode, errorMessage } from '../codecs/ErrorBody.js'
import { Fields } from '../codecs/Fields.js'
import { redactSecrets } from '../codecs/redactSecrets.js'
import { HttpError, RateLimited } from '../errors.js'
import type { Answer } from './Answer.js'
import { PLATFORMS, type Platform } from './endpoint.js'
import { parseJson } from './parseJson.js'
import { retryAfter } from './retryAfter.js'

/** Longest part of a body that is not JSON that an error keeps, in UTF-16 code units. */
const TEXT_LENGTH = 1_000

/**
 * Makes the error for an answer whose status is not 2xx: `RateLimited` for 429, `HttpError` for every other.
 *
 * @param answer - already scrubbed of secrets
 * @param platform - whose key a 401 is about
 * @param now - ms since the epoch, for a `Retry-After` that is a date
 */
export const errorFromResponse = (
  answer: Omit<Answer, 'cut'>,
  platform: Platform,
  now: number,
): HttpError | RateLimited => {
  const { status, ids } = answer
  const json = parseJson(answer.text)
  const body = json === undefined ? answer.text.slice(0, TEXT_LENGTH) : redactSecrets(json)
  const code = errorCode(body)
  const said = errorMessage(body) ?? (answer.statusText || 'no further details')
  const message = `HTTP ${status}: ${said}${advice(status, body, platform)}`
  const details = { ...ids, body, code, retryAfter: retryAfter(answer.headers, body, now) }
  return status === 429 ? new RateLimited(message, details) : new HttpError(message, { ...details, status })
}

/** Whether the body of a 404 only says that nothing is at this path: a page, or the message of Django REST framework. */
const isUnknownPath = (body: unknown): boolean =>
  Fields.is(body) ? body.detail === 'Not found.' : typeof body === 'string'

const advice = (status: number, body: unknown, platform: Platform): string => {
  // Browsers hide a redirect that is not followed behind status 0.
  if (status === 0 || (status >= 300 && status < 400))
    return ' (redirects are not followed: set baseUrl to the final address)'
  if (status === 404 && isUnknownPath(body))
    return ` (nothing answers at this path: check ${PLATFORMS[platform].baseUrlVariable} or baseUrl, or the id of the prompt)`
  if (status !== 401) return ''
  if (platform === 'openai') return ' (check the OpenAI API key: OPENAI_API_KEY or apiKey)'
  if (!Fields.is(body)) return ''
  if (body.error) return ' (the provider refused the key that is stored for it at Respan)'
  return body.detail ? ' (check the Respan API key: RESPAN_API_KEY or apiKey)' : ''
}
