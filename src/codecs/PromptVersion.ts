import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { Fields } from './Fields.js'
import { Identifier } from './Identifier.js'
import { finite, listOf, received, strings, wire } from './wire.js'

/**
 * One version of a managed prompt, as `GET /api/prompts/{prompt_id}/versions/{version}/` returns it: the template
 * messages (Jinja2), the default values of its variables, and the model's parameters. Most fields may be null.
 *
 * @see https://www.respan.ai/docs/apis/prompts/
 */
export const PromptVersion = wire(
  t.intersection([
    t.type({ version: finite }),
    received({
      id: Identifier,
      prompt_version_id: Identifier,
      description: t.string,
      messages: listOf(AssistantMessage),
      variables: Fields,
      model: t.string,
      stream: t.boolean,
      temperature: finite,
      max_tokens: finite,
      top_p: finite,
      frequency_penalty: finite,
      presence_penalty: finite,
      reasoning_effort: t.string,
      verbosity: t.string,
      seed: finite,
      fallback_models: strings,
      is_enforcing_response_format: t.boolean,
      readonly: t.boolean,
      is_deployed: t.boolean,
      created_at: t.string,
      updated_at: t.string,
    }),
  ]),
  'PromptVersion',
)

/** One version of a managed prompt. */
export interface PromptVersion extends t.TypeOf<typeof PromptVersion> {}
