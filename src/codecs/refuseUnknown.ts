import { refuse } from './refuse.js'
import { unknownField } from './unknownField.js'

/**
 * Refuses what is no object of options, and an option that nobody reads: it would have no effect, and a misspelt `baseUrl`
 * would send the request, and its key, to another host. The compiler finds these in literals only.
 *
 * @param subject - who was given the options: the first word of the error's message
 * @param known - an object with the options as its keys, the one first that is given most
 * @param elsewhere - where an option of another place or name belongs
 * @throws InvalidInput
 */
export const refuseUnknown = (
  subject: string,
  options: object,
  known: object,
  elsewhere?: (option: string) => string | undefined,
): void => {
  // In JavaScript all is possible: a name, null, another operator.
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const [example] = Object.keys(known)
    refuse(subject, '', `options, such as { ${example} }`, options)
  }
  const unknown = unknownField(options, known, elsewhere)
  if (unknown !== undefined) refuse(subject, unknown.key, unknown.expected, unknown.value)
}
