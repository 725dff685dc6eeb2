import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { Identifier } from './Identifier.js'
import { ReportedUsage } from './Usage.js'
import { finite, listOf } from './wire.js'

/**
 * What a chat response, and each chunk of a streamed one, says beside its choices. `model` is the one that answered, which
 * may be another one than asked for; `created` is in seconds since 1970; `prompt_message` holds the rendered messages of a
 * managed prompt that asked for `echo`; `cost` (USD) is undocumented, `request_breakdown` is where it is promised.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const chatHead = {
  id: Identifier,
  object: t.string,
  created: finite,
  model: t.string,
  usage: ReportedUsage,
  service_tier: t.string,
  system_fingerprint: t.string,
  prompt_message: listOf(AssistantMessage),
  cost: finite,
}
