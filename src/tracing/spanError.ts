import { identity } from 'rxjs'
import { isError } from '../codecs/isError.js'
import { tried } from '../codecs/tried.js'
import { isRespanError, type RespanError } from '../errors.js'
import { boundedText, jsonText } from './contentText.js'
import { nameOf } from './guarded.js'
import type { SpanError, SpanStatus } from './SpanEvent.js'
import type { Trace } from './Trace.js'

/** How a span ends that met this error: a signal's abort is a cancellation, a stream without an end is truncated. */
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

/** The message of one of ours: what was found is content, since a number is told as it is. */
const messageOf = (error: RespanError, { captureContent, redact }: Trace): string => {
  if (!('found' in error)) return error.message
  const found = captureContent ? redact(error.found) : undefined
  return error.message.replace(`, found ${error.found}`, () =>
    typeof found === 'string' ? `, found ${found}` : '',
  )
}

/** A stack with its message replaced; none where the message can't be found in it, for it may hold an older one. */
const stackWith = (stack: string | undefined, original: string, message: string): string | undefined => {
  if (original === message || stack === undefined) return stack
  return original !== '' && stack.includes(original) ? stack.replaceAll(original, () => message) : undefined
}

/**
 * A failure with what may be said of its message, also where the stack says it.
 *
 * @param redact - maps the stack, which may tell the messages of other errors, too: those of its causes
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

/** A failure as its span tells it. The message of an error that isn't ours is content, and treated as such. */
export const spanError = (error: unknown, trace: Trace): SpanError =>
  tried(() => describe(error, trace)) ?? NO_MESSAGE
