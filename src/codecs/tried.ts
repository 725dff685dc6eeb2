/** What a function gives, where nobody has to know why it throws: then it is `undefined`. */
export const tried = <A>(work: () => A): A | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}
