import { retryAfterSeconds } from '../codecs/ErrorBody.js'
import { LONGEST_TIMER } from './connectionPolicy.js'

/**
 * Reads how long a server asks to wait: the header `retry-after-ms` (ms), else `retry-after` (seconds, or an HTTP
 * date, measured against the server's own `date` where it sends one), else `retry_after` in the body (seconds).
 *
 * @param headers - of the answer
 * @param body - parsed JSON of the answer, or anything else
 * @param now - ms since the epoch
 * @returns whole ms from 0 up to the longest time that a timer can wait (24.8 days); `undefined` when nothing usable
 *   was said
 */
export const retryAfter = (headers: Headers, body: unknown, now: number): number | undefined => {
  const seconds = retryAfterSeconds(body)
  const ms =
    amount(headers.get('retry-after-ms')) ??
    scaled(amount(headers.get('retry-after'))) ??
    until(headers.get('retry-after'), headers.get('date'), now) ??
    scaled(seconds)
  return ms === undefined ? undefined : Math.min(Math.ceil(ms), LONGEST_TIMER)
}

const scaled = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000

const AMOUNT = /^\d+(?:\.\d+)?$/

const amount = (text: string | null): number | undefined =>
  text !== null && AMOUNT.test(text.trim()) ? Number(text) : undefined

// Date.parse alone takes nearly anything: '-5' is a day in 2001.
const HTTP_DATE = /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/

// The form of C's asctime names no zone, and means GMT as the others do; Date.parse would take it for local time.
const ASCTIME = /:\d{2} \d{4}$/

const date = (text: string | null): number | undefined => {
  const trimmed = text?.trim() ?? ''
  const zoned = ASCTIME.test(trimmed) ? `${trimmed} GMT` : trimmed
  const ms = HTTP_DATE.test(trimmed) ? Date.parse(zoned) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

const until = (retryAt: string | null, serverDate: string | null, now: number): number | undefined => {
  const at = date(retryAt)
  return at === undefined ? undefined : Math.max(0, at - (date(serverDate) ?? now))
}
