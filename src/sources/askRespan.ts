import type * as t from 'io-ts'
import { defer, map, type Observable } from 'rxjs'
import { isLeft } from '#fp/Either'
import type { Fields } from '../codecs/Fields.js'
import { abortedBy } from '../http/abortedBy.js'
import type { Connection } from '../http/Connection.js'
import { connectionPolicy } from '../http/connectionPolicy.js'
import { endpoint } from '../http/endpoint.js'
import { fetchAnswer } from '../http/fetchAnswer.js'
import { scrubNothing } from '../http/Scrub.js'
import { withRetry } from '../http/withRetry.js'
import { answerErrors } from './answerErrors.js'
import { decodeAnswer, MAX_RESPONSE_BYTES } from './decodeAnswer.js'

/** A request to one of Respan's JSON endpoints. */
interface Question<A> {
  /** Relative to the base URL, with the query. */
  readonly path: string
  /** Sent by POST. Without a body, the request is a GET. */
  readonly body?: Fields
  /** The codec of the answer. */
  readonly codec: t.Decoder<unknown, A>
}

/**
 * Makes a function that sends requests to Respan. Each answer is a cold Observable of one decoded value, with the
 * connection's retries and limits, and the errors of its calls.
 *
 * @param subject - who was given the connection: the first word of an error's message
 * @throws InvalidInput for a wrong connection
 */
export const askRespan = (
  subject: string,
  connection: Connection,
): (<A>(question: Question<A>) => Observable<A>) => {
  const policy = connectionPolicy(subject, connection)
  // The signal isn't passed to the attempts: `abortedBy` covers them and the waits between them.
  const { signal, ...attempted } = connection
  return (question) =>
    defer(() => {
      const target = endpoint('respan', connection)
      if (isLeft(target)) throw target.left
      const { baseUrl, apiKey } = target.right
      const { path, body, codec } = question
      return withRetry(policy.retry, ({ deadline }) =>
        fetchAnswer({
          url: `${baseUrl}${path}`,
          apiKey,
          connection: attempted,
          policy,
          deadline,
          maxBytes: MAX_RESPONSE_BYTES,
          ...(body === undefined ? { method: 'GET' } : { body: JSON.stringify(body) }),
        }).pipe(
          // Nothing to scrub: `fetchAnswer` has already removed the secrets.
          map((answer) => decodeAnswer(answer, codec, answerErrors(answer.ids, scrubNothing))),
        ),
      )
    }).pipe(abortedBy(signal))
}
