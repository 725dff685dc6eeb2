/**
 * Remembers the results of a pure function of an object, as long as the object lives. For objects that many spans share
 * and that are not changed any more, such as a trace's attributes.
 *
 * @param fn - depends on the object only
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
