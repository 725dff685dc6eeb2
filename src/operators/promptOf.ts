import type { ChatParams } from '../codecs/ChatParams.js'
import type { Fields } from '../codecs/Fields.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import type { GenerateOptions } from './GenerateOptions.js'

/**
 * What a request says of its stored prompt.
 *
 * @param variables - of the item
 * @param params - of the operator, for this item: beneath the prompt's settings
 * @param own - of the item: above them
 */
export const promptOf = (
  { promptId = '', prompt = {} }: GenerateOptions,
  variables?: unknown,
  params?: ChatParams,
  own: ChatParams = {},
): Fields => {
  const { schema_version = 2, echo = false, ...settings } = prompt
  const head = {
    prompt_id: promptId,
    ...(variables === undefined ? {} : { variables }),
    schema_version,
    echo,
  }
  if (schema_version === 2) {
    const patch = mergeAttributes<Fields>({ ...params, ...settings.patch }, own)
    return { ...head, ...settings, ...(Object.keys(patch).length === 0 ? {} : { patch }) }
  }
  const { override = true, override_params, ...others } = settings
  const overrides = mergeAttributes<Fields>({ ...params, ...override_params }, own)
  return {
    ...head,
    ...others,
    override,
    ...(Object.keys(overrides).length === 0 ? {} : { override_params: overrides }),
  }
}
