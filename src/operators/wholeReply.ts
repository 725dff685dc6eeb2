import { filter, map, type OperatorFunction } from 'rxjs'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import { checkEvent } from './checkEvent.js'

/**
 * Emits the reply at the end of each streamed reply, with its texts, finish reasons and usage.
 *
 * ```
 * events        S-a--b---(F|)
 * wholeReply()  ---------(R|)
 * ```
 *
 * Errors: `InvalidInput` for what isn't an event, such as the replies of a generator without `stream: true`.
 */
export const wholeReply = (): OperatorFunction<ReplyEvent, Reply> => (source) =>
  source.pipe(
    filter((event) => {
      checkEvent('wholeReply', event)
      return event._tag === 'ReplyFinished'
    }),
    map(({ reply }) => reply),
  )
