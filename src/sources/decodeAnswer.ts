import type * as t from 'io-ts'
import { isLeft } from '#fp/Either'
import { decode } from '../codecs/decode.js'
import { describeFound } from '../codecs/describeFound.js'
import { isErrorBody } from '../codecs/ErrorBody.js'
import type { Answer } from '../http/Answer.js'
import { parseJson } from '../http/parseJson.js'
import type { AnswerErrors } from './answerErrors.js'

/** The longest answer that is read, in bytes: 64 MiB. */
export const MAX_RESPONSE_BYTES = 67_108_864

/**
 * Decodes the value in an answer with a 2xx status. Throws `InvalidResponse` (longer than 64 MiB, not JSON, or the wrong
 * shape) and `GatewayError` (it holds an error).
 *
 * @param answer - read up to `MAX_RESPONSE_BYTES`
 * @param codec - the codec of the value
 * @param errors - makes the errors of this answer
 */
export const decodeAnswer = <A>(
  { text, cut }: Pick<Answer, 'text' | 'cut'>,
  codec: t.Decoder<unknown, A>,
  { invalid, reported }: AnswerErrors,
): A => {
  if (cut) throw invalid({ path: '', expected: `at most ${MAX_RESPONSE_BYTES} bytes`, found: 'more' })
  const json = parseJson(text)
  const found = text === '' ? 'an empty body' : describeFound(text)
  if (json === undefined) throw invalid({ path: '', expected: 'JSON', found })
  if (isErrorBody(json)) throw reported(text)
  const decoded = decode(codec)(json)
  if (isLeft(decoded)) throw invalid(decoded.left)
  return decoded.right
}
