import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft } from '#fp/Either'
import { ChatChunk } from '../codecs/ChatChunk.js'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { decode } from '../codecs/decode.js'
import { Fields } from '../codecs/Fields.js'
import { fieldsOf } from '../codecs/fieldsOf.js'

/**
 * Decodes one chunk of a streamed answer; the whole cost of validation per token is here. The ways in which some servers
 * deviate from OpenAI are tried only after the codec has refused the chunk.
 *
 * @param value - parsed JSON
 */
export const decodeChunk = (value: unknown): Either<DecodeFailure, ChatChunk> => {
  const decoded = decodeStrictly(value)
  return isLeft(decoded) && Fields.is(value) ? decodeStrictly(mended(value)) : decoded
}

const decodeStrictly = decode(ChatChunk)

/**
 * Makes OpenAI's form of a chunk that has usage but no list of choices (Go writes null for an empty one), or a list of parts
 * as content (Mistral).
 */
const mended = (chunk: Fields): Fields => ({
  ...chunk,
  ...(chunk.choices == null && chunk.usage != null ? { choices: [] } : {}),
  ...(Array.isArray(chunk.choices) ? { choices: chunk.choices.map(mendedChoice) } : {}),
})

const mendedChoice = (choice: unknown): unknown => {
  const delta = fieldsOf(fieldsOf(choice).delta)
  const { content } = delta
  if (!Array.isArray(content)) return choice
  const reasoning_content = textIn(content.flatMap((part) => fieldsOf(part).thinking ?? []))
  return { ...fieldsOf(choice), delta: { reasoning_content, ...delta, content: textIn(content) } }
}

const textIn = (parts: ReadonlyArray<unknown>): string =>
  parts
    .map((part) => fieldsOf(part).text)
    .filter((text) => typeof text === 'string')
    .join('')
