/**
 * Remembers the last answer of a function of a text: most processes ask for one address again and again, and each request
 * would wait until its URL is parsed.
 *
 * @param answer - pure, and total
 */
export const memoizeLast = <A>(answer: (text: string) => A): ((text: string) => A) => {
  let newest: { readonly text: string; readonly answer: A } | undefined
  return (text) => {
    if (newest?.text !== text) newest = { text, answer: answer(text) }
    return newest.answer
  }
}
