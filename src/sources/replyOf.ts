import type { AssistantMessage } from '../codecs/ChatMessage.js'
import type { Logprobs } from '../codecs/Logprobs.js'
import { messageText, toChatMessage } from '../codecs/messages.js'
import type { Reply, ReplyMeta } from '../codecs/Reply.js'
import { picked } from '../util/picked.js'
import { builtText } from '../util/textBuilder.js'
import { addedFields } from './Additions.js'
import { type ChoiceSoFar, choicesOf, type ReplyBuilder } from './ReplyBuilder.js'

type TokenLogprobs = NonNullable<Logprobs['content']>

const tokensOf = (
  pieces: ReadonlyArray<Logprobs>,
  key: 'content' | 'refusal',
): Readonly<Record<string, TokenLogprobs>> => {
  const lists = pieces.flatMap((piece) => (piece[key] == null ? [] : [piece[key]]))
  return lists.length === 0 ? {} : { [key]: lists.flat() }
}

/** Joins the log probabilities of several deltas: tokens are appended, and of any other field the last one counts. */
const logprobsOf = (pieces: ReadonlyArray<Logprobs>): Logprobs => {
  const others = pieces.flatMap(({ content: _, refusal: __, ...others }) => Object.entries(others))
  return { ...Object.fromEntries(others), ...tokensOf(pieces, 'content'), ...tokensOf(pieces, 'refusal') }
}

const filled = (text: string, key: string): Readonly<Record<string, string>> =>
  text === '' ? {} : { [key]: text }

const streamedMessage = ({ calls, additions, ...choice }: ChoiceSoFar): AssistantMessage => {
  const text = builtText(choice.text)
  const refusal = builtText(choice.refusal)
  return {
    ...addedFields(additions),
    role: 'assistant',
    content: text === '' && (calls.size > 0 || refusal !== '') ? null : text,
    ...filled(builtText(choice.reasoning), 'reasoning_content'),
    ...filled(refusal, 'refusal'),
    ...(calls.size === 0
      ? {}
      : {
          tool_calls: Array.from(calls.entries())
            .sort(([a], [b]) => a - b)
            .map(([, { id, name, additions, functionAdditions, json }]) => ({
              ...addedFields(additions),
              ...(id === undefined ? {} : { id }),
              type: 'function',
              function: { ...addedFields(functionAdditions), name, arguments: builtText(json) },
            })),
        }),
  }
}

const metaOf = (
  builder: ReplyBuilder,
  { index, finishReason, logprobs, message }: ChoiceSoFar,
  first: boolean,
): ReplyMeta => ({
  model: builder.model,
  index,
  finish_reason: finishReason,
  // One total covers all choices, so only the first one has it: then adding up counts it once.
  ...(first ? picked(builder, ['usage', 'cost']) : {}),
  // Those of a whole message stay as they came.
  ...(logprobs === undefined
    ? {}
    : {
        logprobs: message !== undefined && logprobs.length === 1 ? { ...logprobs[0] } : logprobsOf(logprobs),
      }),
  ...builder.ids,
})

/**
 * The reply as far as it has arrived.
 *
 * @param withTexts - `false` leaves the texts empty, with meta and usage only
 */
export const replyOf = (builder: ReplyBuilder, withTexts: boolean): Reply => {
  const choices = choicesOf(builder)
  const messages = choices.map((choice) =>
    toChatMessage(withTexts ? (choice.message ?? streamedMessage(choice)) : { content: '' }),
  )
  return {
    replies: messages.map(messageText),
    meta: choices.map((choice, position) => metaOf(builder, choice, position === 0)),
    messages,
    ...picked(builder, ['promptMessages', 'breakdown']),
  }
}
