import { isRight } from '#fp/Either'
import type { ChatChunk, ChatDelta } from '../codecs/ChatChunk.js'
import type { Fields } from '../codecs/Fields.js'
import { parseJson } from '../http/parseJson.js'
import { decodeChunk } from './decodeChunk.js'
import { endOfString } from './endOfString.js'

/**
 * The text of a valid chunk, with slots for the strings that change from one chunk to the next.
 *
 * ```
 * learnt from  {"choices":[{"delta":{"content":"Hi"}}],"obfuscation":"xY"}
 * parts        {"choices":[{"delta":{"content":"    "}}],"obfuscation":"    "}    three of them
 * slots                                         content                 obfuscation
 * chunk        { choices: [{ delta: { content: 'slot 0' } }], obfuscation: 'slot 1' }
 * matches      {"choices":[{"delta":{"content":" there"}}],"obfuscation":"q"}
 * no match     {"choices":[{"delta":{}}],"obfuscation":"q"}
 * ```
 */
export interface ChunkPattern {
  readonly chunk: ChatChunk
  readonly slots: ReadonlyArray<Slot>
  /** The text around the slots: the part before each one, up to its opening quote, and the part after the last. */
  readonly parts: ReadonlyArray<string>
  /**
   * The same parts, as slices of the last text that matched. An engine stores each read of the body with one byte per character
   * or with two, and compares strings of the same kind four times as fast; the texts of one read are of the same kind.
   */
  readonly lastParts: Array<string>
}

/** A string that changes from one chunk to the next: its key in JSON, how it is read, and how another is put in its place. */
interface Slot {
  readonly key: string
  readonly read: (chunk: ChatChunk) => unknown
  readonly fill: (chunk: ChatChunk, text: string) => ChatChunk
}

// Each key is written out, because a computed one makes the copy five times as slow.
const SLOTS: ReadonlyArray<Slot> = [
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

/** Where the string of a slot is in a text, without its quotes. */
interface Place {
  readonly slot: Slot
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

const placeOf = (text: string, slot: Slot): Place | undefined => {
  const start = startOf(text, slot.key)
  return start === undefined ? undefined : { slot, start, end: endOfString(text, start, text.length) }
}

/**
 * The places of all strings that change, or none: a pattern with one of these strings fixed in it would match this text only.
 */
const placesOf = (text: string, chunk: ChatChunk): ReadonlyArray<Place> => {
  const places: Array<Place> = []
  for (const slot of SLOTS) {
    if (typeof slot.read(chunk) !== 'string') continue
    const place = placeOf(text, slot)
    if (place === undefined) return []
    places.push(place)
  }
  return places.sort((a, b) => a.start - b.start)
}

const filler = (index: number): string => `slot ${index}`

/**
 * Whether the places, found by key alone, are those of the slots: if so, the strings put there are read from the decoded
 * probe.
 */
const isConfirmed = (places: ReadonlyArray<Place>, chunk: ChatChunk, probed: ChatChunk): boolean =>
  places.every(({ slot }, index) => slot.read(probed) === filler(index) && slot.read(chunk) !== filler(index))

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
 * Makes a pattern of a text and the chunk that it decoded to. `undefined` if there isn't exactly one choice, if no string
 * changes, or if a place is uncertain.
 */
export const patternOf = (text: string, chunk: ChatChunk): ChunkPattern | undefined => {
  const places = chunk.choices.length === 1 ? placesOf(text, chunk) : []
  const last = places.at(-1)
  if (last === undefined) return undefined
  const before = places.map(({ start }, index) => text.slice(places[index - 1]?.end ?? 0, start))
  const around = [...before, text.slice(last.end)]
  const probe = around
    .map((part, index) => (index < places.length ? `${part}${filler(index)}` : part))
    .join('')
  const probed = decodeChunk(parseJson(probe))
  if (!isRight(probed) || !isConfirmed(places, chunk, probed.right)) return undefined
  const parts = cutAlike(probe, around)
  return { chunk: probed.right, slots: places.map(({ slot }) => slot), parts, lastParts: [...parts] }
}
