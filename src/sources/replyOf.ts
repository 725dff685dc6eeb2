import type { AssistantMessage } from '../codecs/ChatMessage.js'
import type { Logprobs } from '../codecs/Logprobs.js'
import { messageText, toChatMessage } from '../codecs/messages.js'
import type { Reply, ReplyMeta } from '../codecs/Reply.js'
import { builtText } from '../codecs/textBuilder.js'
import { type ChoiceSoFar, choicesOf, type LogprobsSoFar, type ReplyBuilder } from './ReplyBuilder.js'

const logprobsOf = ({ content, refusal, others }: LogprobsSoFar): Logprobs => ({
  ...Object.fromEntries(others),
  ...(content === undefined ? {} : { content: [...content] }),
  ...(refusal === undefined ? {} : { refusal: [...refusal] }),
})

const filled = (text: string, key: string): Readonly<Record<string, string>> =>
  text === '' ? {} : { [key]: text }

const streamedMessage = ({ calls, ...choice }: ChoiceSoFar): AssistantMessage => {
  const text = builtText(choice.text)
  const refusal = builtText(choice.refusal)
  return {
    role: 'assistant',
    content: text === '' && (calls.size > 0 || refusal !== '') ? null : text,
    ...filled(builtText(choice.reasoning), 'reasoning_content'),
    ...filled(refusal, 'refusal'),
    ...(calls.size === 0
      ? {}
      : {
          tool_calls: Array.from(calls.entries())
            .sort(([a], [b]) => a - b)
            .map(([, { id, name, json }]) => ({
              ...(id === undefined ? {} : { id }),
              type: 'function',
              function: { name, arguments: builtText(json) },
            })),
        }),
  }
}

const metaOf = (
  builder: ReplyBuilder,
  { index, finishReason, logprobs }: ChoiceSoFar,
  first: boolean,
): ReplyMeta => {
  const { model, usage, cost, requestId, logId } = builder
  return {
    model,
    index,
    finish_reason: finishReason,
    // One total covers all choices, so only the first carries it: whoever adds up counts it once.
    ...(first && usage !== undefined ? { usage } : {}),
    ...(first && cost !== undefined ? { cost } : {}),
    ...(logprobs === undefined ? {} : { logprobs: logprobsOf(logprobs) }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(logId === undefined ? {} : { logId }),
  }
}

/**
 * The reply as far as it is known.
 *
 * @param withTexts - `false`: texts are empty, only meta and usage are there
 */
export const replyOf = (builder: ReplyBuilder, withTexts: boolean): Reply => {
  const choices = choicesOf(builder)
  const messages = choices.map((choice) =>
    toChatMessage(withTexts ? (choice.message ?? streamedMessage(choice)) : { content: '' }),
  )
  const { promptMessages, breakdown } = builder
  return {
    replies: messages.map(messageText),
    meta: choices.map((choice, position) => metaOf(builder, choice, position === 0)),
    messages,
    ...(promptMessages === undefined ? {} : { promptMessages }),
    ...(breakdown === undefined ? {} : { breakdown }),
  }
}
