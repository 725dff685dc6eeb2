type Collection<K> = Pick<Map<K, unknown>, 'size' | 'keys' | 'delete'>

/** Takes out of a map or a set what came first, when it holds more than so much. */
export const forgetOldest = <K>(collection: Collection<K>, most: number): void => {
  if (collection.size <= most) return
  const [oldest] = collection.keys()
  if (oldest !== undefined) collection.delete(oldest)
}
