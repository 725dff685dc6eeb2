import { fieldOf } from '../util/fieldOf.js'
import { isError } from '../util/isError.js'
import { isPlain } from '../util/isPlain.js'
import type { Scrub } from './Scrub.js'

const MAX_DEPTH = 6

/**
 * Makes what a request failed with safe to be the `cause` of an error. It is kept as it is, unless it holds a secret or
 * something that can't be inspected, such as a `Request` with its headers; then it is replaced by a plain copy of its
 * names, codes, messages and stacks, without the secrets.
 *
 * @param thrown - whatever was thrown
 * @param scrub - removes the secrets of the request
 */
export const safeCause = (thrown: unknown, scrub: Scrub): unknown => {
  const origin = withoutKy(thrown)
  return isSafe(origin, scrub, []) ? origin : copy(origin, scrub, MAX_DEPTH)
}

/**
 * Says in a few words why a request failed: the code, or otherwise the message, of the innermost error that has one.
 *
 * @param thrown - whatever was thrown
 */
export const reasonOf = (thrown: unknown): string => {
  if (typeof thrown === 'string' && thrown !== '') return thrown
  const errors = errorsIn(withoutKy(thrown))
  return errors.flatMap((error) => saidBy(error) ?? []).at(-1) ?? errors[0]?.name ?? 'unknown reason'
}

/** An error and its causes, the innermost last. The first error in an `AggregateError` counts as its cause. */
const errorsIn = (thrown: unknown, depth = MAX_DEPTH): ReadonlyArray<Error> => {
  if (depth === 0 || !isError(thrown)) return []
  const several = fieldOf(thrown, 'errors')
  return [thrown, ...errorsIn(thrown.cause ?? (Array.isArray(several) ? several[0] : undefined), depth - 1)]
}

const saidBy = (error: Error): string | undefined => {
  const code = codeOf(error)
  const message = error.message || undefined
  // undici uses one code for many failures: what a proxy answered, for example, is only in the message.
  return code?.startsWith('UND_ERR_') && message !== undefined ? `${code}, ${message}` : (code ?? message)
}

/**
 * The code of an error or of one of its causes, such as `ECONNREFUSED`.
 *
 * @param thrown - whatever was thrown
 */
export const innermostCode = (thrown: unknown): string | undefined =>
  errorsIn(thrown)
    .flatMap((error) => codeOf(error) ?? [])
    .at(-1)

const codeOf = (error: Error): string | undefined =>
  'code' in error && typeof error.code === 'string' && error.code !== '' ? error.code : undefined

/** ky wraps an error of `fetch` in a `NetworkError` of its own, whose `request` is one that was never sent. */
const withoutKy = (thrown: unknown): unknown =>
  isError(thrown) && thrown.name === 'NetworkError' && 'request' in thrown && thrown.cause !== undefined
    ? thrown.cause
    : thrown

const isSafe = (value: unknown, scrub: Scrub, above: ReadonlyArray<object>): boolean => {
  if (typeof value === 'string') return scrub(value) === value
  if (typeof value === 'function') return false
  if (typeof value !== 'object' || value === null || above.includes(value)) return true
  if (above.length >= MAX_DEPTH || !isTransparent(value)) return false
  const within = [...above, value]
  return Reflect.ownKeys(value).every((key) => isSafe(fieldOf(value, key), scrub, within))
}

/** Whether everything in an object can be inspected. */
const isTransparent = (value: object): boolean => isError(value) || Array.isArray(value) || isPlain(value)

const copy = (value: unknown, scrub: Scrub, depth: number): unknown => {
  if (!isError(value)) return typeof value === 'string' ? scrub(value) : undefined
  const cause = depth > 0 ? copy(value.cause, scrub, depth - 1) : undefined
  const error = new Error(scrub(value.message), cause === undefined ? undefined : { cause })
  error.name = scrub(value.name)
  error.stack = scrub(value.stack ?? '')
  const code = codeOf(value)
  return code === undefined ? error : Object.assign(error, { code: scrub(code) })
}
