import { describeFound } from '../codecs/decode.js'
import { InvalidInput } from '../errors.js'

/** Refuses what is no operator, at once. @throws InvalidInput that names the parameter */
export const checkOperator = (subject: string, parameter: string, operator: unknown): void => {
  if (typeof operator === 'function') return
  throw new InvalidInput(subject, {
    path: parameter,
    expected: 'an operator',
    found: describeFound(operator),
  })
}
