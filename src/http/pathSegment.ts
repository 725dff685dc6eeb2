import { tried } from '../codecs/tried.js'

/**
 * Writes a text as one segment of an address's path.
 *
 * @returns `undefined` for what can't be one: `.` and `..`, which lead elsewhere however they are written, nothing but
 *   blanks, and half a character
 * @see https://url.spec.whatwg.org/#double-dot-path-segment
 */
export const pathSegment = (text: string): string | undefined => {
  if (text.trim() === '' || text === '.' || text === '..') return undefined
  return tried(() => encodeURIComponent(text))
}
