import { tried } from '../util/tried.js'

/**
 * Encodes a string as one segment of a URL's path.
 *
 * @returns `undefined` for a string that can't be a segment: `.` and `..`, which lead elsewhere even when they are
 *   escaped; a blank string; and one with a lone surrogate
 * @see https://url.spec.whatwg.org/#double-dot-path-segment
 */
export const pathSegment = (text: string): string | undefined => {
  if (text.trim() === '' || text === '.' || text === '..') return undefined
  return tried(() => encodeURIComponent(text))
}
