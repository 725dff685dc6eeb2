import * as t from 'io-ts'
import { MessageContent } from './ContentPart.js'
import { ReceivedToolCall, ToolCall } from './ToolCall.js'
import { listOf, nullable, objects, received, wire } from './wire.js'

/** A message that is nothing but its content, and perhaps the name of who says it. */
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

/** The instructions for a conversation, as newer models of OpenAI take them. */
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

/** An assistant's message, given back as history: `content` may be null beside `tool_calls`. */
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
 * One message of a conversation as we send it, told apart by `role`: `system`, `developer`, `user`, `assistant` or
 * `tool`. An assistant message may have `content: null` beside `tool_calls`; a tool message answers the call with its
 * `tool_call_id`.
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
 * `content` is null beside `tool_calls` or a `refusal`. `reasoning_content` (with some providers `reasoning`) and
 * `thinking_blocks` come from reasoning models.
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
