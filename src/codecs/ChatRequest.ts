import * as t from 'io-ts'
import { ChatMessages } from './ChatMessage.js'
import { ChatParams } from './ChatParams.js'
import type { Fields } from './Fields.js'
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

const MODEL_PICKERS = [
  'model',
  'models',
  'load_balance_group',
  'load_balance_models',
  'loadbalance_models',
] as const satisfies ReadonlyArray<keyof t.TypeOf<typeof ChatRequestFields>>

/** Whether a request names a model or something that picks one. A `model` beside a group overrides the group. */
export const picksModel = (request: Fields): boolean =>
  MODEL_PICKERS.some((field) => request[field] !== undefined)

/**
 * The body of `POST /api/chat/completions`: the {@link ChatParams}, the {@link RespanAttributes} beside them, and
 * either `messages` with something that picks the model (`model`, `models`, a load-balancing group or list), or a
 * `prompt`. A top-level Respan field wins over the same field in `respan_params`, whose old name
 * `keywordsai_params` is still accepted.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const ChatRequest = t.refinement(
  ChatRequestFields,
  (request) => request.prompt !== undefined || (request.messages !== undefined && picksModel(request)),
  'ChatRequest with messages and a model, or with a prompt',
)

/** The body of a chat request. */
export type ChatRequest = t.TypeOf<typeof ChatRequest>
