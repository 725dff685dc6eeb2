import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from '#fp/Either'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { appendText, builtText, emptyText, replaceText, textLength } from '../util/textBuilder.js'

/** A line without its line break, or why there is none. */
export type Line = Either<DecodeFailure, string>

/** Splits chunks into lines. Mutable, owned by one subscription. */
interface LineSplitter {
  /** Returns the lines that a chunk ends, and a failure for one that it makes too long, of which the rest is skipped. */
  readonly add: (chunk: Uint8Array | string) => ReadonlyArray<Line>
  /** Returns the last line, if no line break ended it. */
  readonly end: () => ReadonlyArray<Line>
}

const BREAK = /\r\n|\r|\n/
const BOM = '\uFEFF'

/** A lone surrogate: half a character, which a text can hold and UTF-8 can't. */
const HALF = /\p{Surrogate}/gu

/**
 * Makes a splitter for one stream.
 *
 * @param maxLineLength - in UTF-16 code units, without the line break
 */
export const lineSplitter = (maxLineLength: number): LineSplitter => {
  // Not made with the module, because a test environment may lack TextDecoder and still import the library. It keeps byte
  // order marks, because only the one at the very start is dropped, and a text between bytes makes the decoder start anew.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let started = false
  let afterCr = false
  /** Whether a text had lone surrogates: looking for them in every line would take as long as all the rest. */
  let hasHalves = false
  /** The line that no line break has ended yet. */
  const open = emptyText()
  /** Whether that line is too long, which has been reported. */
  let skipping = false

  const tooLong: Line = left({ path: '', expected: `at most ${maxLineLength} characters`, found: 'more' })

  /** Decodes a chunk, without a byte order mark at the start, and without the LF of a CRLF that was cut in two. */
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
