import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { nullable, oneOf, wire } from './wire.js'

/**
 * A function that the model may call; the gateway supports no other kind of tool. `parameters` is a JSON Schema.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const Tool = wire(
  t.type({
    type: t.literal('function'),
    function: wire(
      t.intersection([
        t.type({ name: t.string }),
        t.partial({ description: t.string, parameters: Fields, strict: nullable(t.boolean) }),
      ]),
      'ToolFunction',
    ),
  }),
  'Tool',
)

/** A function that the model may call. */
export type Tool = t.TypeOf<typeof Tool>

/**
 * Whether the model may, must or must not call a tool, or which one it must call. Default: `none` without tools, else
 * `auto`.
 */
export const ToolChoice = t.union(
  [
    oneOf('none', 'auto', 'required'),
    wire(
      t.type({
        type: t.literal('function'),
        function: wire(t.type({ name: t.string }), 'ToolChoiceFunction'),
      }),
      'NamedToolChoice',
    ),
  ],
  'ToolChoice',
)

/** Whether the model may, must or must not call a tool, or which one it must call. */
export type ToolChoice = t.TypeOf<typeof ToolChoice>

/**
 * The form of the answer: text, any JSON object (then the word "json" must occur in the prompt), or JSON that matches
 * a schema. `response_schema` is for Vertex AI.
 */
export const ResponseFormat = wire(
  t.union(
    [
      wire(t.type({ type: t.literal('text') }), 'TextFormat'),
      wire(
        t.intersection([t.type({ type: t.literal('json_object') }), t.partial({ response_schema: Fields })]),
        'JsonObjectFormat',
      ),
      wire(
        t.type({
          type: t.literal('json_schema'),
          json_schema: wire(
            t.intersection([
              t.type({ name: t.string }),
              t.partial({ schema: Fields, strict: nullable(t.boolean), description: t.string }),
            ]),
            'JsonSchema',
          ),
        }),
        'JsonSchemaFormat',
      ),
    ],
    'ResponseFormat',
  ),
)

/** The form of the answer. */
export type ResponseFormat = t.TypeOf<typeof ResponseFormat>
