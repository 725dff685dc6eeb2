import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { Fields } from './Fields.js'
import { Identifier } from './Identifier.js'
import { finite, listOf, nullable, strings, wire } from './wire.js'

/**
 * One version of a managed prompt, as `GET /api/prompts/{prompt_id}/versions/{version}/` gives it: the template
 * messages (Jinja2), the default values of its variables, and the model's parameters. Most fields may be null.
 *
 * @see https://www.respan.ai/docs/apis/prompts/
 */
export const PromptVersion = wire(
  t.intersection([
    t.type({ version: finite }),
    t.partial({
      id: nullable(Identifier),
      prompt_version_id: nullable(Identifier),
      description: nullable(t.string),
      messages: nullable(listOf(AssistantMessage)),
      variables: nullable(Fields),
      model: nullable(t.string),
      stream: nullable(t.boolean),
      temperature: nullable(finite),
      max_tokens: nullable(finite),
      top_p: nullable(finite),
      frequency_penalty: nullable(finite),
      presence_penalty: nullable(finite),
      reasoning_effort: nullable(t.string),
      verbosity: nullable(t.string),
      seed: nullable(finite),
      fallback_models: nullable(strings),
      is_enforcing_response_format: nullable(t.boolean),
      readonly: nullable(t.boolean),
      is_deployed: nullable(t.boolean),
      created_at: nullable(t.string),
      updated_at: nullable(t.string),
    }),
  ]),
  'PromptVersion',
)

/** One version of a managed prompt. */
export interface PromptVersion extends t.TypeOf<typeof PromptVersion> {}
