import type * as t from 'io-ts'
import { defer, map, type Observable, throwError } from 'rxjs'
import { isLeft } from '#fp/Either'
import { decode } from '../codecs/decode.js'
import { describeFound } from '../codecs/describeFound.js'
import { readEnvironment } from '../codecs/Environment.js'
import { isErrorBody } from '../codecs/ErrorBody.js'
import type { Fields } from '../codecs/Fields.js'
import type { Answer } from '../http/Answer.js'
import { abortedBy } from '../http/abortedBy.js'
import type { Connection } from '../http/Connection.js'
import { connectionPolicy } from '../http/connectionPolicy.js'
import { endpoint, endpointVariables } from '../http/endpoint.js'
import { fetchAnswer } from '../http/fetchAnswer.js'
import { parseJson } from '../http/parseJson.js'
import { scrubNothing } from '../http/scrub.js'
import { withRetry } from '../http/withRetry.js'
import { answerErrors } from './answerErrors.js'
import { MAX_RESPONSE_BYTES } from './readChatResponse.js'

/** A question to one of Respan's JSON endpoints. */
export interface Question<A> {
  /** Below the base URL, with its query. */
  readonly path: string
  /** Sent by POST; without it, the question is a GET. */
  readonly body?: Fields
  /** What the answer must be. */
  readonly codec: t.Decoder<unknown, A>
  /** Brings the parsed JSON of an older answer into the form of the codec. */
  readonly renew?: (answer: unknown) => unknown
}

const answerOf = <A>(answer: Answer, { codec, renew }: Question<A>): A => {
  const { text, cut } = answer
  // Scrubbed with nothing: it was freed of secrets when it was read.
  const { invalid, reported } = answerErrors(answer.ids, scrubNothing)
  if (cut) throw invalid({ path: '', expected: `at most ${MAX_RESPONSE_BYTES} bytes`, found: 'more' })
  const json = parseJson(text)
  const found = text === '' ? 'an empty body' : describeFound(text)
  if (json === undefined) throw invalid({ path: '', expected: 'JSON', found })
  if (isErrorBody(json)) throw reported(text)
  const decoded = decode(codec)(renew === undefined ? json : renew(json))
  if (isLeft(decoded)) throw invalid(decoded.left)
  return decoded.right
}

/**
 * Makes a function that asks Respan: each answer is a cold Observable of one decoded value, with the retries, the limits
 * and the errors of a connection.
 *
 * @param subject - who was given the connection: the first word of an error's message
 * @throws InvalidInput for a wrong connection
 */
export const askRespan = (
  subject: string,
  connection: Connection,
): (<A>(question: Question<A>) => Observable<A>) => {
  const policy = connectionPolicy(subject, connection)
  const { retry } = policy
  const variables = endpointVariables('respan', connection)
  // The signal ends the waits between the attempts as well.
  const { signal, ...attempted } = connection
  return (question) =>
    defer(() => {
      const target = endpoint('respan', connection, readEnvironment(variables))
      if (isLeft(target)) return throwError(() => target.left)
      const { baseUrl, apiKey } = target.right
      const { path, body } = question
      return withRetry(retry, ({ left }) =>
        fetchAnswer({
          url: `${baseUrl}${path}`,
          apiKey,
          connection: attempted,
          policy,
          deadline: { left, limit: retry.deadline },
          maxBytes: MAX_RESPONSE_BYTES,
          ...(body === undefined ? { method: 'GET' } : { body: JSON.stringify(body) }),
        }).pipe(map((answer) => answerOf(answer, question))),
      )
    }).pipe(abortedBy(signal))
}
