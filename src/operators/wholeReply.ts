import { filter, map, type OperatorFunction } from 'rxjs'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'

type Finished = Extract<ReplyEvent, { readonly _tag: 'ReplyFinished' }>

/**
 * Emits each finished reply of a stream of events, with its texts, finish reasons and usage.
 *
 * ```
 * events        S-a--b---(F|)
 * wholeReply()  ---------(R|)
 * ```
 */
export const wholeReply = (): OperatorFunction<ReplyEvent, Reply> => (source) =>
  source.pipe(
    filter((event): event is Finished => event._tag === 'ReplyFinished'),
    map(({ reply }) => reply),
  )
