import { identity } from 'rxjs'
import { errorMessage } from '../codecs/ErrorBody.js'
import { isRespanError, type RespanError } from '../errors.js'
import { isError } from '../util/isError.js'
import { tried } from '../util/tried.js'
import { boundedText, jsonText } from './contentText.js'
import { nameOf } from './guarded.js'
import type { SpanError, SpanStatus } from './SpanEvent.js'
import type { Trace } from './Trace.js'

/** The status of a span that fails with an error: an aborted signal cancels it, a stream that breaks off truncates it. */
export const statusOfError = (error: unknown): SpanStatus => {
  const tag = isRespanError(error) ? error._tag : undefined
  if (tag === 'Aborted') return 'cancelled'
  return tag === 'StreamInterrupted' ? 'truncated' : 'error'
}

const httpStatus = (error: RespanError): number => {
  switch (error._tag) {
    case 'HttpError':
    case 'RateLimited':
      return error.status
    case 'Timeout':
      return 504
    case 'StreamInterrupted':
      return 502
    default:
      return 500
  }
}

const NO_MESSAGE: SpanError = { tag: 'unknown', status: 500 }

const textOf = (thrown: unknown): string =>
  (typeof thrown === 'object' ? jsonText(thrown) : undefined) ?? String(thrown)

/** A part of a message that is content, with what introduces it. */
interface Quotation {
  readonly before: string
  readonly text: string
}

/** What the message of a `RespanError` quotes: a number that was found, or a server, which may repeat what it was asked. */
const quotationIn = (error: RespanError): Quotation | undefined => {
  if ('found' in error) return { before: ', found ', text: error.found }
  switch (error._tag) {
    case 'HttpError':
    case 'RateLimited': {
      const text = errorMessage(error.body)
      return text === undefined ? undefined : { before: ': ', text }
    }
    case 'GatewayError':
      return { before: '', text: error.message }
    default:
      return undefined
  }
}

/** The message of a `RespanError`. What it quotes is treated as content. */
const messageOf = (error: RespanError, { captureContent, redact }: Trace): string => {
  const quotation = quotationIn(error)
  if (quotation === undefined) return error.message
  const { before, text } = quotation
  const kept = captureContent ? redact(text) : undefined
  const message = error.message.replace(`${before}${text}`, () =>
    typeof kept === 'string' ? `${before}${kept}` : '',
  )
  return message === '' ? 'The gateway reported an error.' : message
}

/** A stack with its message replaced; `undefined` if the message isn't in it, because the stack may hold an older message. */
const stackWith = (stack: string | undefined, original: string, message: string): string | undefined => {
  if (original === message || stack === undefined) return stack
  return original !== '' && stack.includes(original) ? stack.replaceAll(original, () => message) : undefined
}

/**
 * Adds a message to an error's record, and the stack with that message in place of the original one.
 *
 * @param redact - maps the stack, which may also hold messages of other errors, those of its causes
 */
export const withMessage = (
  failure: SpanError,
  message: string,
  original: string,
  stack: string | undefined,
  redact: (stack: string) => unknown = identity,
): SpanError => {
  const replaced = stackWith(stack, original, message)
  const told = replaced === undefined ? undefined : redact(replaced)
  return { ...failure, message, ...(typeof told === 'string' ? { stack: told } : {}) }
}

const describe = (error: unknown, trace: Trace): SpanError => {
  if (isRespanError(error)) {
    const failure = { tag: error._tag, status: httpStatus(error) }
    return withMessage(failure, messageOf(error, trace), error.message, error.stack)
  }
  const failure = { tag: nameOf(error), status: 500 }
  if (!trace.captureContent) return failure
  const known = isError(error) ? error : undefined
  const original = known === undefined ? textOf(error) : known.message
  const redacted = trace.redact(original)
  if (typeof redacted !== 'string') return failure
  return withMessage(failure, boundedText(redacted, trace), original, known?.stack, trace.redact)
}

/** An error as its span records it. The message of an error that isn't a `RespanError` is treated as content. */
export const spanError = (error: unknown, trace: Trace): SpanError =>
  tried(() => describe(error, trace)) ?? NO_MESSAGE
