const QUOTE = 34
const BACKSLASH = 92
const SPACE = 32

/** A string that JSON does not allow. */
const INVALID = -1
/** A string that does not end before the limit. */
export const UNKNOWN = -2

/**
 * Where a string of JSON ends: at its closing quote; -1 for one that JSON does not allow, `UNKNOWN` when not before the limit.
 *
 * @param start - behind its opening quote
 * @param limit - how far to look
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
