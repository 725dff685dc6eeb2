/** A text that is being put together. Mutable, owned by whoever appends to it. */
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

/** An empty text, to append to. */
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

/** Puts a whole text in the place of what there was. */
export const replaceText = (text: TextBuilder, whole: string): void => {
  text.done = whole
  text.pieces = []
  text.size = 0
}

/** How many characters there are so far. */
export const textLength = ({ done, size }: TextBuilder): number => done.length + size

/** The text so far. */
export const builtText = ({ done, pieces }: TextBuilder): string => done + pieces.join('')
