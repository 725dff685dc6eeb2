import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from '#fp/Either'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'

/** A line without its end, or why there is none. */
export type Line = Either<DecodeFailure, string>

/** Splits chunks into lines. Mutable, owned by one subscription. */
export interface LineSplitter {
  /** The lines that a chunk ends, and the one that it makes too long, whose rest is passed over. */
  readonly add: (chunk: Uint8Array | string) => Generator<Line>
  /** The last line, when nothing ended it. */
  readonly end: () => Generator<Line>
}

const LF = 10
const CR = 13
const BOM = '\uFEFF'

const join = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [first, second] = parts
  if (first !== undefined && second === undefined) return first
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Where the line ends that the chunk goes on with; -1 if it does not. */
const firstBreak = (chunk: Uint8Array): number => chunk.findIndex((byte) => byte === LF || byte === CR)

const lastBreak = (chunk: Uint8Array): number => Math.max(chunk.lastIndexOf(LF), chunk.lastIndexOf(CR))

/** What comes behind the break at an index. */
const behind = (chunk: Uint8Array, end: number): Uint8Array =>
  chunk.subarray(chunk[end] === CR && chunk[end + 1] === LF ? end + 2 : end + 1)

/** The lengths of the lines of a block that ends with a line, in bytes: its text can't tell, for U+FFFD may be one or three. */
const lengthsOf = (block: Uint8Array): ReadonlyArray<number> => {
  const lengths: Array<number> = []
  for (let rest = block; rest.length > 0; ) {
    const length = firstBreak(rest)
    lengths.push(length)
    rest = behind(rest, length)
  }
  return lengths
}

/** Whether a text ends inside a surrogate pair. */
const isCut = (text: string): boolean => /[\uD800-\uDBFF]$/.test(text)

/**
 * Makes a splitter for one stream.
 *
 * @param maxLineBytes - without the line break
 */
export const lineSplitter = (maxLineBytes: number): LineSplitter => {
  // Not made with the module: a page made for tests has neither, and may still import the library.
  const encoder = new TextEncoder()
  // A byte order mark counts at the very start only, and a decoder would drop it wherever a line begins with it.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  /** The line that isn't ended yet. */
  let open: Array<Uint8Array> = []
  let openBytes = 0
  let halfCharacter = ''
  let afterCr = false
  let started = false
  /** The open line is too long, which was told. */
  let skipping = false

  const tooLong: Line = left({ path: '', expected: `at most ${maxLineBytes} bytes`, found: 'more' })

  const bytesOf = (chunk: Uint8Array | string): Uint8Array => {
    if (typeof chunk !== 'string' && halfCharacter === '') return chunk
    if (typeof chunk !== 'string') {
      const half = encoder.encode(halfCharacter)
      halfCharacter = ''
      return join([half, chunk])
    }
    const text = halfCharacter + chunk
    const end = isCut(text) ? text.length - 1 : text.length
    halfCharacter = text.slice(end)
    return encoder.encode(text.slice(0, end))
  }

  const textOf = (block: Uint8Array): string => {
    const text = decoder.decode(block)
    if (started) return text
    started = true
    return text.startsWith(BOM) ? text.slice(1) : text
  }

  const keepOpen = function* (rest: Uint8Array): Generator<Line> {
    if (rest.length === 0) return
    // A copy: a source may use its buffer again, and a short rest must not hold a long chunk.
    open.push(rest.slice())
    openBytes += rest.length
    if (openBytes <= maxLineBytes) return
    skipping = true
    started = true
    open = []
    openBytes = 0
    yield tooLong
  }

  /** What comes after the line that is passed over, if it ends here. */
  const afterSkipped = (bytes: Uint8Array): Uint8Array => {
    if (!skipping) return bytes
    const end = firstBreak(bytes)
    if (end === -1) return bytes.subarray(bytes.length)
    skipping = false
    return behind(bytes, end)
  }

  const takeOpen = (last: Uint8Array): Uint8Array => {
    const block = join([...open, last])
    open = []
    openBytes = 0
    return block
  }

  return {
    *add(chunk) {
      const all = bytesOf(chunk)
      if (all.length === 0) return
      const bytes = afterSkipped(afterCr && all[0] === LF ? all.subarray(1) : all)
      afterCr = all.at(-1) === CR
      const end = lastBreak(bytes)
      if (end === -1) return yield* keepOpen(bytes)
      const block = takeOpen(bytes.subarray(0, end + 1))
      const ended = textOf(block).split(/\r\n|\r|\n/)
      ended.pop()
      // No line can be too long in a block that isn't.
      const lengths = block.length > maxLineBytes ? lengthsOf(block) : []
      for (const [index, line] of ended.entries())
        yield (lengths[index] ?? 0) > maxLineBytes ? tooLong : right(line)
      yield* keepOpen(bytes.subarray(end + 1))
    },
    *end() {
      if (skipping) return
      const line = textOf(takeOpen(encoder.encode(halfCharacter)))
      if (line !== '') yield right(line)
    },
  }
}
