import { describeFound } from '../codecs/decode.js'
import { unknownField } from '../codecs/unknownField.js'
import { InvalidInput } from '../errors.js'

/**
 * Refuses an option that nothing reads: what it asks for would not happen, and a misspelt address would send the request,
 * and its key, to another host. The compiler sees it in literals alone.
 *
 * @param known - an object with the options as its keys
 * @param elsewhere - where an option of another place or name belongs
 * @throws InvalidInput
 */
export const refuseUnknown = (
  operator: string,
  options: object,
  known: object,
  elsewhere?: (option: string) => string | undefined,
): void => {
  const unknown = unknownField(options, known, elsewhere)
  if (unknown === undefined) return
  const { key, value, expected } = unknown
  throw new InvalidInput(operator, { path: key, expected, found: describeFound(value) })
}
