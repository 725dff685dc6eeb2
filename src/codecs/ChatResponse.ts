import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { chatHead } from './chatHead.js'
import { Logprobs } from './Logprobs.js'
import { RequestBreakdown } from './RequestBreakdown.js'
import { finite, listOf, received, wire } from './wire.js'

/**
 * One of the answers in a response. `finish_reason` is an open string (`stop`, `length`, `tool_calls`,
 * `content_filter`, …) or null; any field may be absent.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
const ChatChoice = wire(
  received({
    index: finite,
    message: AssistantMessage,
    finish_reason: t.string,
    logprobs: Logprobs,
  }),
  'ChatChoice',
)

/**
 * The answer of `POST /api/chat/completions`, not streamed. Only `choices` is required, and it may be empty.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const ChatResponse = wire(
  t.intersection([
    t.type({ choices: listOf(ChatChoice) }),
    received({ ...chatHead, request_breakdown: RequestBreakdown }),
  ]),
  'ChatResponse',
)

/** The answer to a chat request, not streamed. */
export type ChatResponse = t.TypeOf<typeof ChatResponse>
