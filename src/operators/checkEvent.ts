import type { ReplyEvent } from '../codecs/Reply.js'
import { refuse } from '../codecs/refuse.js'

/**
 * Refuses what isn't an event, such as a whole reply: it has no tokens, and would leave an empty stream without a word. The
 * filters call it for each event, so that no further operator is in the way of a token.
 *
 * @throws InvalidInput
 */
export const checkEvent = (operator: string, event: ReplyEvent): void => {
  if (typeof event === 'object' && event !== null && typeof event._tag === 'string') return
  refuse(operator, '', 'a ReplyEvent: give the generator stream: true', event)
}
