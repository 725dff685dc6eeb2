/**
 * Remembers the last result of a function of a string. Most processes use a single address, and would otherwise parse
 * its URL for every request.
 *
 * @param fn - pure and total
 */
export const memoizeLast = <A>(fn: (text: string) => A): ((text: string) => A) => {
  let last: { readonly text: string; readonly result: A } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, result: fn(text) }
    return last.result
  }
}
