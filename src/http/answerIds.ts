import type { Scrub } from './Scrub.js'

/** The ids of a call, as the headers of its answer give them. */
export interface AnswerIds {
  readonly requestId?: string
  readonly logId?: string
}

const ID_LENGTH = 256

/** Reads the ids that a server gave a call, bounded and scrubbed of secrets. */
export const answerIds = (headers: Headers, scrub: Scrub): AnswerIds => {
  const requestId = headers.get('x-respan-gateway-request-id') ?? headers.get('x-request-id')
  const logId = headers.get('x-respan-log-id')
  return {
    ...(requestId === null ? {} : { requestId: scrub(requestId).slice(0, ID_LENGTH) }),
    ...(logId === null ? {} : { logId: scrub(logId).slice(0, ID_LENGTH) }),
  }
}
