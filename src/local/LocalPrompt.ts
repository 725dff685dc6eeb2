import * as t from 'io-ts'
import { ChatMessages } from '../codecs/ChatMessage.js'
import { ChatParams } from '../codecs/ChatParams.js'
import { Fields } from '../codecs/Fields.js'
import { WeightedModel } from '../codecs/RespanParams.js'
import { integerWithin, nullable, strings, wire } from '../codecs/wire.js'

const { props } = ChatParams.type

/** The parameters that a version has besides its messages on the platform. */
export const StoredParams = wire(
  t.partial({
    temperature: nullable(props.temperature),
    max_tokens: nullable(props.max_tokens),
    top_p: nullable(props.top_p),
    frequency_penalty: nullable(props.frequency_penalty),
    presence_penalty: nullable(props.presence_penalty),
    reasoning_effort: nullable(props.reasoning_effort),
    verbosity: nullable(props.verbosity),
    seed: nullable(props.seed),
    thinking: nullable(props.thinking),
    tools: nullable(props.tools),
    tool_choice: nullable(props.tool_choice),
    response_format: nullable(props.response_format),
  }),
  'StoredParams',
)

/**
 * One version of a prompt that the local gateway manages: template messages in Jinja2, the defaults of their variables
 * (plain or typed, as in a request), the model, and its parameters, beside the messages or in `params`, which wins.
 */
export const LocalPromptVersion = wire(
  t.intersection([
    t.type({ messages: ChatMessages }),
    StoredParams,
    t.partial({
      version: integerWithin(1),
      description: t.string,
      model: t.string,
      variables: Fields,
      params: ChatParams,
      fallback_models: strings,
      load_balance_models: t.readonlyArray(WeightedModel, 'list of WeightedModel'),
    }),
  ]),
  'LocalPromptVersion',
)

/** One version of a locally managed prompt. */
export type LocalPromptVersion = t.TypeOf<typeof LocalPromptVersion>

const LocalPromptHistory = wire(
  t.intersection([
    t.type({ versions: t.readonlyArray(LocalPromptVersion, 'list of LocalPromptVersion') }),
    t.partial({ name: t.string, description: t.string, deployed: integerWithin(1) }),
  ]),
  'LocalPromptHistory',
)

/**
 * A prompt that the local gateway manages: one version, or several. Versions are numbered from 1 in their order
 * unless they say otherwise; `deployed` is the one for requests that name none, by default the highest.
 */
export const LocalPrompt = t.union(
  [
    LocalPromptHistory,
    wire(t.intersection([LocalPromptVersion, t.partial({ name: t.string })]), 'LocalPrompt'),
  ],
  'LocalPrompt',
)

/** A locally managed prompt. */
export type LocalPrompt = t.TypeOf<typeof LocalPrompt>
