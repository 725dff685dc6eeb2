import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { chatHead } from './chatHead.js'
import { Logprobs } from './Logprobs.js'
import { RequestBreakdown } from './RequestBreakdown.js'
import { ToolCallDelta } from './ToolCall.js'
import { finite, listOf, received, wire } from './wire.js'

/**
 * What a chunk adds to a choice: a piece of text, of reasoning (`reasoning_content`, with some providers `reasoning`),
 * of a refusal, or of tool calls. The first delta of a choice carries only the role, and the last one is empty.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/streaming
 */
export const ChatDelta = wire(
  received({
    role: t.string,
    content: t.string,
    reasoning_content: t.string,
    reasoning: t.string,
    refusal: t.string,
    tool_calls: listOf(ToolCallDelta),
  }),
  'ChatDelta',
)

/** What a chunk adds to a choice. */
export type ChatDelta = t.TypeOf<typeof ChatDelta>

/**
 * One choice of a chunk. `delta` may be null or absent; `finish_reason` comes once for each `index`;
 * `request_breakdown` and `message` only in the breakdown chunk.
 */
export const ChunkChoice = wire(
  received({
    index: finite,
    delta: ChatDelta,
    finish_reason: t.string,
    logprobs: Logprobs,
    message: AssistantMessage,
    request_breakdown: RequestBreakdown,
  }),
  'ChunkChoice',
)

/** One choice of a chunk. */
export type ChunkChoice = t.TypeOf<typeof ChunkChoice>

/**
 * One event of a streamed answer. Only `choices` is required; it is empty in the last chunk, which carries the usage
 * if the request set `stream_options.include_usage`. In all other chunks `usage` is absent, null or `{}`. An event
 * that holds an error instead is an error body, not a chunk.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/streaming
 */
export const ChatChunk = wire(
  t.intersection([t.type({ choices: listOf(ChunkChoice) }), received(chatHead)]),
  'ChatChunk',
)

/** One event of a streamed answer. */
export type ChatChunk = t.TypeOf<typeof ChatChunk>

/**
 * Whether a chunk is the extra one that `request_breakdown: true` adds to a stream. Its id, model (`extra_parameter`),
 * usage and `finish_reason` say nothing about the reply.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const isBreakdownChunk = (chunk: ChatChunk): boolean =>
  chunk.id === 'request_breakdown' || chunk.choices.some((choice) => choice.request_breakdown != null)
