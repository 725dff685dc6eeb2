import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, mapLeft } from '#fp/Either'
import { ChatRequest, picksModel } from '../codecs/ChatRequest.js'
import { decode } from '../codecs/decode.js'
import { Fields } from '../codecs/Fields.js'
import { mergeParams } from './mergeParams.js'
import { invalid, invalidField, type Refusal, refusal } from './Refusal.js'

// This library never sends these; other clients send them with their defaults, which a server accepts.
const IGNORED = new Set(['field_name', 'delimiter', 'mock_response', 'is_log_omitted'])

// OpenAI's API allows `null` for most optional fields, meaning "not given". A blank model names none.
const isGiven = ([key, value]: readonly [string, unknown]): boolean =>
  value !== null &&
  !IGNORED.has(key) &&
  !(key === 'model' && typeof value === 'string' && value.trim() === '')

const given = (body: Fields): Fields => Object.fromEntries(Object.entries(body).filter(isGiven))

const missing = (fields: Fields): Refusal | undefined => {
  if (fields.prompt !== undefined) return undefined
  const errors = {
    ...(fields.messages === undefined ? { messages: ['This field is required.'] } : {}),
    ...(picksModel(fields) ? {} : { model: ['This field is required.'] }),
  }
  return Object.keys(errors).length > 0 ? invalid(errors) : undefined
}

/**
 * Reads the body of a chat request. Refuses what isn't a JSON object with 400, and a wrong field with 422 and its name.
 *
 * @param header - the value of `X-Data-Respan-Params`
 */
export const readChatRequest = (body: unknown, header: string | undefined): Either<Refusal, ChatRequest> => {
  if (!Fields.is(body)) return left(refusal(400, 'Invalid request format'))
  const merged = mergeParams(body, header)
  if (isLeft(merged)) return merged
  const fields = given(merged.right)
  const absent = missing(fields)
  if (absent) return left(absent)
  return mapLeft(invalidField)(decode(ChatRequest)(fields))
}
