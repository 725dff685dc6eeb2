import { describeFound } from '../codecs/describeFound.js'
import { warn } from './warn.js'

/** Takes a throw of something that must not disturb the pipeline. */
export type Report = (error: unknown) => void

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : describeFound(error))

/** By its name alone, where a message could hold what must not be told. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error)

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

const described = (error: unknown, describe: (error: unknown) => string): string => {
  try {
    return `${describe(error)}`
  } catch {
    // What can't be looked at: a message that is no text, a getter that throws, a revoked proxy.
    return typeof error
  }
}

/** What was given; a promise's rejection is reported like a throw, since nobody waits for it and it would end the process. */
export const heeded = <A>(report: Report, given: A): A => {
  if (given instanceof Promise) given.catch(report)
  return given
}

/** What a function of the user's gives; `undefined` when it throws. */
export const guarded = <A>(report: Report, fn: () => A): A | undefined => {
  try {
    return heeded(report, fn())
  } catch (error) {
    report(error)
    return undefined
  }
}
