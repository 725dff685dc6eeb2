import { describeFound } from '../codecs/decode.js'
import { unknownField } from '../codecs/unknownField.js'
import { InvalidInput } from '../errors.js'

const alike = (known: object, option: string): string | undefined =>
  Object.keys(known).find((name) => name.toLowerCase() === option.toLowerCase())

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
  elsewhere: (option: string) => string | undefined = () => undefined,
): void => {
  const unknown = unknownField(options, known)
  if (unknown === undefined) return
  const [option, value] = unknown
  const meant = alike(known, option) ?? elsewhere(option)
  throw new InvalidInput(operator, {
    path: option,
    expected:
      meant === undefined ? `one of the options ${Object.keys(known).join(', ')}` : `${meant} instead`,
    found: describeFound(value),
  })
}
