import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { errorCode, errorMessage } from '../codecs/ErrorBody.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import { GatewayError, InvalidResponse } from '../errors.js'
import type { AnswerIds } from '../http/answerIds.js'
import { parseJson } from '../http/parseJson.js'
import type { Scrub } from '../http/Scrub.js'

/** Makes the errors of an answer with a 2xx status. */
export interface AnswerErrors {
  /** The answer, or an event in it, breaks the contract. The failure is scrubbed: it may name keys of hostile JSON. */
  readonly invalid: (failure: DecodeFailure, subject?: string) => InvalidResponse
  /** The gateway reports an error inside the answer: in the JSON of the answer or of an event, or as plain text. */
  readonly reported: (text: string) => GatewayError
}

/** Makes the errors of one answer, with its ids and without its secrets. */
export const answerErrors = (ids: AnswerIds, scrub: Scrub): AnswerErrors => ({
  invalid: ({ path, expected, found }, subject = 'The answer') =>
    new InvalidResponse(subject, { ...ids, path: scrub(path), expected, found: scrub(found) }),
  reported: (text) => {
    const clean = scrub(text)
    const body = parseJson(clean) ?? clean
    const { type } = fieldsOf(fieldsOf(body).error)
    return new GatewayError(errorMessage(body) ?? 'The gateway reported an error without any details.', {
      ...ids,
      type: typeof type === 'string' ? type : undefined,
      code: errorCode(body),
    })
  },
})
