/**
 * The first field of a value that is none of the known ones, as key and value. One that is `undefined` asks for nothing.
 *
 * @param known - an object with the known fields as its keys
 */
export const unknownField = (value: object, known: object): readonly [string, unknown] | undefined =>
  Object.entries(value).find(([key, field]) => field !== undefined && !Object.hasOwn(known, key))
