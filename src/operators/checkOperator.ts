import { describeFound } from '../codecs/decode.js'
import { InvalidInput } from '../errors.js'

/** Refuses what is no operator, at once. @throws InvalidInput that names the parameter */
export const checkOperator = (combinator: string, parameter: string, operator: unknown): void => {
  if (typeof operator === 'function') return
  throw new InvalidInput(combinator, {
    path: parameter,
    expected: 'an operator',
    found: describeFound(operator),
  })
}
