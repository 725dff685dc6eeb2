import type { Scrub } from './scrub.js'

/** What an answer's headers say about the call. */
export interface AnswerIds {
  readonly requestId?: string
  readonly logId?: string
}

const ID_LENGTH = 256

/** The ids that a server gave a call, bounded and freed of secrets. */
export const answerIds = (headers: Headers, scrub: Scrub): AnswerIds => {
  const requestId = headers.get('x-respan-gateway-request-id') ?? headers.get('x-request-id')
  const logId = headers.get('x-respan-log-id')
  return {
    ...(requestId === null ? {} : { requestId: scrub(requestId).slice(0, ID_LENGTH) }),
    ...(logId === null ? {} : { logId: scrub(logId).slice(0, ID_LENGTH) }),
  }
}
