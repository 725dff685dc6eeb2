import { isLeft } from '#fp/Either'
import { ChatResponse } from '../codecs/ChatResponse.js'
import { decode } from '../codecs/decode.js'
import { describeFound } from '../codecs/describeFound.js'
import { isErrorBody } from '../codecs/ErrorBody.js'
import type { Reading } from '../http/exchange.js'
import { parseJson } from '../http/parseJson.js'
import { readText } from '../http/readText.js'
import type { Scrub } from '../http/scrub.js'
import { answerErrors } from './answerErrors.js'
import type { GatewayEvent } from './Gateway.js'

/** Longest answer that is read, in bytes: 64 MiB. */
export const MAX_RESPONSE_BYTES = 67_108_864

/**
 * Reads an answer that is not streamed. Rejects with `InvalidResponse` (not JSON, another shape, no choices, longer
 * than 64 MiB) and `GatewayError` (it holds an error).
 *
 * @param emit - takes the response
 */
export const readChatResponse = async (
  response: Response,
  reading: Reading<GatewayEvent>,
  scrub: Scrub,
  emit: (event: GatewayEvent) => void,
): Promise<void> => {
  const { invalid, reported } = answerErrors(reading.ids, scrub)
  const { text, cut } = await readText(response, reading, MAX_RESPONSE_BYTES)
  if (reading.closed()) return
  if (cut) throw invalid({ path: '', expected: `at most ${MAX_RESPONSE_BYTES} bytes`, found: 'more' })
  const json = parseJson(text)
  const found = text === '' ? 'an empty body' : describeFound(text)
  if (json === undefined) throw invalid({ path: '', expected: 'JSON', found })
  if (isErrorBody(json)) throw reported(text)
  const decoded = decode(ChatResponse)(json)
  if (isLeft(decoded)) throw invalid(decoded.left)
  if (decoded.right.choices.length === 0)
    throw invalid({ path: 'choices', expected: 'at least one choice', found: 'array(0)' })
  emit({ _tag: 'Response', response: decoded.right })
}
