import * as t from 'io-ts'
import { ChatMessages } from '../codecs/ChatMessage.js'
import { ChatParams } from '../codecs/ChatParams.js'
import { Fields } from '../codecs/Fields.js'
import { WeightedModel } from '../codecs/RespanParams.js'
import { integerWithin, strings, wire } from '../codecs/wire.js'

/**
 * One version of a prompt that the local gateway manages: template messages in Jinja2, the defaults of their
 * variables (plain or typed, as in a request), the model and its parameters.
 */
export const LocalPromptVersion = wire(
  t.intersection([
    t.type({ messages: ChatMessages }),
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
 * unless they say otherwise; `deployed` is the one that requests without a version get, by default the highest.
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
