/** The names of a record's fields, as its type knows them. */
export const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> => {
  const keys: Array<K> = []
  for (const key in record) keys.push(key)
  return keys
}
