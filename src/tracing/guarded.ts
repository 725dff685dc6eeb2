import { describeFound } from '../codecs/describeFound.js'
import { isError } from '../util/isError.js'
import { tagOf } from '../util/tagOf.js'
import { tried } from '../util/tried.js'
import { warn } from './warn.js'

/** Reports what was thrown by something that must not disturb the pipeline. */
export type Report = (error: unknown) => void

const messageOf = (error: unknown): string => (isError(error) ? error.message : describeFound(error))

/** Only the name of an error, for where its message could hold something that must not be shown. */
export const nameOf = (error: unknown): string => (isError(error) ? error.name : typeof error)

/** Makes a report of the first error only, as a warning whose message is made of the error's description. */
export const reporterOf = (
  code: string,
  message: (thrown: string) => string,
  describe = messageOf,
): Report => {
  let reported = false
  return (error) => {
    if (reported) return
    reported = true
    warn(code, message(described(error, describe)))
  }
}

/** Makes a report of the first error of something that was given to a trace; the warning names both. */
export const reporter = (name: string, what: string, describe = messageOf): Report =>
  reporterOf('RESPAN_TRACE', (thrown) => `${name}: ${what} threw: ${thrown}`, describe)

/** Describes an error, or gives its type if it can't be read (a message that isn't text, a getter that throws, a revoked proxy). */
const described = (error: unknown, describe: (error: unknown) => string): string =>
  tried(() => `${describe(error)}`) ?? typeof error

/** What a user's function returns; `undefined` if it throws, which is reported. */
export const guarded = <A>(report: Report, fn: () => A): A | undefined => {
  try {
    return fn()
  } catch (error) {
    report(error)
    return undefined
  }
}

/** Whether a value is a promise, also of another realm, and also a native one where zone.js has replaced the class. */
const isPromise = (value: object): boolean =>
  value instanceof Promise || ('then' in value && tagOf(value) === 'Promise')

// Separate, because a function with a closure in it allocates the closure's context at each call, and `heeded` is called for
// each event.
const heed = (report: Report, given: object, fulfilled?: () => void): boolean =>
  // Even reading it may throw: a revoked proxy.
  guarded(report, () => {
    if (!isPromise(given)) return false
    Promise.resolve(given).then(fulfilled, report)
    return true
  }) ?? false

/**
 * Returns a value as it is. If it is a promise, its rejection is reported like a throw: nobody else handles it, so it would end
 * the process.
 */
export const heeded = <A>(report: Report, given: A): A => {
  if (typeof given === 'object' && given !== null) heed(report, given)
  return given
}

/** {@link guarded} for a function that may be async. */
export const guardedAsync = <A>(report: Report, fn: () => A): A | undefined =>
  heeded(report, guarded(report, fn))

/**
 * {@link guarded} for a function that maps content. A promise that it makes is withheld, and reported, because a span waits
 * for nothing. One that it returns unchanged is content, and left for its owner to handle.
 *
 * @param name - of the trace
 * @param what - what the function is
 */
export const contentMapper = <A>(
  name: string,
  what: string,
  map: (content: A) => unknown,
  describe = messageOf,
): ((content: A) => unknown) => {
  const report = reporter(name, what, describe)
  const reportPromise = reporterOf(
    'RESPAN_TRACE',
    () => `${name}: ${what} returned a promise: the content is withheld.`,
  )
  return (content) => {
    const made = guarded(report, () => map(content))
    if (made === content || typeof made !== 'object' || made === null) return made
    return heed(report, made, () => reportPromise(undefined)) ? undefined : made
  }
}
