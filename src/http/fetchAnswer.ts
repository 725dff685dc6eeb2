import type { Observable } from 'rxjs'
import type { Answer } from './Answer.js'
import { abortedBy } from './abortedBy.js'
import type { Connection } from './Connection.js'
import type { ConnectionPolicy } from './connectionPolicy.js'
import { errorFromResponse } from './errorFromResponse.js'
import { type Exchange, exchange } from './exchange.js'
import { readAnswer } from './readAnswer.js'
import { requestHeaders } from './requestHeaders.js'
import { scrubber } from './Scrub.js'

/** A request to Respan whose answer is read as a whole. */
export interface AnswerRequest extends Pick<Exchange, 'url' | 'method' | 'body' | 'deadline' | 'keepalive'> {
  readonly apiKey: string | undefined
  readonly connection: Pick<Connection, 'fetch' | 'headers' | 'signal'>
  readonly policy: Pick<ConnectionPolicy, 'timeout' | 'idleTimeout'>
  readonly headers?: Readonly<Record<string, string>>
  /** How much of the answer's body is read at most. Default 1 MiB. */
  readonly maxBytes?: number
}

/**
 * Sends one request at subscription, a POST by default, emits the whole answer, and completes. It does not retry and does
 * not follow redirects. Unsubscribing aborts the request.
 *
 * Emits the errors `HttpError` and `RateLimited` for a status that is not 2xx, `NetworkError`, `StreamInterrupted`, `Timeout`
 * and `Aborted`.
 *
 * @param request - the endpoint's `apiKey`, and a policy from `connectionPolicy`
 */
export const fetchAnswer = ({
  apiKey,
  connection,
  policy,
  headers,
  maxBytes = 1_048_576,
  ...request
}: AnswerRequest): Observable<Answer> => {
  const allHeaders = requestHeaders(apiKey, { accept: 'application/json', ...headers }, connection.headers)
  const scrub = scrubber(allHeaders)
  return exchange<Answer>(
    {
      ...request,
      headers: allHeaders,
      fetch: connection.fetch,
      timeout: policy.timeout,
      idleTimeout: policy.idleTimeout,
      scrub,
    },
    async (response, reading) => {
      const answer = await readAnswer(response, reading, scrub, maxBytes)
      if (answer.status < 200 || answer.status > 299) throw errorFromResponse(answer, 'respan', Date.now())
      reading.emit(answer)
    },
  ).pipe(abortedBy(connection.signal))
}
