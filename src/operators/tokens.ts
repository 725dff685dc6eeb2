import { filter, map, type OperatorFunction } from 'rxjs'
import type { ReplyEvent } from '../codecs/Reply.js'
import { announcing } from './announcing.js'
import { type ChoiceOption, choiceOf } from './ChoiceOption.js'
import { checkEvent } from './checkEvent.js'

type TextDelta = Extract<ReplyEvent, { readonly _tag: 'TextDelta' }>

/**
 * Emits the text of a streamed reply, piece by piece, as it arrives.
 *
 * ```
 * events    S-a--r--b---(F|)     a, b = TextDelta
 * tokens()  --a-----b---|
 * ```
 *
 * Errors: `InvalidInput` for what isn't an event, such as the replies of a generator without `stream: true`.
 *
 * @returns an operator that emits each text delta of the choice, without reasoning, refusals and tool calls
 *
 * @see snapshots for the text so far, wholeReply for the finished reply
 */
export const tokens = (options: ChoiceOption = {}): OperatorFunction<ReplyEvent, string> => {
  const choice = choiceOf('tokens', options)
  return (source) =>
    announcing(choice, (announce) =>
      source.pipe(
        filter((event): event is TextDelta => {
          checkEvent('tokens', event)
          return event._tag === 'TextDelta' && event.choice === choice
        }),
        map(({ id, text }) => {
          announce(id, text, false)
          return text
        }),
      ),
    )
}
