import type { ChatChunk, ChatDelta } from '../codecs/ChatChunk.js'
import { parseJson } from '../http/parseJson.js'
import { endOfString, UNKNOWN } from './endOfString.js'
import { type ChunkPattern, patternOf } from './patternOf.js'

/** Patterns of the chunks of one stream. */
interface ChunkPatterns {
  /** The chunk that a text holds, if it matches a pattern that was learnt. `undefined` says nothing about the text. */
  readonly match: (text: string) => ChatChunk | undefined
  /** Learns from a text and the chunk that it decoded to. */
  readonly learn: (text: string, chunk: ChatChunk) => void
  /** Releases the read of the body that the last texts are slices of. */
  readonly release: () => void
}

/**
 * Reads most chunks of a stream without parsing and checking again what they have in common.
 *
 * The chunks of one stream differ in one or two strings: the delta's text, and a field that OpenAI pads them with. A pattern
 * is the text of a valid chunk with slots for these strings. A text that matches it, with a JSON string in each slot, is
 * that chunk with other strings: the grammar of JSON rules out that anything else has changed, and the codec accepts any
 * string there. Chunks share the parts that repeat.
 *
 * A text that matches no pattern is left to the parser and the codec. A stream that never repeats itself costs a few
 * attempts to learn, at its beginning.
 */
export const chunkPatterns = (): ChunkPatterns => {
  const patterns: Array<ChunkPattern> = []
  let hits = 0
  let lessons = 0
  return {
    match: (text) => {
      for (const pattern of patterns) {
        const chunk = matchOne(pattern, text)
        if (chunk === undefined) continue
        hits++
        return chunk
      }
      return undefined
    },
    learn: (text, chunk) => {
      if (lessons > FREE_LESSONS + hits / HITS_PER_LESSON || isOneOfAKind(chunk)) return
      lessons++
      const pattern = patternOf(text, chunk)
      if (pattern === undefined) return
      if (patterns.length === MOST_PATTERNS) patterns.pop()
      patterns.unshift(pattern)
    },
    release: () => {
      for (const { parts, lastParts } of patterns)
        parts.forEach((part, index) => {
          lastParts[index] = part
        })
    },
  }
}

/** Several, because parallel tool calls and choices take turns, each with a pattern of its own. */
const MOST_PATTERNS = 4
const FREE_LESSONS = 6
const HITS_PER_LESSON = 4

/** Whether a chunk only opens or closes a choice, without text: no later chunk resembles it. */
const isOneOfAKind = ({ choices: [choice] }: ChatChunk): boolean =>
  (choice?.delta?.role != null || Boolean(choice?.finish_reason)) && !says(choice?.delta ?? {})

const says = ({ content, reasoning_content, reasoning, tool_calls }: ChatDelta): boolean =>
  Boolean(content || reasoning_content || reasoning || tool_calls?.length)

/** Characters within which the end of a string is looked for; the end of a longer one is found by the text that follows. */
const SHORT = 64

const matchOne = ({ chunk, slots, lastParts }: ChunkPattern, text: string): ChatChunk | undefined => {
  let matched = chunk
  let at = 0
  for (let index = 0; index < slots.length; index++) {
    const part = lastParts[index]
    const next = lastParts[index + 1]
    const slot = slots[index]
    if (part === undefined || next === undefined || slot === undefined) return undefined
    const start = at + part.length
    // Not by startsWith: V8 compiles it to a loop over characters, ten times as slow.
    const found = text.slice(at, start)
    if (found !== part) return undefined
    lastParts[index] = found
    const end = endOfString(text, start, start + SHORT)
    at = end === UNKNOWN ? text.lastIndexOf(next) : end
    const filling = at < start ? undefined : stringBetween(text, start, at)
    if (filling === undefined) return undefined
    matched = slot.fill(matched, filling)
  }
  const rest = text.slice(at)
  if (rest !== lastParts[slots.length]) return undefined
  lastParts[slots.length] = rest
  return matched
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
