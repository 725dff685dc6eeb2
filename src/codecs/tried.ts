/** What a function returns, or `undefined` when it throws and nobody has to know why. */
export const tried = <A>(work: () => A): A | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}
