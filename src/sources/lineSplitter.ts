import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from '#fp/Either'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { appendText, builtText, emptyText, replaceText, textLength } from '../codecs/textBuilder.js'

/** A line without its end, or why there is none. */
export type Line = Either<DecodeFailure, string>

/** Splits chunks into lines. Mutable, owned by one subscription. */
interface LineSplitter {
  /** The lines that a chunk ends, and the one that it makes too long, whose rest is passed over. */
  readonly add: (chunk: Uint8Array | string) => ReadonlyArray<Line>
  /** The last line, when nothing ended it. */
  readonly end: () => ReadonlyArray<Line>
}

const BREAK = /\r\n|\r|\n/
const BOM = '\uFEFF'

/** Half a character, which a text can hold and bytes can't. */
const HALF = /\p{Surrogate}/gu

/**
 * Makes a splitter for one stream.
 *
 * @param maxLineLength - in UTF-16 code units, without the line break
 */
export const lineSplitter = (maxLineLength: number): LineSplitter => {
  // Made here, not with the module: a page made for tests may have no TextDecoder, and still import the library.
  // A byte order mark counts at the very start only, also where a text between the bytes makes the decoder begin anew.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let started = false
  let afterCr = false
  /** Looking for halves in every line would take as long as all the rest. */
  let hasHalves = false
  /** The line that isn't ended yet. */
  const open = emptyText()
  /** It is too long, which was told. */
  let skipping = false

  const tooLong: Line = left({ path: '', expected: `at most ${maxLineLength} characters`, found: 'more' })

  /** What goes on with the chunk: without the mark at the start, and without the LF of a CRLF that was cut. */
  const textOf = (chunk: Uint8Array | string): string => {
    const isText = typeof chunk === 'string'
    const text = isText ? decoder.decode() + chunk : decoder.decode(chunk, { stream: true })
    if (text === '') return ''
    if (isText) hasHalves ||= text.search(HALF) >= 0
    const skipped = started ? afterCr && text.startsWith('\n') : text.startsWith(BOM)
    started = true
    afterCr = text.endsWith('\r')
    return skipped ? text.slice(1) : text
  }

  const grow = (piece: string): Line | undefined => {
    if (skipping) return undefined
    appendText(open, piece)
    if (textLength(open) <= maxLineLength) return undefined
    replaceText(open, '')
    skipping = true
    return tooLong
  }

  const openLine = (): Line | undefined => {
    if (skipping) return undefined
    const line = builtText(open)
    return right(hasHalves ? line.replaceAll(HALF, '\uFFFD') : line)
  }

  const endWith = (piece: string): Line | undefined => {
    const line = grow(piece) ?? openLine()
    replaceText(open, '')
    skipping = false
    return line
  }

  return {
    add: (chunk) => {
      const pieces = textOf(chunk).split(BREAK)
      const last = pieces.pop() ?? ''
      return [...pieces.map(endWith), grow(last)].filter((line) => line !== undefined)
    },
    end: () => {
      const rest = decoder.decode()
      const line = textLength(open) === 0 && rest === '' ? undefined : endWith(rest)
      return line === undefined ? [] : [line]
    },
  }
}
