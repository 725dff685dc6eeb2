import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { Fields } from './Fields.js'
import { finite, listOf, nullable, wire } from './wire.js'

/**
 * The gateway's summary of a request, sent when `request_breakdown: true` was asked for. The only documented place of
 * the cost (`cost`, USD) and of a cache hit (`cached`). `latency` and `routing_time` are seconds, `timestamp` is
 * RFC 3339. Any field may be absent or null.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const RequestBreakdown = wire(
  t.partial({
    prompt_tokens: nullable(finite),
    completion_tokens: nullable(finite),
    cost: nullable(finite),
    prompt_messages: nullable(listOf(AssistantMessage)),
    completion_message: nullable(AssistantMessage),
    model: nullable(t.string),
    cached: nullable(t.boolean),
    timestamp: nullable(t.string),
    status_code: nullable(finite),
    stream: nullable(t.boolean),
    latency: nullable(finite),
    routing_time: nullable(finite),
    scores: nullable(Fields),
    category: nullable(t.string),
    metadata: nullable(Fields),
    full_request: nullable(Fields),
    sentiment_score: nullable(finite),
  }),
  'RequestBreakdown',
)

/** The gateway's summary of a request. */
export type RequestBreakdown = t.TypeOf<typeof RequestBreakdown>
