import type { ReplyEvent } from '../codecs/Reply.js'
import { refuse } from '../codecs/refuse.js'

/**
 * Refuses what isn't an event, such as a whole reply: no token would come of it, and the stream would be empty without an
 * error. Called within each operator's filter, to spare every token one more operator.
 *
 * @throws InvalidInput
 */
export const checkEvent = (operator: string, event: ReplyEvent): void => {
  if (typeof event === 'object' && event !== null && typeof event._tag === 'string') return
  refuse(operator, '', 'a ReplyEvent (set stream: true on the generator)', event)
}
