/**
 * Parses JSON without throwing.
 *
 * @param text - anything
 * @returns `undefined`, which JSON can't express, if it can't be parsed
 */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
