import type { DecodeFailure } from '../codecs/decode.js'
import { errorCode, errorMessage } from '../codecs/ErrorBody.js'
import { Fields } from '../codecs/Fields.js'
import { GatewayError, InvalidResponse } from '../errors.js'
import type { AnswerIds } from '../http/exchange.js'
import { parseJson } from '../http/parseJson.js'
import type { Scrub } from '../http/scrub.js'

/**
 * Makes the error of an answer, or of an event in it, that is none of ours.
 *
 * @param subject - what it is about
 * @param failure - from decoding; keys of hostile JSON can be in it, hence it is scrubbed
 */
export const invalidResponse = (
  subject: string,
  { path, expected, found }: DecodeFailure,
  ids: AnswerIds,
  scrub: Scrub,
): InvalidResponse =>
  new InvalidResponse(subject, { ...ids, path: scrub(path), expected, found: scrub(found) })

/**
 * Makes the error that a gateway reports inside a 200 answer.
 *
 * @param text - the JSON of the answer or of the event, or a plain text
 */
export const gatewayError = (text: string, ids: AnswerIds, scrub: Scrub): GatewayError => {
  const clean = scrub(text)
  const body = parseJson(clean) ?? clean
  return new GatewayError(errorMessage(body) ?? 'The gateway reported an error, and nothing more.', {
    ...ids,
    type: typeOf(body),
    code: errorCode(body),
  })
}

const typeOf = (body: unknown): string | undefined => {
  const error = Fields.is(body) ? body.error : undefined
  return Fields.is(error) && typeof error.type === 'string' ? error.type : undefined
}
