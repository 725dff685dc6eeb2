/** Some fields of a value, without those that are `undefined`. */
export const picked = <A extends object, K extends keyof A>(
  value: A,
  keys: ReadonlyArray<K>,
): Partial<Pick<A, K>> => {
  const some: Partial<Pick<A, K>> = {}
  for (const key of keys) if (value[key] !== undefined) some[key] = value[key]
  return some
}
