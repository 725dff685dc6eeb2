import type { ChatChunk, ChatDelta } from '../codecs/ChatChunk.js'
import { parseJson } from '../http/parseJson.js'
import { endOfString, UNKNOWN } from './endOfString.js'
import { type Mould, mouldOf } from './mouldOf.js'

/** Makes chunks of texts that resemble earlier ones. */
interface ChunkMoulds {
  /** The chunk that a text holds, if it resembles one that was learnt. `undefined` says nothing about the text. */
  readonly cast: (text: string) => ChatChunk | undefined
  /** Learns from a text and the chunk that it decoded to. */
  readonly learn: (text: string, chunk: ChatChunk) => void
  /** Releases the read of the body that the last texts are slices of. */
  readonly release: () => void
}

/**
 * Reads most chunks of a stream without parsing and checking again what they have in common.
 *
 * The chunks of one stream differ in one or two strings: the delta's text, and a field that OpenAI pads them with. A mould
 * is the text of a valid chunk with holes for these strings. A text that fits it, with a JSON string in each hole, is that
 * chunk with other strings: the grammar of JSON rules out that anything else has changed, and the codec accepts any string
 * there. Chunks share the parts that repeat.
 *
 * A text that fits no mould is left to the parser and the codec. A stream that never repeats itself costs a few attempts to
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

/** Several, because parallel tool calls and choices take turns, each with a mould of its own. */
const MOST_MOULDS = 4
const FREE_LESSONS = 6
const HITS_PER_LESSON = 4

/** Whether a chunk only opens or closes a choice, without text: no later chunk resembles it. */
const isOneOfAKind = ({ choices: [choice] }: ChatChunk): boolean =>
  (choice?.delta?.role != null || Boolean(choice?.finish_reason)) && !says(choice?.delta ?? {})

const says = ({ content, reasoning_content, reasoning, tool_calls }: ChatDelta): boolean =>
  Boolean(content || reasoning_content || reasoning || tool_calls?.length)

/** Characters within which the end of a string is looked for; the end of a longer one is found by the text that follows. */
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

/**
 * The string between two quotes. A longer one wasn't read to its end, so it is parsed, quotes included: that gives one
 * string, or nothing.
 */
const stringBetween = (text: string, start: number, end: number): string | undefined => {
  const raw = text.slice(start, end)
  if (end - start < SHORT && raw.indexOf('\\') < 0) return raw
  const parsed = parseJson(text.slice(start - 1, end + 1))
  return typeof parsed === 'string' ? parsed : undefined
}
