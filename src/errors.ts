import type { DecodeFailure } from './codecs/DecodeFailure.js'
import type { Reply } from './codecs/Reply.js'

/** What is known about a failed call. */
export interface CallDetails {
  /** The gateway's id of the request (`x-respan-gateway-request-id`, `x-request-id`); support asks for it. */
  readonly requestId?: string | undefined
  /** The gateway's id of its log of the request (`x-respan-log-id`). */
  readonly logId?: string | undefined
  /** What had arrived before the failure: the texts so far, and finish reasons and usage where known. */
  readonly partial?: Reply | undefined
  /** What led to this error. */
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
  // `declare` emits no field, so what isn't known is absent and a console doesn't print it as `undefined`.
  /** The gateway's id of the request; support asks for it. */
  declare readonly requestId: string | undefined
  /** The gateway's id of its log of the request. */
  declare readonly logId: string | undefined
  /** What had arrived before the failure. */
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
 * No API key was given for a host that requires one.
 *
 * Occurs just before a request. A retry can't help: set the environment variable that the message names, or pass
 * `apiKey`. A key in a web page is visible to everyone: there, pass the `baseUrl` of a server that adds it.
 */
export class MissingApiKey extends Error {
  readonly _tag = 'MissingApiKey'
  /** The environment variable that the key was looked for in. */
  readonly variable: string

  constructor(variable: string) {
    super(
      `No API key: set ${variable} in the environment, or pass { apiKey }. In a web page, pass the baseUrl of your own server that adds it.`,
    )
    setName(this, 'MissingApiKey')
    this.variable = variable
  }
}

/**
 * A value of yours has the wrong shape: an option, a prompt variable, a template, a message.
 *
 * Thrown when the operator is built, if the mistake shows by then; otherwise emitted before any request.
 * A retry can't help: `path`, `expected` and `found` say what to change. `found` repeats a number, a boolean or a word
 * of a template as it is; of any other value it gives only the kind, the size and the keys.
 */
export class InvalidInput extends Error {
  readonly _tag = 'InvalidInput'
  /** Where the wrong value is, such as `messages[1].role`; `''` for the whole. */
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
 * A 2xx answer breaks the contract: it isn't JSON, has the wrong shape, or is a proxy's HTML.
 *
 * A retry rarely helps: check what stands between you and the gateway (`baseUrl`, a proxy).
 */
export class InvalidResponse extends CallError {
  readonly _tag = 'InvalidResponse'
  /** Where the answer breaks the contract, such as `choices[0].message`; `''` for the whole. */
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
 * 400 and 422: change the request. 401 from Respan: a `detail` in the body is about the Respan key, an `error` about
 * the provider key stored there. 5xx: the call was already retried as the retry policy allows.
 */
export class HttpError extends CallError {
  readonly _tag = 'HttpError'
  /** The HTTP status. */
  readonly status: number
  /** The decoded JSON body, or the first characters of the text. */
  readonly body: unknown
  /** The provider's or platform's own code, such as `insufficient_quota`. */
  readonly code: string | undefined
  /** How long the server asks you to wait, in ms; `undefined` when it didn't say. */
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
 * HTTP 429: a limit of the platform, the provider, a key, a customer or a budget was reached.
 *
 * The call was already retried as the retry policy allows, except when a quota is used up (`insufficient_quota`,
 * `billing_hard_limit_reached`), which no retry cures.
 */
export class RateLimited extends CallError {
  readonly _tag = 'RateLimited'
  readonly status = 429
  /** How long the server asks you to wait, in ms; `undefined` when it didn't say. */
  readonly retryAfter: number | undefined
  /** The decoded JSON body, or the first characters of the text. */
  readonly body: unknown
  /** The provider's or platform's own code, such as `insufficient_quota`. */
  readonly code: string | undefined

  constructor(message: string, answer: RefusalDetails) {
    super('RateLimited', message, answer)
    this.retryAfter = answer.retryAfter
    this.body = answer.body
    this.code = answer.code
  }
}

/** What the call was waiting for when the time ran out. */
export type TimeoutPhase = 'headers' | 'body' | 'idle' | 'retry' | 'flush'

/**
 * A time limit ran out: `timeout` before the headers (`headers`) or before the last byte (`body`), `idleTimeout` between
 * two chunks (`idle`), `retry.deadline` over all attempts (`retry`), or a sink's `flushTimeout` (`flush`). It also
 * occurs when Node's own `fetch` gives up.
 *
 * A generator doesn't retry, because the first call may still be running, and be billed. A sink does.
 */
export class Timeout extends CallError {
  readonly _tag = 'Timeout'
  /** Which limit ran out. */
  readonly phase: TimeoutPhase
  /** The limit that ran out, in ms; when `fetch` gave up, the time that had passed. */
  readonly limit: number

  constructor(phase: TimeoutPhase, limit: number, call: CallDetails = {}) {
    super('Timeout', `Timed out after ${limit} ms (${phase}).`, call)
    this.phase = phase
    this.limit = limit
  }
}

/**
 * The request got no answer: the name didn't resolve, or the connection was refused or reset before the headers. The call
 * was already retried as the retry policy allows.
 */
export class NetworkError extends CallError {
  readonly _tag = 'NetworkError'

  constructor(message: string, call: CallDetails = {}) {
    super('NetworkError', message, call)
  }
}

/**
 * An answer broke off: the connection was reset midway, or a stream ended before its `finish_reason`.
 *
 * `partial` is what had arrived. A generator doesn't retry by itself, because the work may be billed: ask again, or go on
 * with what there is.
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
 * `type` and `code` are the sender's own, `partial` is what had arrived. A generator doesn't retry.
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

/** The `signal` that you passed was aborted; `cause` is its `reason`. Unsubscribing never causes an error. */
export class Aborted extends CallError {
  readonly _tag = 'Aborted'

  constructor(call: CallDetails = {}) {
    super('Aborted', 'Aborted by the signal that was passed.', call)
  }
}

/**
 * The errors that this library's operators and sources fail with, told apart by `_tag`. Not among them is the `TypeError` of
 * a `component` whose function returns something that can't be observed.
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

/**
 * Tells whether a value is an error of this library. It goes by the tag, so it also works across realms and duplicate
 * installs.
 */
export const isRespanError = (value: unknown): value is RespanError => {
  try {
    return (
      typeof value === 'object' &&
      value !== null &&
      '_tag' in value &&
      typeof value._tag === 'string' &&
      Object.hasOwn(TAGS, value._tag) &&
      'message' in value
    )
  } catch {
    // A revoked proxy, or a getter that throws.
    return false
  }
}

/** Adds what had arrived to a call's error. It changes the error, which nobody else may have seen yet. */
export const withPartial = <E extends RespanError>(error: E, partial: Reply): E =>
  error._tag !== 'MissingApiKey' && error._tag !== 'InvalidInput' && partial.meta.length > 0
    ? Object.assign(error, { partial })
    : error

/**
 * Folds an error by its tag. It compiles only if every tag has a case.
 *
 * @example
 * const advice = matchError({ RateLimited: ({ retryAfter }) => `wait ${retryAfter} ms`, … })
 */
export const matchError =
  <B>(cases: { readonly [Tag in RespanError['_tag']]: (error: Extract<RespanError, { _tag: Tag }>) => B }) =>
  (error: RespanError): B =>
    // The case found under the error's own tag takes this error; TypeScript can't correlate the two unions.
    (cases[error._tag] as (error: RespanError) => B)(error)
