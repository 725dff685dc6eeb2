/** A text under construction. Mutable, and owned by the code that appends to it. */
export interface TextBuilder {
  /** The part that is joined already. */
  done: string
  /** The pieces that came since. */
  pieces: Array<string>
  /** How many characters `pieces` have. */
  size: number
}

// Characters that wait in a list before they are joined. A text that grows by `+=`, token by token, is a chain as long as
// the reply, which the garbage collector follows from end to end, again and again, while the stream lasts.
const BLOCK = 512

/** Makes an empty text to append to. */
export const emptyText = (): TextBuilder => ({ done: '', pieces: [], size: 0 })

/** Appends a piece to a text. */
export const appendText = (text: TextBuilder, piece: string): void => {
  if (piece === '') return
  text.pieces.push(piece)
  text.size += piece.length
  if (text.size < BLOCK) return
  text.done = builtText(text)
  text.pieces = []
  text.size = 0
}

/** Replaces the text so far with a whole one. */
export const replaceText = (text: TextBuilder, whole: string): void => {
  text.done = whole
  text.pieces = []
  text.size = 0
}

/** How many characters the text has so far. */
export const textLength = ({ done, size }: TextBuilder): number => done.length + size

/** The text so far. */
export const builtText = ({ done, pieces }: TextBuilder): string => done + pieces.join('')
