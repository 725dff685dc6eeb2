import { describeFound } from '../codecs/decode.js'
import type { ReplyEvent } from '../codecs/Reply.js'
import { InvalidInput } from '../errors.js'

/**
 * Refuses what is no event, as a whole reply is: it has no tokens, and would leave an empty stream without a word. Called
 * by the filters for each event, so that no further operator is in the way of a token.
 *
 * @throws InvalidInput
 */
export const checkEvent = (operator: string, event: ReplyEvent): void => {
  if (typeof event === 'object' && event !== null && typeof event._tag === 'string') return
  throw new InvalidInput(operator, {
    path: '',
    expected: 'a ReplyEvent: give the generator stream: true',
    found: describeFound(event),
  })
}
