import type { DecodeFailure } from './codecs/DecodeFailure.js'
import type { Reply } from './codecs/Reply.js'

/** What a gateway's answer, or what there was of it, tells about a failed call. */
export interface CallDetails {
  /** The gateway's id of the request (`x-respan-gateway-request-id`, `x-request-id`): quote it to support. */
  readonly requestId?: string | undefined
  /** The gateway's id of the log it wrote (`x-respan-log-id`). */
  readonly logId?: string | undefined
  /** What had arrived before the failure: texts so far, finish reasons and usage as far as known. */
  readonly partial?: Reply | undefined
  readonly cause?: unknown
}

interface RefusalDetails extends CallDetails {
  readonly body?: unknown
  readonly code?: string | undefined
  readonly retryAfter?: number | undefined
}

const setName = (error: Error, name: string): void => {
  Object.defineProperty(error, 'name', { value: name, enumerable: false, configurable: true })
}

const withCause = (cause: unknown): ErrorOptions | undefined => (cause === undefined ? undefined : { cause })

const wrongShape = (subject: string, { path, expected, found }: DecodeFailure): string =>
  `${subject}: ${path === '' ? '' : `${path}: `}expected ${expected}, found ${found}.`

abstract class CallError extends Error {
  // Declared only: a field that is not known is not there, and not among what a console prints of the error.
  declare readonly requestId: string | undefined
  declare readonly logId: string | undefined
  declare readonly partial: Reply | undefined

  constructor(name: string, message: string, { requestId, logId, partial, cause }: CallDetails) {
    super(message, withCause(cause))
    setName(this, name)
    if (requestId !== undefined) this.requestId = requestId
    if (logId !== undefined) this.logId = logId
    if (partial !== undefined) this.partial = partial
  }
}

/**
 * No API key was given for a host that demands one.
 *
 * Occurs when a request is about to be made. A retry can't help: set the environment
 * variable that the message names, or pass `apiKey`. A page shows its key to everybody: there, pass the `baseUrl` of a
 * server that adds it.
 */
export class MissingApiKey extends Error {
  readonly _tag = 'MissingApiKey'
  readonly variable: string

  constructor(variable: string) {
    super(
      `No API key: set ${variable} in the environment, or pass { apiKey }; in a page, pass the baseUrl of a server of yours that adds it.`,
    )
    setName(this, 'MissingApiKey')
    this.variable = variable
  }
}

/**
 * A value of yours has the wrong shape: an option, a prompt variable, a template, a message.
 *
 * Thrown when an operator is built if it can be known by then, otherwise emitted before any request.
 * A retry can't help: `path`, `expected` and `found` say what to change. `found` repeats a number, a truth value or a
 * template's word; of anything else it tells kind, size and keys alone.
 */
export class InvalidInput extends Error {
  readonly _tag = 'InvalidInput'
  readonly path: string
  readonly expected: string
  readonly found: string

  constructor(subject: string, problem: DecodeFailure & { readonly cause?: unknown }) {
    super(wrongShape(subject, problem), withCause(problem.cause))
    setName(this, 'InvalidInput')
    this.path = problem.path
    this.expected = problem.expected
    this.found = problem.found
  }
}

/**
 * A 2xx answer is not what the contract says: not JSON, the wrong shape, HTML from a proxy.
 *
 * A retry rarely helps: look at what stands between you and the gateway (`baseUrl`, a proxy).
 */
export class InvalidResponse extends CallError {
  readonly _tag = 'InvalidResponse'
  readonly path: string
  readonly expected: string
  readonly found: string

  constructor(subject: string, problem: CallDetails & DecodeFailure) {
    super('InvalidResponse', wrongShape(subject, problem), problem)
    this.path = problem.path
    this.expected = problem.expected
    this.found = problem.found
  }
}

/**
 * The server refused the call with an HTTP status other than 429.
 *
 * 400 and 422: change the request. 401 from Respan: a `detail` in the body speaks of its key, an `error` of the
 * provider key stored there. 5xx: was retried as far as the retry policy goes.
 */
export class HttpError extends CallError {
  readonly _tag = 'HttpError'
  readonly status: number
  /** The decoded JSON body, or the first characters of the text. */
  readonly body: unknown
  /** The provider's or platform's own code, such as `insufficient_quota`. */
  readonly code: string | undefined
  /** How long the server asks to wait, in ms; `undefined` when it didn't say. */
  readonly retryAfter: number | undefined

  constructor(message: string, answer: RefusalDetails & { readonly status: number }) {
    super('HttpError', message, answer)
    this.status = answer.status
    this.body = answer.body
    this.code = answer.code
    this.retryAfter = answer.retryAfter
  }
}

/**
 * HTTP 429: a limit of the platform, the provider, a key, a customer or a budget.
 *
 * Was retried as far as the retry policy goes, except for a quota that is used up (`insufficient_quota`,
 * `billing_hard_limit_reached`), which no retry cures.
 */
