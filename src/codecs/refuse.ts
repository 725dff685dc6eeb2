import { InvalidInput } from '../errors.js'
import { describeFound } from './describeFound.js'

/**
 * Refuses a value of the user's, which the error describes and never repeats.
 *
 * @param subject - who was given it: the first word of the error's message
 * @throws InvalidInput
 */
export const refuse = (subject: string, path: string, expected: string, value: unknown): never => {
  throw new InvalidInput(subject, { path, expected, found: describeFound(value) })
}
