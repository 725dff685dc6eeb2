import { isNear } from './isNear.js'

/** A field that nothing reads. */
export interface UnknownField {
  readonly key: string
  readonly value: unknown
  /** What was meant, or all that there is. */
  readonly expected: string
}

/**
 * The first field of a value that is none of the known ones. One that is `undefined` asks for nothing.
 *
 * @param known - an object with the known fields as its keys
 * @param elsewhere - where a field of another place or name belongs
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
