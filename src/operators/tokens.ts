import { filter, map, type OperatorFunction } from 'rxjs'
import type { ReplyEvent } from '../codecs/Reply.js'
import { outputAs } from './outputAs.js'

export interface ChoiceOption {
  /** Which of `n` choices. Default 0. */
  readonly choice?: number
}

/**
 * Emits the text of a streamed reply, piece by piece, as it arrives.
 *
 * ```
 * events    S-a--r--b---(F|)     a, b = TextDelta
 * tokens()  --a-----b----|
 * ```
 *
 * @returns an operator that emits each text delta of the choice; reasoning, refusals and tool calls are left out
 *
 * @see snapshots for the text so far, wholeReply for the finished reply
 */
export const tokens =
  ({ choice = 0 }: ChoiceOption = {}): OperatorFunction<ReplyEvent, string> =>
  (source) =>
    source.pipe(
      outputAs('text'),
      filter((event) => event._tag === 'TextDelta' && event.choice === choice),
      map((event) => ('text' in event ? event.text : '')),
    )
