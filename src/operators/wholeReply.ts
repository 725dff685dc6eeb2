import { filter, map, type OperatorFunction } from 'rxjs'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import { checkEvent } from './checkEvent.js'

type Finished = Extract<ReplyEvent, { readonly _tag: 'ReplyFinished' }>

/**
 * Emits each finished reply of a stream of events, with its texts, finish reasons and usage.
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
    filter((event): event is Finished => {
      checkEvent('wholeReply', event)
      return event._tag === 'ReplyFinished'
    }),
    map(({ reply }) => reply),
  )
