import type { ChatParams } from '../codecs/ChatParams.js'
import type { Fields } from '../codecs/Fields.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import type { GenerateOptions } from './GenerateOptions.js'

/**
 * The `prompt` field of a request.
 *
 * @param variables - the item's
 * @param params - the operator's for this item; the prompt's settings override them
 * @param own - the item's, which override the prompt's settings
 */
export const promptOf = (
  { promptId = '', prompt = {} }: GenerateOptions,
  variables?: unknown,
  params?: ChatParams,
  own: ChatParams = {},
): Fields => {
  const { schema_version = 2, echo = false } = prompt
  // The field that holds the parameters to change.
  const changed = schema_version === 2 ? 'patch' : 'override_params'
  const { [changed]: stored, ...settings } = prompt
  const changes = mergeAttributes<Fields>({ ...params, ...stored }, own)
  return {
    prompt_id: promptId,
    ...(variables === undefined ? {} : { variables }),
    ...settings,
    schema_version,
    echo,
    ...(schema_version === 1 && settings.override === undefined ? { override: true } : {}),
    ...(Object.keys(changes).length === 0 ? {} : { [changed]: changes }),
  }
}
