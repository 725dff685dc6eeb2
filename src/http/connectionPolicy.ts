import * as t from 'io-ts'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import { guard, integerWithin, numberWithin } from '../codecs/wire.js'
import { keysOf } from '../util/keysOf.js'
import { picked } from '../util/picked.js'
import { isBaseUrl } from './baseUrl.js'
import type { Connection, RetryPolicy } from './Connection.js'

/** The limits of a validated connection, with the defaults filled in; all times in ms, `Infinity` for no limit. */
export interface ConnectionPolicy {
  readonly timeout: number
  readonly idleTimeout: number
  readonly retry: Required<RetryPolicy>
}

/** The longest delay of a timer in Node and in browsers: 2^31 - 1 ms, 24.8 days. */
export const LONGEST_TIMER = 2_147_483_647

/** Default limit of one attempt, to its last byte, ms. */
const DEFAULT_TIMEOUT = 600_000

/** The default retry policy. */
export const DEFAULT_RETRY: Required<RetryPolicy> = {
  count: 2,
  delay: 500,
  maxDelay: 8_000,
  deadline: Number.POSITIVE_INFINITY,
  statuses: [408, 409, 429, 500, 502, 503, 504, 529],
}

/**
 * Validates a connection and fills in its defaults. It does not read the environment, which counts only at subscription.
 *
 * @param subject - the function that received the connection: the first word of the error's message
 * @param connection - as the user wrote it
 * @throws InvalidInput with the path of the first wrong option
 */
export const connectionPolicy = (subject: string, connection: Connection): ConnectionPolicy => {
  checked(subject, Options, connection)
  return {
    timeout: connection.timeout ?? DEFAULT_TIMEOUT,
    idleTimeout: connection.idleTimeout ?? Number.POSITIVE_INFINITY,
    retry: retryPolicy(connection.retry),
  }
}

/**
 * Fills in the defaults of a validated retry policy.
 *
 * @param retry - as the user wrote it
 */
export const retryPolicy = (retry: RetryPolicy = {}): Required<RetryPolicy> => ({
  ...DEFAULT_RETRY,
  ...picked(retry, keysOf(DEFAULT_RETRY)),
})

const limit = t.refinement(
  t.number,
  (ms) => (ms > 0 && ms <= LONGEST_TIMER) || ms === Number.POSITIVE_INFINITY,
  `number of ms above 0 and up to ${LONGEST_TIMER}, or Infinity`,
)

const delay = numberWithin(0, LONGEST_TIMER)

/** A retry policy as the user wrote it. */
export const RetryOptions = closed(
  t.partial(
    {
      count: integerWithin(0),
      delay,
      maxDelay: delay,
      deadline: limit,
      statuses: t.readonlyArray(integerWithin(100, 599), 'list of HTTP statuses'),
    },
    'RetryPolicy',
  ),
)

const KEY = /^[!-~]*$/

/** A key that can be sent as a bearer token. White space around it is trimmed later, and a blank key counts as absent. */
export const ApiKey = t.refinement(
  t.string,
  (key) => KEY.test(key.trim()),
  'an API key of printable ASCII characters without spaces',
)

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[\t -~\u0080-\u00ff]*$/

const headerValue = t.refinement(
  t.string,
  (value) => HEADER_VALUE.test(value),
  'a Latin-1 header value without line breaks',
)

// A `Headers` or a `Map` has no own keys, so no header would be sent.
const headers = t.refinement(
  t.record(t.string, headerValue),
  (given) => !(Symbol.iterator in given) && Object.keys(given).every((name) => HEADER_NAME.test(name)),
  'a plain object with header names as keys, such as Object.fromEntries(headers)',
)

const isFetch = (value: unknown): value is typeof fetch => typeof value === 'function'

const isSignal = (value: unknown): value is AbortSignal =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value

const baseUrl = t.refinement(
  t.string,
  (url) => url.trim() === '' || isBaseUrl(url),
  'an http(s) URL without credentials or /chat/completions (or, in a web page, a path)',
)

/** The options of a connection. */
export const connectionOptions = {
  apiKey: ApiKey,
  baseUrl,
  timeout: limit,
  idleTimeout: limit,
  fetch: guard('a fetch function', isFetch),
  headers,
  retry: RetryOptions,
  signal: guard('an AbortSignal', isSignal),
} satisfies Readonly<Record<keyof Connection, t.Mixed>>

const Options = closed(t.partial(connectionOptions, 'Connection'))
