type Defined = NonNullable<unknown> | null

type Picked<A, K extends keyof A> = { [P in K]?: A[P] & Defined }

/** Picks fields of a value, without those that are `undefined`. */
export const picked = <A extends object, K extends keyof A>(
  value: A,
  keys: ReadonlyArray<K>,
): Picked<A, K> => {
  const some: Picked<A, K> = {}
  for (const key of keys) {
    const field = value[key]
    if (field !== undefined) some[key] = field
  }
  return some
}
