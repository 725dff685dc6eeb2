import { isRight } from '#fp/Either'
import type { ChatChunk, ChatDelta } from '../codecs/ChatChunk.js'
import type { Fields } from '../codecs/Fields.js'
import { parseJson } from '../http/parseJson.js'
import { decodeChunk } from './decodeChunk.js'

/** Makes chunks out of texts that are like earlier ones. */
export interface ChunkMoulds {
  /** The chunk that a text holds, when it is like one that was learnt; `undefined` says nothing about the text. */
  readonly cast: (text: string) => ChatChunk | undefined
  /** Learns from a text and the chunk that it was decoded to. */
  readonly learn: (text: string, chunk: ChatChunk) => void
  /** Lets go of the read that the last texts came with. */
  readonly release: () => void
}

/**
 * Reads most of a stream's chunks without parsing and checking again what repeats in each of them.
 *
 * The chunks of one stream differ in a string or two: the delta's text, and a field that OpenAI pads them with. A mould
 * is the text of a valid chunk with holes for these strings. A text that fits into it, with a string of JSON in each
 * hole, is that chunk with other strings: the grammar of JSON sees to it that nothing else can have changed, and the
 * codec takes any string there. Parts that repeat are shared by the chunks.
 *
 * Whatever fits no mould is left to the parser and the codec. A stream that never repeats itself costs a few attempts to
 * learn, at its beginning.
 */
export const chunkMoulds = (): ChunkMoulds => {
  const moulds: Array<Mould> = []
  let hits = 0
  let lessons = 0
  return {
    cast: (text) => {
      for (const mould of moulds) {
        const chunk = castIn(mould, text)
        if (chunk === undefined) continue
        hits++
        return chunk
      }
      return undefined
    },
    learn: (text, chunk) => {
      if (lessons > FREE_LESSONS + hits / HITS_PER_LESSON || isOpening(chunk)) return
      lessons++
      const mould = mouldOf(text, chunk)
      if (mould === undefined) return
      if (moulds.length === MOST_MOULDS) moulds.pop()
      moulds.unshift(mould)
    },
    release: () => {
      for (const { own, last } of moulds)
        own.forEach((part, index) => {
          last[index] = part
        })
    },
  }
}

/** Parallel tool calls and choices take turns, each with a mould of its own. */
const MOST_MOULDS = 4
const FREE_LESSONS = 6
const HITS_PER_LESSON = 4

interface Mould {
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

const castIn = ({ chunk, holes, last }: Mould, text: string): ChatChunk | undefined => {
  let cast = chunk
  let at = 0
  for (let index = 0; index < holes.length; index++) {
    const part = last[index]
    const next = last[index + 1]
    const hole = holes[index]
    if (part === undefined || next === undefined || hole === undefined) return undefined
    const start = at + part.length
    // Not by startsWith: V8 compiles it to a loop over characters, ten times as slow.
    const found = text.slice(at, start)
    if (found !== part) return undefined
    last[index] = found
    const end = endOfString(text, start, start + SHORT)
    at = end === UNKNOWN ? text.lastIndexOf(next) : end
    const filling = at < start ? undefined : stringBetween(text, start, at)
    if (filling === undefined) return undefined
    cast = hole.fill(cast, filling)
  }
  const rest = text.slice(at)
  if (rest !== last[holes.length]) return undefined
  last[holes.length] = rest
  return cast
}

const QUOTE = 34
const BACKSLASH = 92
const SPACE = 32

const INVALID = -1
const UNKNOWN = -2

/** Where a longer string ends is told by what follows it. */
const SHORT = 64

/** Where the string ends that starts here; `INVALID` for one that JSON doesn't allow, `UNKNOWN` when not before the limit. */
const endOfString = (text: string, start: number, limit: number): number => {
  const end = Math.min(text.length, limit)
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code < SPACE) return INVALID
    if (code === BACKSLASH) at++
  }
  return UNKNOWN
}

