import { retryAfterSeconds } from '../codecs/ErrorBody.js'
import { LONGEST_TIMER } from './connectionPolicy.js'

/**
 * Reads how long a server asks clients to wait: the header `retry-after-ms` (ms), else `retry-after` (seconds, or an
 * HTTP date, measured against the server's own `date` if it sends one), else `retry_after` in the body (seconds).
 *
 * @param headers - headers of the answer
 * @param body - parsed JSON of the answer, or anything else
 * @param now - ms since the epoch
 * @returns whole ms, from 0 to the longest delay of a timer (24.8 days); `undefined` if the answer says nothing usable
 */
export const retryAfter = (headers: Headers, body: unknown, now: number): number | undefined => {
  const header = headers.get('retry-after')
  const ms =
    decimal(headers.get('retry-after-ms')) ??
    toMs(decimal(header)) ??
    msUntil(header, headers.get('date'), now) ??
    toMs(retryAfterSeconds(body))
  return ms === undefined ? undefined : Math.min(Math.ceil(ms), LONGEST_TIMER)
}

const toMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000

const DECIMAL = /^\d+(?:\.\d+)?$/

const decimal = (text: string | null): number | undefined =>
  text !== null && DECIMAL.test(text.trim()) ? Number(text) : undefined

// Date.parse alone accepts nearly anything: '-5' is a day in 2001.
const HTTP_DATE = /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/

// C's asctime format names no zone and means GMT, like the others; Date.parse would read it as local time.
const ASCTIME = /:\d{2} \d{4}$/

const httpDate = (text: string | null): number | undefined => {
  const trimmed = text?.trim() ?? ''
  const zoned = ASCTIME.test(trimmed) ? `${trimmed} GMT` : trimmed
  const ms = HTTP_DATE.test(trimmed) ? Date.parse(zoned) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

const msUntil = (retryAt: string | null, serverDate: string | null, now: number): number | undefined => {
  const at = httpDate(retryAt)
  return at === undefined ? undefined : Math.max(0, at - (httpDate(serverDate) ?? now))
}
