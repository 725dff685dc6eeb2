import { InvalidInput } from '../errors.js'

/** Splits chunks into lines. Mutable, owned by one subscription. */
export interface LineSplitter {
  /** The lines that a chunk ends. */
  readonly add: (chunk: Uint8Array | string) => Iterable<string>
  /** The last line, when nothing ended it. */
  readonly end: () => Iterable<string>
}

const LF = 10
const CR = 13
const BOM = '\uFEFF'

const encoder = new TextEncoder()
// A byte order mark counts at the very start only, and a decoder would drop it wherever a line begins with it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

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

const lastBreak = (chunk: Uint8Array): number => Math.max(chunk.lastIndexOf(LF), chunk.lastIndexOf(CR))

/** Ends a text between the halves of a character? */
const isCut = (text: string): boolean => /[\uD800-\uDBFF]$/.test(text)

/**
 * @param maxLineBytes - without the line break
 */
export const lineSplitter = (maxLineBytes: number): LineSplitter => {
  /** The line that isn't ended yet. */
  let open: Array<Uint8Array> = []
  let openBytes = 0
  let halfCharacter = ''
  let afterCr = false
  let lines = 0
  let started = false

  const tooLong = (): InvalidInput =>
    new InvalidInput('fromLines', {
      path: `line ${lines + 1}`,
      expected: `at most ${maxLineBytes} bytes`,
      found: 'more',
    })

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

  const keepOpen = (rest: Uint8Array): void => {
    if (rest.length === 0) return
    open.push(rest)
    openBytes += rest.length
    if (openBytes > maxLineBytes) throw tooLong()
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
      const bytes = afterCr && all[0] === LF ? all.subarray(1) : all
      afterCr = all.at(-1) === CR
      const end = lastBreak(bytes)
      if (end === -1) return keepOpen(bytes)
      const block = takeOpen(bytes.subarray(0, end + 1))
      const ended = textOf(block).split(/\r\n|\r|\n/)
      ended.pop()
      // No line can be too long in a block that isn't.
      const mayBeLong = block.length > maxLineBytes
      for (const line of ended) {
        if (mayBeLong && encoder.encode(line).length > maxLineBytes) throw tooLong()
        lines += 1
        yield line
      }
      keepOpen(bytes.subarray(end + 1))
    },
    *end() {
      const line = textOf(takeOpen(encoder.encode(halfCharacter)))
      if (line !== '') yield line
    },
  }
}
