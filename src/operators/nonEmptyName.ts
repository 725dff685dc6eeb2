import { describeFound } from '../codecs/decode.js'
import { InvalidInput } from '../errors.js'

/** Refuses a span without a name, at once. */
export const nonEmptyName = (operator: string, name: unknown): void => {
  if (typeof name === 'string' && name.trim() !== '') return
  throw new InvalidInput(operator, {
    path: 'name',
    expected: 'a name for the span',
    found: describeFound(name),
  })
}
