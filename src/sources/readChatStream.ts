import type { EventSourceMessage } from 'eventsource-parser'
import { isLeft } from '#fp/Either'
import type { ChatChunk } from '../codecs/ChatChunk.js'
import { describeFound } from '../codecs/describeFound.js'
import { isErrorBody } from '../codecs/ErrorBody.js'
import { StreamInterrupted } from '../errors.js'
import { eventDecoder, MAX_EVENT_LENGTH } from '../http/eventDecoder.js'
import type { Reading } from '../http/exchange.js'
import { parseJson } from '../http/parseJson.js'
import { readBytes } from '../http/readBytes.js'
import type { AnswerErrors } from './answerErrors.js'
import { chunkPatterns } from './chunkPatterns.js'
import { decodeChunk } from './decodeChunk.js'
import type { GatewayEvent } from './Gateway.js'

const SUBJECT = 'An event of the stream'
const DONE = '[DONE]'
const OPENING_BRACE = 123

/**
 * Reads a streamed answer: each event is a chunk, until `[DONE]` or the end of the body. A missing finish reason is left for
 * the subscriber to judge.
 *
 * Rejects with `GatewayError` (an event holds an error), `InvalidResponse` (an event isn't JSON, isn't a chunk, or is
 * longer than 16 Mi characters; or the body is a page) and `StreamInterrupted` (the body ends inside an event; or without
 * `[DONE]` after fewer choices than were asked for: after `[DONE]`, the provider ignores `n`, as many do).
 *
 * @param reading - emits each chunk, in the tick in which its bytes arrived
 * @param choices - how many choices were asked for
 */
export const readChatStream = async (
  response: Response,
  reading: Reading<GatewayEvent>,
  { invalid, reported }: AnswerErrors,
  choices: number,
): Promise<void> => {
  const patterns = chunkPatterns()
  const finished = new Set<number>()
  let done = false

  const onEvent = ({ event, data }: EventSourceMessage, last: boolean): void => {
    if (done || reading.closed()) return
    if (data.charCodeAt(0) !== OPENING_BRACE) {
      const word = data.trim()
      if (word === '') return
      if (word === DONE || (last && DONE.startsWith(word))) {
        done = true
        reading.finish()
        return
      }
    }
    if (event === 'error') throw reported(data)
    const known = patterns.match(data)
    if (known !== undefined) return take(known)
    const json = parseJson(data)
    if (json === undefined) {
      throw last
        ? new StreamInterrupted('The body ended inside an event.', reading.ids)
        : invalid({ path: '', expected: 'JSON', found: describeFound(data) }, SUBJECT)
    }
    if (isErrorBody(json)) throw reported(data)
    const chunk = decodeChunk(json)
    if (isLeft(chunk)) throw invalid(chunk.left, SUBJECT)
    take(chunk.right)
    // After the chunk is emitted, so that the first token doesn't wait for it.
    patterns.learn(data, chunk.right)
  }

  const take = (chunk: ChatChunk): void => {
    if (choices > 1)
      for (const { index, finish_reason } of chunk.choices) if (finish_reason) finished.add(index ?? 0)
    reading.emit({ _tag: 'Chunk', chunk })
  }

  const onTooLong = (): never => {
    const expected = `at most ${MAX_EVENT_LENGTH} characters`
    throw invalid({ path: '', expected, found: 'more' }, SUBJECT)
  }

  const onForeign = (): never => {
    throw invalid({ path: '', expected: 'server-sent events', found: 'an HTML page or JSON' })
  }

  const events = eventDecoder(onEvent, onTooLong, onForeign)
  await readBytes(response, reading, (bytes) => {
    events.push(bytes)
    patterns.release()
    return !done
  })
  if (done || reading.closed()) return
  events.end()
  if (!done && finished.size > 0 && finished.size < choices)
    throw new StreamInterrupted('The stream ended before all choices were complete.', reading.ids)
}
