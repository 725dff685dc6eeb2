import type { ChatResponse } from '../codecs/ChatResponse.js'
import type { ReplyBuilder } from '../sources/ReplyBuilder.js'
import { replyOf } from '../sources/replyOf.js'

/** What a gateway would have answered, had the request for this reply not been streamed. */
export const responseOf = (builder: ReplyBuilder, id: string): ChatResponse => {
  const { messages, meta, promptMessages, breakdown } = replyOf(builder, true)
  const { model, usage, cost } = builder
  return {
    id,
    object: 'chat.completion',
    created: 0,
    model,
    choices: meta.map(({ index, finish_reason, logprobs }, position) => ({
      index,
      message: messages[position] ?? null,
      finish_reason,
      ...(logprobs === undefined ? {} : { logprobs }),
    })),
    ...(usage === undefined ? {} : { usage }),
    ...(cost === undefined ? {} : { cost }),
    ...(promptMessages === undefined ? {} : { prompt_message: promptMessages }),
    ...(breakdown === undefined ? {} : { request_breakdown: breakdown }),
  }
}
