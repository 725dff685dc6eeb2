import { isLeft } from '#fp/Either'
import { ChatResponse } from '../codecs/ChatResponse.js'
import { decode, describeFound } from '../codecs/decode.js'
import { isErrorBody } from '../codecs/ErrorBody.js'
import type { Reading } from '../http/exchange.js'
import { parseJson } from '../http/parseJson.js'
import { readText } from '../http/readText.js'
import type { Scrub } from '../http/scrub.js'
import { gatewayError, invalidResponse } from './answerErrors.js'
import type { GatewayEvent } from './Gateway.js'

/** Longest answer that is read, in bytes: 64 MiB. */
export const MAX_RESPONSE_BYTES = 67_108_864

const SUBJECT = 'The answer'

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
  const { text, cut } = await readText(response, reading, MAX_RESPONSE_BYTES)
  if (reading.closed()) return
  const refuse = (path: string, expected: string, found: string) =>
    invalidResponse(SUBJECT, { path, expected, found }, reading.ids, scrub)
  if (cut) throw refuse('', `at most ${MAX_RESPONSE_BYTES} bytes`, 'more')
  const json = parseJson(text)
  if (json === undefined) throw refuse('', 'JSON', text === '' ? 'an empty body' : describeFound(text))
  if (isErrorBody(json)) throw gatewayError(text, reading.ids, scrub)
  const decoded = decode(ChatResponse)(json)
  if (isLeft(decoded)) throw invalidResponse(SUBJECT, decoded.left, reading.ids, scrub)
  if (decoded.right.choices.length === 0) throw refuse('choices', 'at least one choice', 'array(0)')
  emit({ _tag: 'Response', response: decoded.right })
}
