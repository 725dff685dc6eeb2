import * as t from 'io-ts'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import { defined } from '../codecs/defined.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import { pickedBy } from '../codecs/pickedBy.js'
import { RespanAttributes } from '../codecs/RespanAttributes.js'
import type { Connection } from '../http/Connection.js'
import { connectionOptions } from '../http/connectionPolicy.js'
import { chatGateway } from './chatGateway.js'
import type { Gateway } from './Gateway.js'

/** A connection to Respan, and what all its requests are about. */
export interface RespanConnection extends Connection {
  /** Sent with every request, beneath the request's own fields: `metadata` merges by key, all else is replaced. */
  readonly attributes?: RespanAttributes
}

const Options = closed(t.partial({ ...connectionOptions, attributes: RespanAttributes }, 'RespanConnection'))

/**
 * The Respan gateway, or whoever speaks its protocol under another `baseUrl`.
 *
 * A call is sent at subscription, and aborted by unsubscribing. It emits `Attempt` for each attempt and `Headers` for
 * each answer, also a failed one, then a `Chunk` for each event of a stream, in the tick in which it arrived, or the
 * `Response`; then it completes. A stream asked for may be answered by a `Response`. `[DONE]` ends a stream; so does
 * the end of the body, and whether a finish reason is missing is for the subscriber to see. Attempts that failed before
 * an answer began, though not by a `Timeout`, or with a status that passes, are made again as `retry` says.
 *
 * The key is `apiKey` or `RESPAN_API_KEY`, the address `baseUrl` or `RESPAN_BASE_URL`, with or without `/api`; both are
 * read from the environment at subscription. A key is demanded for the hosts of Respan (and OpenAI) only, unless there
 * is an `authorization` header.
 *
 * Errors: `MissingApiKey` and `InvalidInput` before any request; `NetworkError`, `HttpError`, `RateLimited`,
 * `InvalidResponse`, `GatewayError` (an error inside a 200 answer), `StreamInterrupted`, `Timeout`, `Aborted`.
 *
 * @throws InvalidInput for an option of the wrong shape
 */
export const respanGateway = (options: RespanConnection = {}): Gateway => {
  checked('respanGateway', Options, options)
  const { attributes, ...connection } = options
  return chatGateway(
    'respanGateway',
    'respan',
    connection,
    attributes && ((request) => withAttributes(attributes, request)),
  )
}

const withAttributes = (attributes: RespanAttributes, request: ChatRequest): ChatRequest => {
  // The platform lets a top-level field win over `respan_params`, but the gateway's are beneath both.
  const { metadata: nestedMetadata, ...nested } = request.respan_params ?? {}
  // Only what the gateway's would hide is lifted out of `respan_params`.
  const metadata = request.metadata ?? (attributes.metadata === undefined ? undefined : nestedMetadata)
  return mergeAttributes<ChatRequest>(without(attributes, defined(nested)), {
    ...request,
    ...(metadata === undefined ? {} : { metadata }),
  })
}

const without = (attributes: RespanAttributes, others: RespanAttributes): RespanAttributes =>
  pickedBy(attributes, (_, name) => !Object.hasOwn(others, name))
