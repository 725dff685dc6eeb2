import { InvalidInput } from '../errors.js'
import { isError } from '../util/isError.js'

/**
 * Runs a part of a template, and makes an `InvalidInput` of whatever it throws; one that is an `InvalidInput` already says
 * more, and passes.
 *
 * @param subject - who was given the template: the first word of an error's message
 * @param path - what it was about
 */
export const orInvalidInput = <T>(subject: string, path: string, expected: string, run: () => T): T => {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof InvalidInput) throw cause
    const found = isError(cause) ? cause.message : String(cause)
    throw new InvalidInput(subject, { path, expected, found, cause })
  }
}
