import * as t from 'io-ts'
import { Identifier } from './Identifier.js'
import { finite, received, wire } from './wire.js'

/**
 * A function call by the model, as it is sent back to the model in an assistant message.
 *
 * `function.arguments` is a JSON *string*, written by the model: it may be invalid JSON.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
export const ToolCall = wire(
  t.type({
    id: t.string,
    type: t.literal('function'),
    function: wire(t.type({ name: t.string, arguments: t.string }), 'ToolCallFunction'),
  }),
  'ToolCall',
)

/** A function call by the model. */
export type ToolCall = t.TypeOf<typeof ToolCall>

/**
 * A function call as it arrives in a response. Some providers behind the gateway leave out `id` or `type`, so every
 * field may be absent or null; `id` may also be an integer.
 */
export const ReceivedToolCall = wire(
  received({
    id: Identifier,
    type: t.string,
    function: wire(received({ name: t.string, arguments: t.string }), 'ReceivedToolCallFunction'),
  }),
  'ReceivedToolCall',
)

/**
 * A piece of a function call in a stream. Pieces with the same `index` belong to one call: `id` and `function.name`
 * come once, and the pieces of `function.arguments` are to be joined.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/streaming
 */
export const ToolCallDelta = wire(
  received({
    index: finite,
    id: Identifier,
    type: t.string,
    function: wire(received({ name: t.string, arguments: t.string }), 'ToolCallDeltaFunction'),
  }),
  'ToolCallDelta',
)

/** A piece of a function call in a stream. */
export type ToolCallDelta = t.TypeOf<typeof ToolCallDelta>
