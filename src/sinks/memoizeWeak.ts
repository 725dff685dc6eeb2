/**
 * Remembers what a pure function gives for an object, as long as the object lives: all spans of a trace have the same
 * attributes, which nobody changes any more.
 *
 * @param fn - depends on the object alone
 */
export const memoizeWeak = <A extends object, B extends NonNullable<unknown>>(
  fn: (object: A) => B,
): ((object: A) => B) => {
  const known = new WeakMap<A, B>()
  return (object) => {
    const found = known.get(object)
    if (found !== undefined) return found
    const made = fn(object)
    known.set(object, made)
    return made
  }
}
