import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { Fields } from './Fields.js'
import { finite, listOf, received, wire } from './wire.js'

/**
 * The gateway's summary of a request, sent if the request set `request_breakdown: true`. The only documented place for
 * the cost (`cost`, USD) and for a cache hit (`cached`). `latency` and `routing_time` are in seconds, `timestamp` is in
 * RFC 3339. Any field may be absent or null.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const RequestBreakdown = wire(
  received({
    prompt_tokens: finite,
    completion_tokens: finite,
    cost: finite,
    prompt_messages: listOf(AssistantMessage),
    completion_message: AssistantMessage,
    model: t.string,
    cached: t.boolean,
    timestamp: t.string,
    status_code: finite,
    stream: t.boolean,
    latency: finite,
    routing_time: finite,
    scores: Fields,
    category: t.string,
    metadata: Fields,
    full_request: Fields,
    sentiment_score: finite,
  }),
  'RequestBreakdown',
)

/** The gateway's summary of a request. */
export type RequestBreakdown = t.TypeOf<typeof RequestBreakdown>
