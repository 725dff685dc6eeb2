/** The keys of a record, with the type that the record has for them. */
export const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> => {
  const keys: Array<K> = []
  for (const key in record) keys.push(key)
  return keys
}
