import type { AssistantChatMessage, AssistantMessage } from './ChatMessage.js'
import type { Logprobs } from './Logprobs.js'
import type { RequestBreakdown } from './RequestBreakdown.js'
import type { Usage } from './Usage.js'

/** What is known about one choice of a reply, besides its text and message. */
export interface ReplyMeta {
  /** The model that answered: often with a date in its name, and after a fallback not the one that was asked for. */
  readonly model: string
  /** Index of the choice, from 0. */
  readonly index: number
  /** Why the model stopped (`stop`, `length`, `tool_calls`, `content_filter`, …); null if it did not say. */
  readonly finish_reason: string | null
  /** Tokens of the whole request, on the first choice only; absent if the provider reports none. */
  readonly usage?: Usage
  /**
   * Cost of the whole request in USD, on the first choice only; absent unless the gateway reports it, which the attribute
   * `request_breakdown: true` asks for.
   */
  readonly cost?: number
  /** Log probabilities, if the request asked for them. */
  readonly logprobs?: Logprobs
  /** The gateway's id of the request, for support (`x-respan-gateway-request-id`). */
  readonly requestId?: string
  /** Id of the log entry that the gateway wrote (`x-respan-log-id`). */
  readonly logId?: string
}

/**
 * A finished reply. `replies`, `meta` and `messages` are aligned: one entry for each choice, in order of `index`.
 */
export interface Reply {
  /** The text of each choice; `''` for a choice without text (tool calls, a refusal). */
  readonly replies: ReadonlyArray<string>
  /** What is known about each choice. */
  readonly meta: ReadonlyArray<ReplyMeta>
  /** Each choice as a message, with its `tool_calls`, `refusal` and `reasoning_content`: history for the next request. */
  readonly messages: ReadonlyArray<AssistantChatMessage>
  /** The rendered messages of a managed prompt, if the request set its `echo`. */
  readonly promptMessages?: ReadonlyArray<AssistantMessage>
  /** The gateway's summary, if the request set `request_breakdown`. */
  readonly breakdown?: RequestBreakdown
}

/**
 * One event of a streamed reply. `id` identifies the reply, so that interleaved replies can be told apart; `choice`
 * is the index of the choice.
 */
export type ReplyEvent = { readonly id: string } & (
  | { readonly _tag: 'ReplyStarted'; readonly model: string }
  | { readonly _tag: 'TextDelta'; readonly choice: number; readonly text: string }
  | { readonly _tag: 'ReasoningDelta'; readonly choice: number; readonly text: string }
  | { readonly _tag: 'RefusalDelta'; readonly choice: number; readonly text: string }
  | {
      readonly _tag: 'ToolCallDelta'
      readonly choice: number
      /** Index of the call within the choice. */
      readonly call: number
      /** Id of the call; on the first piece that carries it. */
      readonly callId?: string
      /** Name of the function; on the first piece that carries it. */
      readonly name?: string
      /** A piece of the arguments; all pieces joined are JSON. */
      readonly json: string
    }
  | { readonly _tag: 'ReplyFinished'; readonly reply: Reply }
)
