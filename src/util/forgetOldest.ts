type Collection<K> = Pick<Map<K, unknown>, 'size' | 'keys' | 'delete'>

/** Removes the oldest entry of a map or a set that holds more than `most` entries. */
export const forgetOldest = <K>(collection: Collection<K>, most: number): void => {
  if (collection.size <= most) return
  const [oldest] = collection.keys()
  if (oldest !== undefined) collection.delete(oldest)
}
