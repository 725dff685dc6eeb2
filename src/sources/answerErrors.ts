import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { errorCode, errorMessage } from '../codecs/ErrorBody.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import { GatewayError, InvalidResponse } from '../errors.js'
import type { AnswerIds } from '../http/answerIds.js'
import { parseJson } from '../http/parseJson.js'
import type { Scrub } from '../http/scrub.js'

/** Makes the errors of an answer with status 2xx. */
export interface AnswerErrors {
  /** It, or an event in it, is none of ours. Keys of hostile JSON can be in the failure, hence it is scrubbed. */
  readonly invalid: (failure: DecodeFailure, subject?: string) => InvalidResponse
  /** The gateway reports an error inside it: as the JSON of the answer or of the event, or as a plain text. */
  readonly reported: (text: string) => GatewayError
}

/** The errors of one answer. */
export const answerErrors = (ids: AnswerIds, scrub: Scrub): AnswerErrors => ({
  invalid: ({ path, expected, found }, subject = 'The answer') =>
    new InvalidResponse(subject, { ...ids, path: scrub(path), expected, found: scrub(found) }),
  reported: (text) => {
    const clean = scrub(text)
    const body = parseJson(clean) ?? clean
    const { type } = fieldsOf(fieldsOf(body).error)
    return new GatewayError(errorMessage(body) ?? 'The gateway reported an error, and nothing more.', {
      ...ids,
      type: typeof type === 'string' ? type : undefined,
      code: errorCode(body),
    })
  },
})
