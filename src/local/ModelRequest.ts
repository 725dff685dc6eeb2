import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { MessageContent } from '../codecs/ContentPart.js'
import type { Tool } from '../codecs/Tool.js'
import type { ToolCall } from '../codecs/ToolCall.js'

/** The form of the answer: free text, any JSON object, or JSON that satisfies a schema. */
export type ResponseForm =
  | { readonly _tag: 'Text' }
  | { readonly _tag: 'JsonObject' }
  | { readonly _tag: 'JsonSchema'; readonly schema: unknown }

/** One chat request, reduced to what the built-in model obeys. */
export interface ModelRequest {
  readonly messages: ReadonlyArray<ChatMessage>
  readonly n: number
  readonly seed: number
  readonly maxTokens: number | undefined
  readonly stop: ReadonlyArray<string>
  readonly tools: ReadonlyArray<Tool['function']>
  /** Whether to call a function, and which; a name means exactly that one. */
  readonly toolChoice: 'none' | 'auto' | 'required' | { readonly name: string }
  readonly parallelToolCalls: boolean
  readonly form: ResponseForm
  /** Whether to think aloud before the answer (`reasoning_effort`, `thinking`). */
  readonly reasoning: boolean
}

type Content = MessageContent | null | undefined

/** The texts in a message's content. */
export const textsIn = (content: Content): ReadonlyArray<string> =>
  typeof content === 'string'
    ? [content]
    : (content ?? []).flatMap((part) => ('text' in part && typeof part.text === 'string' ? part.text : []))

/** The text of a message's content: its texts, joined by a line break. */
export const textOf = (content: Content): string =>
  textsIn(content)
    .filter((text) => text !== '')
    .join('\n')

/** The calls that a message makes. */
export const callsIn = (message: ChatMessage): ReadonlyArray<ToolCall> =>
  message.role === 'assistant' ? (message.tool_calls ?? []) : []
