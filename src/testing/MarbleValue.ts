import { type ChatChunk, type ChatDelta, isBreakdownChunk } from '../codecs/ChatChunk.js'
import type { ChatResponse } from '../codecs/ChatResponse.js'
import type { ReportedUsage } from '../codecs/Usage.js'
import type { GatewayEvent } from '../sources/Gateway.js'

/** A piece of a function call, without the wire's nesting. */
export interface MarbleToolCall {
  /** Number of the call; default 0. */
  readonly index?: number
  readonly id?: string
  readonly name?: string
  /** A piece of the arguments' JSON. */
  readonly arguments?: string
}

/**
 * What a marble stands for: a piece of text (a string), of reasoning, of a refusal or of a tool call; a finish
 * reason; a usage report; or, as it is, anything that a gateway can send: a chunk, a response, an event.
 */
export type MarbleValue =
  | string
  | { readonly reasoning: string }
  | { readonly refusal: string }
  | { readonly toolCall: MarbleToolCall }
  | { readonly finish: string }
  | { readonly usage: ReportedUsage; readonly choices?: never }
  | ChatChunk
  | ChatResponse
  | GatewayEvent

/** What the chunks of one reply have in common. */
export interface ChunkHead {
  readonly id: string
  readonly model: string
}

/** A chunk around some choices, or around a usage report. */
export const chunkEvent = (
  { id, model }: ChunkHead,
  choices: ChatChunk['choices'],
  usage?: ReportedUsage,
): GatewayEvent => ({
  _tag: 'Chunk',
  chunk: {
    id,
    object: 'chat.completion.chunk',
    created: 0,
    model,
    choices,
    ...(usage === undefined ? {} : { usage }),
  },
})

const isResponse = (value: ChatChunk | ChatResponse): value is ChatResponse =>
  value.object === 'chat.completion' ||
  (value.object !== 'chat.completion.chunk' &&
    !isBreakdownChunk(value) &&
    value.choices.some((choice) => 'message' in choice && choice.message != null))

const toolCallDelta = ({ index = 0, id, name, arguments: json }: MarbleToolCall): ChatDelta => ({
  tool_calls: [
    {
      index,
      ...(id === undefined ? {} : { id, type: 'function' }),
      function: { ...(name === undefined ? {} : { name }), arguments: json ?? '' },
    },
  ],
})

/** A marble's value as an event of the gateway; `head` is what the chunks made here have in common. */
export const marbleEvent = (value: MarbleValue, head: ChunkHead): GatewayEvent => {
  const deltaEvent = (delta: ChatDelta): GatewayEvent =>
    chunkEvent(head, [{ index: 0, delta, finish_reason: null }])
  if (typeof value === 'string') return deltaEvent({ content: value })
  if ('_tag' in value) return value
  if ('choices' in value && value.choices !== undefined) {
    return isResponse(value) ? { _tag: 'Response', response: value } : { _tag: 'Chunk', chunk: value }
  }
  if ('reasoning' in value) return deltaEvent({ reasoning_content: value.reasoning })
  if ('refusal' in value) return deltaEvent({ refusal: value.refusal })
  if ('toolCall' in value) return deltaEvent(toolCallDelta(value.toolCall))
  if ('finish' in value) return chunkEvent(head, [{ index: 0, delta: {}, finish_reason: value.finish }])
  return chunkEvent(head, [], value.usage)
}
