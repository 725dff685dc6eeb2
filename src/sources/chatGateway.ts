import { defer, type Observable } from 'rxjs'
import { isLeft } from '#fp/Either'
import { askedParams } from '../codecs/askedParams.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import { describeFound } from '../codecs/describeFound.js'
import { secretsIn } from '../codecs/redactSecrets.js'
import { InvalidInput } from '../errors.js'
import { abortedBy } from '../http/abortedBy.js'
import type { Connection } from '../http/Connection.js'
import { connectionPolicy } from '../http/connectionPolicy.js'
import { endpoint, type Platform } from '../http/endpoint.js'
import { requestHeaders } from '../http/requestHeaders.js'
import { MOST_SCRUBS, type Scrub, scrubber } from '../http/Scrub.js'
import { withRetry } from '../http/withRetry.js'
import { addNewest } from '../util/addNewest.js'
import { chatAttempt } from './chatAttempt.js'
import type { Gateway, GatewayEvent } from './Gateway.js'

/**
 * Makes a gateway of a platform that answers `POST …/chat/completions`.
 *
 * @param subject - who was given the connection: the first word of an error's message
 * @param platform - decides the gateway's name, its key, its address and the fields that it takes
 * @param connection - checked now, without reading the environment
 * @param withDefaults - maps each request to what is sent. By default it is sent as it is
 * @throws InvalidInput for an option of the wrong shape
 */
export const chatGateway = (
  subject: string,
  platform: Platform,
  connection: Connection,
  withDefaults?: Gateway['withDefaults'],
): Gateway => {
  const { retry, ...limits } = connectionPolicy(subject, connection)
  const untilAborted = abortedBy<GatewayEvent>(connection.signal)
  /** One for each of the newest sets of key and headers that were sent: the environment may hold another key at each call. */
  const scrubs = new Set<Scrub>()
  const chat = (request: ChatRequest): Observable<GatewayEvent> =>
    defer(() => {
      const target = endpoint(platform, connection)
      if (isLeft(target)) throw target.left
      const whole = withDefaults?.(request) ?? request
      const body = toJson(whole)
      const stream = request.stream === true
      const { baseUrl, apiKey } = target.right
      const accept = stream ? 'text/event-stream, application/json' : 'application/json'
      const headers = requestHeaders(apiKey, { accept }, connection.headers)
      const scrub = scrubber(headers)
      addNewest(scrubs, scrub, MOST_SCRUBS)
      const secrets = secretsOf(whole)
      const call = {
        platform,
        stream,
        choices: askedParams(request).n ?? 1,
        url: `${baseUrl}/chat/completions`,
        body,
        headers,
        fetch: connection.fetch,
        ...limits,
        scrub: secrets.length === 0 ? scrub : scrubber(headers, secrets),
      }
      return withRetry(retry, (info) => chatAttempt(call, info))
    }).pipe(untilAborted)
  return {
    name: platform,
    kind: platform,
    chat,
    scrubs: () => scrubs,
    ...(withDefaults === undefined ? {} : { withDefaults }),
  }
}

/** The secrets in a request. Credentials are in its other fields, so messages and tools, which are most of it, are skipped. */
const secretsOf = ({ messages: _, tools: __, ...fields }: ChatRequest): ReadonlyArray<string> =>
  secretsIn(fields)

/** The request as JSON. @throws InvalidInput for a cycle, a BigInt or a `toJSON` that throws */
const toJson = (request: ChatRequest): string => {
  try {
    return JSON.stringify(request)
  } catch (cause) {
    throw new InvalidInput('The request', {
      path: '',
      expected: 'a value that can be written as JSON',
      found: describeFound(request),
      cause,
    })
  }
}