export class RateLimited extends CallError {
  readonly _tag = 'RateLimited'
  readonly status = 429
  /** How long the server asks to wait, in ms; `undefined` when it didn't say. */
  readonly retryAfter: number | undefined
  readonly body: unknown
  readonly code: string | undefined

  constructor(message: string, answer: RefusalDetails) {
    super('RateLimited', message, answer)
    this.retryAfter = answer.retryAfter
    this.body = answer.body
    this.code = answer.code
  }
}

/** What was waited for when the time ran out. */
export type TimeoutPhase = 'headers' | 'body' | 'idle' | 'retry' | 'flush'

/**
 * A time limit ran out: `timeout` before the headers (`headers`) or before the last byte (`body`), `idleTimeout` between
 * two chunks (`idle`), `retry.deadline` over all attempts (`retry`), `flushTimeout` of a sink (`flush`). Or Node's own
 * `fetch` gave up.
 *
 * A generator doesn't retry: the first call may still be running, and billed. A sink does.
 */
export class Timeout extends CallError {
  readonly _tag = 'Timeout'
  readonly phase: TimeoutPhase
  /** The limit that ran out, ms; where `fetch` gave up, the time that had passed. */
  readonly limit: number

  constructor(phase: TimeoutPhase, limit: number, call: CallDetails = {}) {
    super('Timeout', `Timed out after ${limit} ms (${phase}).`, call)
    this.phase = phase
    this.limit = limit
  }
}

/** The request got no answer: name not resolved, connection refused or reset before the headers. Was retried. */
export class NetworkError extends CallError {
  readonly _tag = 'NetworkError'

  constructor(message: string, call: CallDetails = {}) {
    super('NetworkError', message, call)
  }
}

/**
 * An answer broke off: the connection was reset in the middle of it, or a stream ended before its `finish_reason`.
 *
 * `partial` is what had arrived. A generator doesn't retry by itself, since the work may be billed: ask again, or go on with
 * what there is.
 */
export class StreamInterrupted extends CallError {
  readonly _tag = 'StreamInterrupted'

  constructor(message: string, call: CallDetails = {}) {
    super('StreamInterrupted', message, call)
  }
}

/**
 * The gateway or the provider reported an error inside a 200 answer.
 *
 * `type` and `code` are the sender's own words, `partial` is what had arrived. A generator doesn't retry.
 */
export class GatewayError extends CallError {
  readonly _tag = 'GatewayError'
  readonly type: string | undefined
  readonly code: string | undefined

  constructor(
    message: string,
    problem: CallDetails & { readonly type?: string | undefined; readonly code?: string | undefined },
  ) {
    super('GatewayError', message, problem)
    this.type = problem.type
    this.code = problem.code
  }
}

/** The `signal` that you passed was aborted; `cause` is its reason. Unsubscribing never causes an error. */
export class Aborted extends CallError {
  readonly _tag = 'Aborted'

  constructor(call: CallDetails = {}) {
    super('Aborted', 'Aborted by the signal that was passed.', call)
  }
}

/**
 * What operators and sources of this library fail with, told apart by `_tag`; a `component` also with a `TypeError`, untagged.
 */
export type RespanError =
  | MissingApiKey
  | InvalidInput
  | InvalidResponse
  | HttpError
  | RateLimited
  | Timeout
  | NetworkError
  | StreamInterrupted
  | GatewayError
  | Aborted

const TAGS: Readonly<Record<RespanError['_tag'], true>> = {
  MissingApiKey: true,
  InvalidInput: true,
  InvalidResponse: true,
  HttpError: true,
  RateLimited: true,
  Timeout: true,
  NetworkError: true,
  StreamInterrupted: true,
  GatewayError: true,
  Aborted: true,
}

/** Tells whether a value is one of ours, by its tag, so that it works across duplicate installs and realms. */
export const isRespanError = (u: unknown): u is RespanError => {
  try {
    return (
      typeof u === 'object' &&
      u !== null &&
      '_tag' in u &&
      typeof u._tag === 'string' &&
      Object.hasOwn(TAGS, u._tag) &&
      'message' in u
    )
  } catch {
    // A revoked proxy, or a getter that throws, is none of ours.
    return false
  }
}

/** Fills in what had arrived, on an error of ours that a call met and nobody has seen yet. */
export const withPartial = <E extends RespanError>(error: E, partial: Reply): E =>
  error._tag !== 'MissingApiKey' && error._tag !== 'InvalidInput' && partial.meta.length > 0
    ? Object.assign(error, { partial })
    : error

/**
 * Folds an error by its tag; compiles only when every tag has its case.
 *
 * @example
 * const advice = matchError({ RateLimited: ({ retryAfter }) => `wait ${retryAfter} ms`, … })
 */
export const matchError =
  <B>(cases: { readonly [Tag in RespanError['_tag']]: (error: Extract<RespanError, { _tag: Tag }>) => B }) =>
  (error: RespanError): B =>
    // The key is the error's own tag, so the case takes this error; TypeScript can't correlate the two unions.
    (cases[error._tag] as (error: RespanError) => B)(error)
