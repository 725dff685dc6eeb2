import type { ChatChunk, ChatDelta } from '../codecs/ChatChunk.js'
import { parseJson } from '../http/parseJson.js'
import { endOfString, UNKNOWN } from './endOfString.js'
import { type Mould, mouldOf } from './mouldOf.js'

/** Makes chunks out of texts that are like earlier ones. */
interface ChunkMoulds {
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
      if (lessons > FREE_LESSONS + hits / HITS_PER_LESSON || isOneOfAKind(chunk)) return
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

/** Whether a chunk opens or closes a choice without a word: none that follows is like it. */
const isOneOfAKind = ({ choices: [choice] }: ChatChunk): boolean =>
  (choice?.delta?.role != null || Boolean(choice?.finish_reason)) && !says(choice?.delta ?? {})

const says = ({ content, reasoning_content, reasoning, tool_calls }: ChatDelta): boolean =>
  Boolean(content || reasoning_content || reasoning || tool_calls?.length)

/** Where a longer string ends is told by what follows it. */
const SHORT = 64

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

/** Of a longer string only the end was looked for: parsed with its quotes, it is one string, or none. */
const stringBetween = (text: string, start: number, end: number): string | undefined => {
  const raw = text.slice(start, end)
  if (end - start < SHORT && raw.indexOf('\\') < 0) return raw
  const parsed = parseJson(text.slice(start - 1, end + 1))
  return typeof parsed === 'string' ? parsed : undefined
}
