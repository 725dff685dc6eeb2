import { isNear } from '../util/isNear.js'

/** A field that nothing reads. */
export interface UnknownField {
  readonly key: string
  readonly value: unknown
  /** The field that was probably meant, or a list of all known ones. */
  readonly expected: string
}

/**
 * Finds the first field of a value that is not a known one. A field that is `undefined` does not count.
 *
 * @param known - an object with the known fields as its keys
 * @param elsewhere - the place or name under which a misplaced field belongs
 */
export const unknownField = (
  value: object,
  known: object,
  elsewhere: (key: string) => string | undefined = () => undefined,
): UnknownField | undefined => {
  const names = Object.keys(known)
  const found = Object.entries(value).find(([key, field]) => field !== undefined && !names.includes(key))
  if (found === undefined) return undefined
  const [key, field] = found
  const meant = elsewhere(key) ?? names.find((name) => isNear(name, key))
  const expected = meant === undefined ? `one of the fields ${names.join(', ')}` : `${meant} instead`
  return { key, value: field, expected }
}
