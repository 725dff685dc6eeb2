import * as t from 'io-ts'
import { ChatMessages } from './ChatMessage.js'
import { ChatParams } from './ChatParams.js'
import { PromptReference } from './PromptReference.js'
import { RespanAttributes } from './RespanAttributes.js'
import { wire } from './wire.js'

const ChatRequestFields = wire(
  t.intersection([
    ChatParams,
    RespanAttributes,
    t.partial({
      model: t.string,
      messages: ChatMessages,
      stream: t.boolean,
      stream_options: wire(t.partial({ include_usage: t.boolean }), 'StreamOptions'),
      prompt: PromptReference,
      respan_params: RespanAttributes,
      keywordsai_params: RespanAttributes,
    }),
  ]),
  'ChatRequest',
)

/**
 * The body of `POST /api/chat/completions`: the {@link ChatParams}, the {@link RespanAttributes} beside them, and
 * either `messages` with something that picks the model (`model`, `models`, a load-balancing group or list), or a
 * `prompt`. A top-level Respan field wins over the same one in `respan_params`, whose old name
 * `keywordsai_params` is still taken.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const ChatRequest = t.refinement(
  ChatRequestFields,
  (request) =>
    request.prompt !== undefined ||
    (request.messages !== undefined &&
      [
        request.model,
        request.models,
        request.load_balance_group,
        request.load_balance_models,
        request.loadbalance_models,
      ].some((choice) => choice !== undefined)),
  'ChatRequest with messages and a model, or with a prompt',
)

/** The body of a chat request. */
export type ChatRequest = t.TypeOf<typeof ChatRequest>
