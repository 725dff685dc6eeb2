import { isRight } from '#fp/Either'
import type { ChatChunk, ChatDelta } from '../codecs/ChatChunk.js'
import type { Fields } from '../codecs/Fields.js'
import { parseJson } from '../http/parseJson.js'
import { decodeChunk } from './decodeChunk.js'
import { endOfString } from './endOfString.js'

/**
 * The text of a valid chunk, with holes for the strings that change from one chunk to the next.
 *
 * ```
 * learnt from  {"choices":[{"delta":{"content":"Hi"}}],"obfuscation":"xY"}
 * own          {"choices":[{"delta":{"content":"    "}}],"obfuscation":"    "}    three parts
 * holes                                         content                 obfuscation
 * chunk        { choices: [{ delta: { content: 'hole 0' } }], obfuscation: 'hole 1' }
 * fits         {"choices":[{"delta":{"content":" there"}}],"obfuscation":"q"}
 * fits not     {"choices":[{"delta":{}}],"obfuscation":"q"}
 * ```
 */
export interface Mould {
  readonly chunk: ChatChunk
  readonly holes: ReadonlyArray<Hole>
  /** The text around the holes: what is before each one, its quotes included, and what is after the last. */
  readonly own: ReadonlyArray<string>
  /**
   * The same as it stood in the last text of a read: an engine stores a read of the body with one byte a character or with
   * two, and compares strings of the same kind four times as fast, which the texts of one read are.
   */
  readonly last: Array<string>
}

/** A string of a chunk that changes from one to the next: its key in JSON, where it is, and how another gets there. */
interface Hole {
  readonly key: string
  readonly read: (chunk: ChatChunk) => unknown
  readonly fill: (chunk: ChatChunk, text: string) => ChatChunk
}

// Each key written out: a computed one makes the copy five times as slow.
const HOLES: ReadonlyArray<Hole> = [
  {
    key: '"content"',
    read: ({ choices: [choice] }) => choice?.delta?.content,
    fill: (chunk, content) => withDelta(chunk, (delta) => ({ ...delta, content })),
  },
  {
    key: '"reasoning_content"',
    read: ({ choices: [choice] }) => choice?.delta?.reasoning_content,
    fill: (chunk, reasoning_content) => withDelta(chunk, (delta) => ({ ...delta, reasoning_content })),
  },
  {
    key: '"reasoning"',
    read: ({ choices: [choice] }) => choice?.delta?.reasoning,
    fill: (chunk, reasoning) => withDelta(chunk, (delta) => ({ ...delta, reasoning })),
  },
  {
    key: '"arguments"',
    read: ({ choices: [choice] }) => only(choice?.delta?.tool_calls)?.function?.arguments,
    fill: (chunk, text) =>
      withDelta(chunk, (delta) => {
        const call = delta.tool_calls?.[0]
        return { ...delta, tool_calls: [{ ...call, function: { ...call?.function, arguments: text } }] }
      }),
  },
  {
    // OpenAI's padding against those who would read the lengths of packets.
    key: '"obfuscation"',
    read: (chunk: Fields) => chunk.obfuscation,
    fill: (chunk, obfuscation) => ({ ...chunk, obfuscation }),
  },
]

const only = <A>(list: ReadonlyArray<A> | null | undefined): A | undefined =>
  list?.length === 1 ? list[0] : undefined

const withDelta = (chunk: ChatChunk, change: (delta: ChatDelta) => ChatDelta): ChatChunk => {
  const [choice] = chunk.choices
  return choice === undefined
    ? chunk
    : { ...chunk, choices: [{ ...choice, delta: change(choice.delta ?? {}) }] }
}

/** Where a hole is in a text: the string between its quotes. */
interface Place {
  readonly hole: Hole
  readonly start: number
  readonly end: number
}

const BLANKS = ' \t\n\r'

const pastBlanks = (text: string, from: number): number => {
  let at = from
  while (at < text.length && BLANKS.includes(text.charAt(at))) at++
  return at
}

/** Where the first string under a key begins, behind its quote. Not by a pattern: an engine keeps the text that one was last tried on. */
const startOf = (text: string, key: string): number | undefined => {
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    const colon = pastBlanks(text, at + key.length)
    const quote = pastBlanks(text, colon + 1)
    if (text.charAt(colon) === ':' && text.charAt(quote) === '"') return quote + 1
  }
  return undefined
}

const placeOf = (text: string, hole: Hole): Place | undefined => {
  const start = startOf(text, hole.key)
  return start === undefined ? undefined : { hole, start, end: endOfString(text, start, text.length) }
}

/** Every string that changes must have its place: a mould that held one of them would fit this text alone. */
const placesOf = (text: string, chunk: ChatChunk): ReadonlyArray<Place> => {
  const places: Array<Place> = []
  for (const hole of HOLES) {
    if (typeof hole.read(chunk) !== 'string') continue
    const place = placeOf(text, hole)
    if (place === undefined) return []
    places.push(place)
  }
  return places.sort((a, b) => a.start - b.start)
}

const filler = (index: number): string => `hole ${index}`

/** The places were found by name alone. They are the right ones if other strings there are read where they belong. */
const isTrue = (places: ReadonlyArray<Place>, chunk: ChatChunk, probed: ChatChunk): boolean =>
  places.every(({ hole }, index) => hole.read(probed) === filler(index) && hole.read(chunk) !== filler(index))

/**
 * The parts of a probe. An engine cuts without copying: those of the event would keep the whole read of the body that it came
 * with, and these keep the probe.
 */
const cutAlike = (probe: string, parts: ReadonlyArray<string>): ReadonlyArray<string> => {
  let end = 0
  return parts.map((part, index) => {
    const start = end
    end = start + part.length + filler(index).length
    return probe.slice(start, start + part.length)
  })
}

/**
 * Learns a mould from a text and the chunk that it was decoded to; `undefined` for more than one choice, for no string that
 * changes, and where a place is not certain.
 */
export const mouldOf = (text: string, chunk: ChatChunk): Mould | undefined => {
  const places = chunk.choices.length === 1 ? placesOf(text, chunk) : []
  const last = places.at(-1)
  if (last === undefined) return undefined
  const before = places.map(({ start }, index) => text.slice(places[index - 1]?.end ?? 0, start))
  const parts = [...before, text.slice(last.end)]
  const probe = parts
    .map((part, index) => (index < places.length ? `${part}${filler(index)}` : part))
    .join('')
  const probed = decodeChunk(parseJson(probe))
  if (!isRight(probed) || !isTrue(places, chunk, probed.right)) return undefined
  const own = cutAlike(probe, parts)
  return { chunk: probed.right, holes: places.map(({ hole }) => hole), own, last: [...own] }
}
