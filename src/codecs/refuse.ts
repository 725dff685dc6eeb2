import { InvalidInput } from '../errors.js'
import { describeFound } from './describeFound.js'

/**
 * Refuses a value that a user passed in. The error describes the value and never repeats it.
 *
 * @param subject - the function that received it: the first word of the error's message
 * @throws InvalidInput
 */
export const refuse = (subject: string, path: string, expected: string, value: unknown): never => {
  throw new InvalidInput(subject, { path, expected, found: describeFound(value) })
}
