import { SPACE } from '../strip.js'

const PUNCTUATION = `[\\p{L}\\p{N}_!"'&.,?]`
const LETTER = '[\\p{L}\\p{Nl}\\p{No}_]'
const WHITE = '[\\t\\n\\x0b\\x0c\\r ]'
const BLACK = '[^\\t\\n\\x0b\\x0c\\r ]'

/** Python's `textwrap.TextWrapper.wordsep_re`: white space, dashes between words, words with their hyphens. */
const PIECES = new RegExp(
  `(${WHITE}+|(?<=${PUNCTUATION})-{2,}(?=[\\p{L}\\p{N}_])|${BLACK}+?(?:-(?:(?<=${LETTER}{2}-)|(?<=${LETTER}-${PUNCTUATION}-))(?=${LETTER}-?${LETTER})|(?=${WHITE}|$)|(?<=${PUNCTUATION})(?=-{2,}[\\p{L}\\p{N}_])))`,
  'u',
)

const WORDS = new RegExp(`(${WHITE}+)`, 'u')

const IS_BLANK = new RegExp(`^[${SPACE}]*$`, 'u')

/** The first code points of a text, without reading the rest. */
const prefix = (text: string, count: number): string => {
  let end = 0
  for (let taken = 0; taken < count && end < text.length; taken += 1) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  }
  return text.slice(0, end)
}

export interface WrapOptions {
  readonly width: number
  readonly breakLongWords: boolean
  readonly breakOnHyphens: boolean
}

/** The part of a word too long for a line that goes into what is left of this one. */
const cut = (word: string, space: number, breakOnHyphens: boolean): string => {
  const start = prefix(word, space)
  const hyphen = breakOnHyphens ? start.lastIndexOf('-') : -1
  return hyphen > 0 && /[^-]/.test(start.slice(0, hyphen)) ? start.slice(0, hyphen + 1) : start
}

/** Breaks one line of text into lines of at most some width, as Python's `textwrap.wrap` does. */
export const wrapLine = (
  text: string,
  { width, breakLongWords, breakOnHyphens }: WrapOptions,
): ReadonlyArray<string> => {
  if (width <= 0) throw new RangeError('a width that is not positive')
  const lines: Array<string> = []
  const pieces = text.split(breakOnHyphens ? PIECES : WORDS).filter((piece) => piece !== '')
  pieces.reverse()
  const isTooLong = (piece: string, space: number): boolean => prefix(piece, space) !== piece
  while (pieces.length > 0) {
    const line: Array<string> = []
    let space = width
    const take = (piece: string): void => {
      line.push(piece)
      space -= Array.from(piece).length
    }
    if (lines.length > 0 && IS_BLANK.test(prefix(pieces.at(-1) ?? '', width))) pieces.pop()
    for (let next = pieces.at(-1); next !== undefined && !isTooLong(next, space); next = pieces.at(-1)) {
      take(next)
      pieces.pop()
    }
    const long = pieces.at(-1)
    if (long !== undefined && isTooLong(long, width)) {
      const start = cut(long, space, breakOnHyphens)
      if (breakLongWords) {
        take(start)
        pieces[pieces.length - 1] = long.slice(start.length)
      } else if (line.length === 0) {
        take(long)
        pieces.pop()
      }
    }
    if (IS_BLANK.test(line.at(-1) ?? '-')) line.pop()
    if (line.length > 0) lines.push(line.join(''))
  }
  return lines
}
