/** Groups values by a key. Values keep their order, and keys are in the order of their first values. */
export const grouped = <A, K>(
  values: Iterable<A>,
  keyOf: (value: A) => K,
): ReadonlyMap<K, readonly [A, ...ReadonlyArray<A>]> => {
  const groups = new Map<K, [A, ...Array<A>]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
