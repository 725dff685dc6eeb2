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
  /** The text around the holes: the part before each one, up to its opening quote, and the part after the last. */
  readonly own: ReadonlyArray<string>
  /**
   * The same parts, as slices of the last text that fitted. An engine stores each read of the body with one byte per character
   * or with two, and compares strings of the same kind four times as fast; the texts of one read are of the same kind.
   */
  readonly last: Array<string>
}

/** A string that changes from one chunk to the next: its key in JSON, how it is read, and how another is put in its place. */
interface Hole {
  readonly key: string
  readonly read: (chunk: ChatChunk) => unknown
  readonly fill: (chunk: ChatChunk, text: string) => ChatChunk
}

// Each key is written out, because a computed one makes the copy five times as slow.
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
    // OpenAI's padding, which hides the lengths of tokens from whoever watches the packets.
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

/** Where the string of a hole is in a text, without its quotes. */
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

/**
 * The index of the first string under a key, after its opening quote. Without a regular expression, because an engine keeps
 * the text that one was last tried on.
 */
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

/** The places of all strings that change, or none: a mould with one of these strings fixed in it would fit this text only. */
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

/**
 * Whether the places, found by key alone, are those of the holes: if so, the strings put there are read from the decoded
 * probe.
 */
const isTrue = (places: ReadonlyArray<Place>, chunk: ChatChunk, probed: ChatChunk): boolean =>
  places.every(({ hole }, index) => hole.read(probed) === filler(index) && hole.read(chunk) !== filler(index))

/**
 * Cuts the parts out of the probe. An engine slices a string without copying it, so parts cut out of the event's text would
 * keep the whole read of the body alive; these keep only the probe alive.
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
 * Makes a mould of a text and the chunk that it decoded to. `undefined` if there isn't exactly one choice, if no string
 * changes, or if a place is uncertain.
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
