/**
 * Parses JSON without throwing.
 *
 * @param text - anything
 * @returns `undefined`, which no JSON is, for what can't be parsed
 */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
