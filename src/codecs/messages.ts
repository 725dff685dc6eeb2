import type { AssistantChatMessage, AssistantMessage, ChatMessage } from './ChatMessage.js'
import type { ContentPart, MessageContent } from './ContentPart.js'
import { pickedBy } from './pickedBy.js'
import type { ToolCall } from './ToolCall.js'

// A `ChatMessage` of any role, so that in `scan(…, [user('Hi')])` the list may grow by replies. `assistant` returns what the
// messages of a `Reply` are.

/**
 * A system message: the instructions for a conversation.
 *
 * @param content - text, or parts
 */
export const system = (content: string | ReadonlyArray<ContentPart>): ChatMessage => ({
  role: 'system',
  content,
})

/**
 * A user's message.
 *
 * @param content - text, or parts such as text and images
 */
export const user = (content: string | ReadonlyArray<ContentPart>): ChatMessage => ({
  role: 'user',
  content,
})

/**
 * An assistant's message: an answer of the model, sent back as history.
 *
 * @param content - text, parts, or `null` beside tool calls
 * @param extras - `tool_calls`, `refusal`, `reasoning_content`, …
 */
export const assistant = (
  content: MessageContent | null,
  extras: Omit<AssistantChatMessage, 'role' | 'content'> = {},
): AssistantChatMessage => ({ ...extras, role: 'assistant', content })

/**
 * The answer to one tool call.
 *
 * @param toolCallId - `id` of the call that this is the answer to
 * @param content - the result, as text
 */
export const toolResult = (
  toolCallId: string,
  content: string | ReadonlyArray<ContentPart>,
): ChatMessage => ({ role: 'tool', tool_call_id: toolCallId, content })

/**
 * The text of a message: its content if that is a string, otherwise its text parts joined; `''` if there is no text.
 *
 * @param message - a message sent or received
 */
export const messageText = (message: { readonly content?: MessageContent | null }): string => {
  const { content } = message
  if (typeof content === 'string') return content
  return (content ?? [])
    .map((part) => ('text' in part && typeof part.text === 'string' ? part.text : ''))
    .join('')
}

/**
 * Converts the message of a response to the form in which it is sent back to the model in the next request: null fields
 * other than `content` are left out, and fields that a provider left out of a tool call are filled in (`call_0` and so
 * on for a missing or empty id). An id that is a number becomes text.
 *
 * @param message - `choices[].message` of a response
 */
export const toChatMessage = (message: AssistantMessage): AssistantChatMessage => {
  const { role: _, content, tool_calls, ...others } = message
  const kept = pickedBy(others, (value) => value != null)
  const calls = (tool_calls ?? []).map(
    (call, index): ToolCall => ({
      ...call,
      id: String(call.id ?? '') || `call_${index}`,
      type: 'function',
      function: {
        ...call.function,
        name: call.function?.name ?? '',
        arguments: call.function?.arguments ?? '',
      },
    }),
  )
  return {
    ...kept,
    role: 'assistant',
    content: content ?? null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  }
}
