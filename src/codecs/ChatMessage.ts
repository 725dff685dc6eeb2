import * as t from 'io-ts'
import { MessageContent } from './ContentPart.js'
import { ReceivedToolCall, ToolCall } from './ToolCall.js'
import { listOf, nullable, objects, received, wire } from './wire.js'

/** A message that has only content and, optionally, the name of its author. */
const plain = <R extends string>(role: R, name: string) =>
  wire(
    t.intersection([
      t.type({ role: t.literal(role), content: MessageContent }),
      t.partial({ name: t.string }),
    ]),
    name,
  )

const SystemMessage = plain('system', 'SystemMessage')

/** The instructions for a conversation. */
export interface SystemMessage extends t.TypeOf<typeof SystemMessage> {}

const DeveloperMessage = plain('developer', 'DeveloperMessage')

/** The instructions for a conversation, under the role that newer OpenAI models expect. */
export interface DeveloperMessage extends t.TypeOf<typeof DeveloperMessage> {}

const UserMessage = plain('user', 'UserMessage')

/** A user's message. */
export interface UserMessage extends t.TypeOf<typeof UserMessage> {}

const AssistantChatMessage = wire(
  t.intersection([
    t.type({ role: t.literal('assistant') }),
    t.partial({
      content: nullable(MessageContent),
      name: t.string,
      refusal: nullable(t.string),
      tool_calls: listOf(ToolCall),
      reasoning_content: nullable(t.string),
      thinking_blocks: nullable(objects),
    }),
  ]),
  'AssistantChatMessage',
)

/** An assistant's message, sent back as history: `content` may be null beside `tool_calls`. */
export interface AssistantChatMessage extends t.TypeOf<typeof AssistantChatMessage> {}

const ToolMessage = wire(
  t.intersection([
    t.type({ role: t.literal('tool'), content: MessageContent, tool_call_id: t.string }),
    t.partial({ name: t.string }),
  ]),
  'ToolMessage',
)

/** The answer to one tool call. */
export interface ToolMessage extends t.TypeOf<typeof ToolMessage> {}

/**
 * One message of a conversation as we send it, discriminated by `role`: `system`, `developer`, `user`, `assistant` or
 * `tool`. An assistant message may have `content: null` beside `tool_calls`; a tool message answers the call that its
 * `tool_call_id` names.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const ChatMessage: t.Type<ChatMessage> = wire(
  t.union([SystemMessage, DeveloperMessage, UserMessage, AssistantChatMessage, ToolMessage], 'ChatMessage'),
)

/** One message of a conversation as we send it. */
export type ChatMessage = SystemMessage | DeveloperMessage | UserMessage | AssistantChatMessage | ToolMessage

/** The messages of a conversation as we send them. */
export const ChatMessages = wire(listOf(ChatMessage))

/**
 * A message as a response carries it. Nothing is required, the role is an open string, and every field may be null:
 * `content` is null beside `tool_calls` or a `refusal`. Reasoning models add `reasoning_content` (some providers call
 * it `reasoning`) and `thinking_blocks`.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const AssistantMessage = wire(
  received({
    role: t.string,
    content: MessageContent,
    refusal: t.string,
    tool_calls: listOf(ReceivedToolCall),
    reasoning_content: t.string,
    reasoning: t.string,
    thinking_blocks: objects,
  }),
  'AssistantMessage',
)

/** A message as a response carries it. */
export type AssistantMessage = t.TypeOf<typeof AssistantMessage>
