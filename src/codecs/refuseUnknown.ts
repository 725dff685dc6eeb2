import { hasMethods } from '../util/hasMethods.js'
import { refuse } from './refuse.js'
import { unknownField } from './unknownField.js'

/** The `typeof` that an option must have; `true` for an option that is read but not checked here. */
export type OptionKind = 'boolean' | 'function' | 'number' | true

const EXPECTED = { boolean: 'boolean', function: 'a function', number: 'number' }

/**
 * Refuses anything that isn't an object of options, unknown options, and options of the wrong kind. An unknown option
 * would have no effect, and a misspelt `baseUrl` would send the request, and its key, to another host; the compiler
 * finds these in literals only. An option of the wrong kind is, for example, the `'false'` of an environment variable,
 * which is truthy.
 *
 * @param subject - the function that received the options: the first word of the error's message
 * @param known - the options and their kinds; the first one serves as the example in errors
 * @param elsewhere - the place or name under which a misplaced option belongs
 * @throws InvalidInput
 */
export const refuseUnknown = (
  subject: string,
  options: object,
  known: Readonly<Record<string, OptionKind>>,
  elsewhere?: (option: string) => string | undefined,
): void => {
  // JavaScript callers may pass anything: a name, null, another operator, a promise that was not awaited.
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
