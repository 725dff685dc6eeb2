import { ChatResponse } from '../codecs/ChatResponse.js'
import type { Reading } from '../http/exchange.js'
import { readText } from '../http/readText.js'
import type { AnswerErrors } from './answerErrors.js'
import { decodeAnswer, MAX_RESPONSE_BYTES } from './decodeAnswer.js'
import type { GatewayEvent } from './Gateway.js'

/**
 * Reads an answer that isn't streamed. Rejects with `InvalidResponse` (not JSON, the wrong shape, no choices, longer
 * than 64 MiB) and `GatewayError` (it holds an error).
 *
 * @param reading - emits the response
 */
export const readChatResponse = async (
  response: Response,
  reading: Reading<GatewayEvent>,
  errors: AnswerErrors,
): Promise<void> => {
  const answer = await readText(response, reading, MAX_RESPONSE_BYTES)
  if (reading.closed()) return
  const decoded = decodeAnswer(answer, ChatResponse, errors)
  if (decoded.choices.length === 0)
    throw errors.invalid({ path: 'choices', expected: 'at least one choice', found: 'array(0)' })
  reading.emit({ _tag: 'Response', response: decoded })
}
