import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { ResponseFormat, Tool, ToolChoice } from './Tool.js'
import { finite, integer, integerWithin, listOf, numberWithin, positive, strings, wire } from './wire.js'

/**
 * The OpenAI fields of a chat request, all optional. `model`, `messages`, `stream` and `stream_options` are not among
 * them: the library sets those. `max_tokens` and `max_completion_tokens` count tokens (reasoning models want the
 * latter); `timeout` is in seconds and is passed on to the provider. Unknown fields are sent unchanged.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const ChatParams = wire(
  t.partial({
    temperature: numberWithin(0, 2),
    top_p: numberWithin(0, 1),
    /** Maximum number of tokens; reasoning models want `max_completion_tokens` instead. */
    max_tokens: integerWithin(1),
    /** Maximum number of tokens, reasoning tokens included. */
    max_completion_tokens: integerWithin(1),
    n: integerWithin(1),
    stop: t.union([t.string, strings], 'string or list of strings'),
    presence_penalty: numberWithin(-2, 2),
    frequency_penalty: numberWithin(-2, 2),
    logit_bias: wire(t.record(t.string, finite, 'LogitBias')),
    logprobs: t.boolean,
    top_logprobs: integerWithin(0, 20),
    tools: listOf(Tool),
    tool_choice: ToolChoice,
    parallel_tool_calls: t.boolean,
    response_format: ResponseFormat,
    reasoning_effort: t.string,
    thinking: wire(
      t.intersection([t.type({ type: t.string }), t.partial({ budget_tokens: integerWithin(1) })]),
      'Thinking',
    ),
    verbosity: t.string,
    seed: integer,
    user: t.string,
    echo: t.boolean,
    /** Passed on to the provider, in seconds; the `timeout` beside `params` is in ms. */
    timeout: positive,
    extra_headers: Fields,
    web_search_options: Fields,
  }),
  'ChatParams',
)

/** The OpenAI fields of a chat request, all optional. */
export interface ChatParams extends t.TypeOf<typeof ChatParams> {}