/** A longer string was not looked at yet: parsed with its quotes, it is one string, or none. */
const stringBetween = (text: string, start: number, end: number): string | undefined => {
  const raw = text.slice(start, end)
  if (end - start < SHORT && raw.indexOf('\\') < 0) return raw
  const parsed = parseJson(text.slice(start - 1, end + 1))
  return typeof parsed === 'string' ? parsed : undefined
}

// ── learning

/** It names the role and says nothing: none that follows is like it. */
const isOpening = ({ choices: [choice] }: ChatChunk): boolean =>
  choice?.delta?.role != null && choice.delta.content === ''

/** A string of a chunk that changes from one to the next: how its text begins in JSON, where it is, and how another gets there. */
interface Hole {
  readonly opening: RegExp
  readonly read: (chunk: ChatChunk) => unknown
  readonly fill: (chunk: ChatChunk, text: string) => ChatChunk
}

// Each key written out: a computed one makes the copy five times as slow.
const HOLES: ReadonlyArray<Hole> = [
  {
    opening: /"content"\s*:\s*"/,
    read: ({ choices: [choice] }) => choice?.delta?.content,
    fill: (chunk, content) => withDelta(chunk, (delta) => ({ ...delta, content })),
  },
  {
    opening: /"reasoning_content"\s*:\s*"/,
    read: ({ choices: [choice] }) => choice?.delta?.reasoning_content,
    fill: (chunk, reasoning_content) => withDelta(chunk, (delta) => ({ ...delta, reasoning_content })),
  },
  {
    opening: /"reasoning"\s*:\s*"/,
    read: ({ choices: [choice] }) => choice?.delta?.reasoning,
    fill: (chunk, reasoning) => withDelta(chunk, (delta) => ({ ...delta, reasoning })),
  },
  {
    opening: /"arguments"\s*:\s*"/,
    read: ({ choices: [choice] }) => only(choice?.delta?.tool_calls)?.function?.arguments,
    fill: (chunk, text) =>
      withDelta(chunk, (delta) => {
        const call = delta.tool_calls?.[0]
        return { ...delta, tool_calls: [{ ...call, function: { ...call?.function, arguments: text } }] }
      }),
  },
  {
    // OpenAI's padding against those who would read the lengths of packets.
    opening: /"obfuscation"\s*:\s*"/,
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

const placeOf = (text: string, hole: Hole): Place | undefined => {
  const opening = hole.opening.exec(text)
  const start = opening === null ? -1 : opening.index + opening[0].length
  const end = start < 0 ? INVALID : endOfString(text, start, text.length)
  return end < 0 ? undefined : { hole, start, end }
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

const mouldOf = (text: string, chunk: ChatChunk): Mould | undefined => {
  const places = chunk.choices.length === 1 ? placesOf(text, chunk) : []
  const last = places.at(-1)
  if (last === undefined) return undefined
  const before = places.map(({ start }, index) => text.slice(places[index - 1]?.end ?? 0, start))
  const own = [...before, text.slice(last.end)].map(copied)
  const probe = own.map((part, index) => (index < places.length ? `${part}${filler(index)}` : part)).join('')
  const probed = decodeChunk(parseJson(probe))
  if (!isRight(probed) || !isTrue(places, chunk, probed.right)) return undefined
  return { chunk: probed.right, holes: places.map(({ hole }) => hole), own, last: [...own] }
}

/** An engine cuts without copying: a part of the event would keep the whole read of the body that it came with. */
const copied = (part: string): string => String(parseJson(JSON.stringify(part)))

const filler = (index: number): string => `hole ${index}`

/** The places were found by name alone. They are the right ones if other strings there are read where they belong. */
const isTrue = (places: ReadonlyArray<Place>, chunk: ChatChunk, probed: ChatChunk): boolean =>
  places.every(({ hole }, index) => hole.read(probed) === filler(index) && hole.read(chunk) !== filler(index))
