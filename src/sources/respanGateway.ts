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

/** A connection to Respan, and attributes that all its requests have. */
export interface RespanConnection extends Connection {
  /** Sent with every request. The request's own fields override them; `metadata` merges by key. */
  readonly attributes?: RespanAttributes
}

const Options = closed(t.partial({ ...connectionOptions, attributes: RespanAttributes }, 'RespanConnection'))

/**
 * Makes a gateway of the Respan platform, or of any server that speaks its protocol under another `baseUrl`.
 *
 * A call is sent at subscription, and unsubscribing aborts it. It emits `Attempt` for each attempt and `Headers` for each
 * answer, even a failed one, then a `Chunk` for each event of a stream, in the tick in which it arrived, or the `Response`;
 * then it completes. The answer may be a `Response` even if a stream was asked for. A stream ends with `[DONE]` or with the
 * body; a missing finish reason is left for the subscriber to judge. An attempt is retried, as `retry` says, if it failed
 * before an answer began, though not by a `Timeout`, or with a temporary status.
 *
 * The key is `apiKey` or `RESPAN_API_KEY`, the address `baseUrl` or `RESPAN_BASE_URL`, with or without `/api`; the
 * environment is read at subscription. A key is required only for the hosts of Respan (and OpenAI), and not if there is an
 * `authorization` header.
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
  // On the platform a top-level field wins over `respan_params`, but both must win over the gateway's attributes.
  const { metadata: nestedMetadata, ...nested } = request.respan_params ?? {}
  // Lifted out of `respan_params` only where the gateway's `metadata` would hide it.
  const metadata = request.metadata ?? (attributes.metadata === undefined ? undefined : nestedMetadata)
  return mergeAttributes<ChatRequest>(without(attributes, defined(nested)), {
    ...request,
    ...(metadata === undefined ? {} : { metadata }),
  })
}

const without = (attributes: RespanAttributes, others: RespanAttributes): RespanAttributes =>
  pickedBy(attributes, (_, name) => !Object.hasOwn(others, name))
