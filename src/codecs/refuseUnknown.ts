import { hasMethods } from './hasMethods.js'
import { refuse } from './refuse.js'
import { unknownField } from './unknownField.js'

/** What an option must be, where `typeof` tells; of another one, `true` says only that it is read. */
export type OptionKind = 'boolean' | 'function' | 'number' | true

const EXPECTED = { boolean: 'boolean', function: 'a function', number: 'number' }

/**
 * Refuses what isn't an object of options, and an option that nobody reads: it would have no effect, and a misspelt `baseUrl`
 * would send the request, and its key, to another host. The compiler finds these in literals only. And one of the wrong kind:
 * `'false'`, which the environment says, is no `false`.
 *
 * @param subject - who was given the options: the first word of the error's message
 * @param known - the kinds of the options, the one first that is given most
 * @param elsewhere - where an option of another place or name belongs
 * @throws InvalidInput
 */
export const refuseUnknown = (
  subject: string,
  options: object,
  known: Readonly<Record<string, OptionKind>>,
  elsewhere?: (option: string) => string | undefined,
): void => {
  // In JavaScript all is possible: a name, null, another operator, options that nobody awaited.
  if (
    typeof options !== 'object' ||
    options === null ||
    Array.isArray(options) ||
    hasMethods(options, 'then')
  ) {
    const [example] = Object.keys(known)
    refuse(subject, '', `options, such as { ${example} }`, options)
  }
  const unknown = unknownField(options, known, elsewhere)
  if (unknown !== undefined) refuse(subject, unknown.key, unknown.expected, unknown.value)
  for (const [key, kind] of Object.entries(known)) {
    const value: unknown = Reflect.get(options, key)
    if (kind !== true && value !== undefined && typeof value !== kind)
      refuse(subject, key, EXPECTED[kind], value)
  }
}
