import * as t from 'io-ts'
import { ChatMessages } from './ChatMessage.js'
import { ChatParams } from './ChatParams.js'
import { Fields } from './Fields.js'
import { neverSent } from './neverSent.js'
import { integerWithin, oneOf, wire } from './wire.js'

/** Which version of a managed prompt: a number from 1, or the newest draft. */
export const PromptVersionNumber = t.union(
  [integerWithin(1), t.literal('latest')],
  'integer of at least 1, or latest',
)

/**
 * A variable with a type: `text`, `image_url` or `json` with a `value`, or `prompt`, another managed prompt that is
 * rendered first and inserted as text (the platform allows a depth of 2, and answers a cycle with 400).
 *
 * @see https://respan.ai/docs/documentation/features/prompt-management/manage-prompts
 */
export const TypedVariable = wire(
  t.union(
    [
      wire(t.type({ _type: t.literal('text'), value: t.string }), 'TextVariable'),
      wire(t.type({ _type: t.literal('image_url'), value: t.string }), 'ImageVariable'),
      wire(t.type({ _type: t.literal('json'), value: t.unknown }), 'JsonVariable'),
      wire(
        t.intersection([
          t.type({ _type: t.literal('prompt'), prompt_id: t.string }),
          t.partial({ version: PromptVersionNumber, variables: Fields }),
        ]),
        'ChildPrompt',
      ),
    ],
    'TypedVariable',
  ),
)

const PlainVariable = t.refinement(
  t.unknown,
  (value) => !(Fields.is(value) && Object.hasOwn(value, '_type')),
  'JSON without a _type',
)

/**
 * The value of one variable of a managed prompt: a string, a number, a boolean, any other JSON, or a
 * {@link TypedVariable}. An object with a `_type` must be a typed variable.
 */
const PromptVariable = t.union([TypedVariable, PlainVariable], 'PromptVariable')

/** The variables of a managed prompt, by name. */
export const PromptVariables = wire(t.record(t.string, PromptVariable, 'PromptVariables'))

const common = {
  prompt_slug: t.string,
  version: PromptVersionNumber,
  variables: PromptVariables,
  echo: t.boolean,
  is_custom_prompt: t.boolean,
}

/** Parameters that a request changes in a managed prompt. */
const ChangedParams = wire(t.intersection([ChatParams, t.partial(neverSent)]), 'ChatParams')

/** The parameters of a managed prompt that a request changes: never its messages. */
const PromptPatch = t.refinement(
  ChangedParams,
  (params) => !Object.hasOwn(params, 'messages') && !Object.hasOwn(params, 'input'),
  'ChatParams without messages or input',
)

/**
 * A managed prompt, merged the recommended way (`schema_version: 2`): the stored prompt always wins, `patch` changes
 * any parameters but the messages, and the request's messages are appended as further turns. `version` is a number,
 * `latest` for the newest draft, or absent for the deployed one. `echo` asks for the rendered messages in
 * `prompt_message`; the platform's pages disagree on its default.
 *
 * @see https://respan.ai/docs/documentation/features/prompt-management/manage-prompts
 */
const PromptReferenceV2 = wire(
  t.intersection([
    t.type({ prompt_id: t.string, schema_version: t.literal(2) }),
    t.partial({ ...common, patch: PromptPatch }),
  ]),
  'PromptReferenceV2',
)

const OverrideParams = wire(
  t.intersection([ChangedParams, t.partial({ model: t.string, messages: ChatMessages })]),
  'OverrideParams',
)

/**
 * A managed prompt, merged the old way (`schema_version` 1 or absent): with `override: true` the stored prompt wins
 * over the request's model and messages, otherwise the request wins. `override_params` win over the prompt, and
 * `override_config` says whether their messages replace the stored ones (default) or are appended.
 *
 * @see https://respan.ai/docs/documentation/features/prompt-management/manage-prompts
 */
const PromptReferenceV1 = wire(
  t.intersection([
    t.type({ prompt_id: t.string }),
    t.partial({
      ...common,
      schema_version: t.literal(1),
      override: t.boolean,
      override_params: OverrideParams,
      override_config: wire(
        t.partial({ messages_override_mode: oneOf('append', 'override') }),
        'OverrideConfig',
      ),
    }),
  ]),
  'PromptReferenceV1',
)

/** A managed prompt in a request: the `prompt` object, in either schema version. */
export const PromptReference = t.union([PromptReferenceV2, PromptReferenceV1], 'PromptReference')

/** A managed prompt in a request. */
export type PromptReference = t.TypeOf<typeof PromptReference>
