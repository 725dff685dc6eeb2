/** A text under way. Mutable, owned by whoever appends to it. */
export interface TextBuilder {
  /** What is put together already. */
  done: string
  /** What came since, and how many characters that is. */
  pieces: Array<string>
  size: number
}

// Characters. Up to so many, pieces wait in a list to be put together: a text that grows by `+=`, token by token, is a chain
// as long as the reply, which a garbage collector follows from end to end, again and again, while the stream lasts.
const BLOCK = 512

/**
 * Appends a piece to a text.
 *
 * @param text - `undefined` for one that begins
 * @returns the same builder, or the new one
 */
export const appendText = (text: TextBuilder | undefined, piece: string): TextBuilder => {
  if (text === undefined) return { done: '', pieces: [piece], size: piece.length }
  if (piece === '') return text
  text.pieces.push(piece)
  text.size += piece.length
  if (text.size >= BLOCK) {
    text.done = builtText(text)
    text.pieces = []
    text.size = 0
  }
  return text
}

/** The text so far. */
export const builtText = (text: TextBuilder | undefined): string =>
  text === undefined ? '' : text.done + text.pieces.join('')
