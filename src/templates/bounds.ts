/** Jinja's sandbox has the same limit for `range`. */
export const MAX_ITEMS = 100_000

/** More characters than any model reads. */
export const MAX_TEXT = 10_000_000

/** Checks a number of items that the template decides on, which may be far more than its values have. */
export const boundedItems = (count: number): number => {
  if (count <= MAX_ITEMS) return count
  throw new RangeError(`more than ${MAX_ITEMS} items`)
}

/** Checks the length of a text before it is made. */
export const boundedText = (length: number): number => {
  if (length <= MAX_TEXT) return length
  throw new RangeError(`more than ${MAX_TEXT} characters`)
}

/** A text, repeated; an empty one for less than once. */
export const repeated = (text: string, times: number): string => {
  boundedText(text.length * times)
  return text.repeat(Math.max(0, times))
}

/** Texts joined by a separator. */
export const joined = (texts: ReadonlyArray<string>, separator: string): string => {
  boundedText(texts.reduce((length, text) => length + text.length + separator.length, 0))
  return texts.join(separator)
}
