/** Calls a function, and returns `undefined` if it throws: for when the reason does not matter. */
export const tried = <A>(work: () => A): A | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}
