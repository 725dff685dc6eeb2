import * as t from 'io-ts'
import { AssistantMessage } from './ChatMessage.js'
import { Identifier } from './Identifier.js'
import { ReportedUsage } from './Usage.js'
import { finite, listOf } from './wire.js'

/**
 * The fields that a chat response, and each chunk of a streamed one, has besides its choices. `model` is the one that
 * answered, which may not be the one that was asked for; `created` is in seconds since the epoch; `prompt_message` holds
 * the rendered messages of a managed prompt whose `echo` was set. `cost` (USD) is undocumented here; its documented
 * place is `request_breakdown`.
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
