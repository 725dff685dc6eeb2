const QUOTE = 34
const BACKSLASH = 92
const SPACE = 32

/** The string isn't valid JSON. */
const INVALID = -1
/** The string doesn't end before the limit. */
export const UNKNOWN = -2

/**
 * The index of the closing quote of a JSON string; -1 if the string isn't valid JSON, `UNKNOWN` if it doesn't end before the
 * limit.
 *
 * @param start - the index after the opening quote
 * @param limit - the index to stop at
 */
export const endOfString = (text: string, start: number, limit: number): number => {
  const end = Math.min(text.length, limit)
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code < SPACE) return INVALID
    if (code === BACKSLASH) at++
  }
  return UNKNOWN
}
