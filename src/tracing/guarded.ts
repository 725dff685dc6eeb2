import { describeFound } from '../codecs/describeFound.js'
import { isError } from '../codecs/isError.js'
import { tagOf } from '../codecs/tagOf.js'
import { tried } from '../codecs/tried.js'
import { warn } from './warn.js'

/** Takes what something threw that must not disturb the pipeline. */
export type Report = (error: unknown) => void

const messageOf = (error: unknown): string => (isError(error) ? error.message : describeFound(error))

/** The name of an error alone, where its message could hold what must not be told. */
export const nameOf = (error: unknown): string => (isError(error) ? error.name : typeof error)

/** Reports the first throw, in a message that is made of what was thrown. */
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

/** Reports the first throw of something that the trace of a name was given. */
export const reporter = (name: string, what: string, describe = messageOf): Report =>
  reporterOf('RESPAN_TRACE', (thrown) => `${name}: ${what} threw: ${thrown}`, describe)

/** What can't be looked at (a message that is no text, a getter that throws, a revoked proxy) by its type. */
const described = (error: unknown, describe: (error: unknown) => string): string =>
  tried(() => `${describe(error)}`) ?? typeof error

/** What a function of the user's gives; `undefined` when it throws. */
export const guarded = <A>(report: Report, fn: () => A): A | undefined => {
  try {
    return fn()
  } catch (error) {
    report(error)
    return undefined
  }
}

/** A promise of any realm; a native one, too, where zone.js has replaced the class. */
const isPromise = (value: object): boolean =>
  value instanceof Promise || ('then' in value && tagOf(value) === 'Promise')

// A function of its own: one with a closure in it allocates what that needs at each call, and `heeded` is called for each event.
const heed = (report: Report, given: object): void => {
  // Even to look at it may throw: a revoked proxy.
  guarded(report, () => isPromise(given) && Promise.resolve(given).catch(report))
}

/** What was given. A promise's rejection is reported like a throw: nobody waits for it, so that it would end the process. */
export const heeded = <A>(report: Report, given: A): A => {
  if (typeof given === 'object' && given !== null) heed(report, given)
  return given
}

/** `guarded` for a function that may be async. */
export const guardedAsync = <A>(report: Report, fn: () => A): A | undefined =>
  heeded(report, guarded(report, fn))

/** What a function of the user's makes of a value. A promise that it only passes on is for others to handle. */
export const mapped = <A>(report: Report, map: (value: A) => unknown, value: A): unknown => {
  const made = guarded(report, () => map(value))
  return made === value ? made : heeded(report, made)
}
