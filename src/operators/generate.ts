import { identity, Observable, type OperatorFunction, type Subscriber, type Subscription } from 'rxjs'
import { tryCatch } from '#fp/Either'
import { picked } from '../codecs/picked.js'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import type { Platform } from '../http/endpoint.js'
import { chatGateway } from '../sources/chatGateway.js'
import { observeChat } from '../sources/fromChat.js'
import { atHome } from '../tracing/atHome.js'
import { currentOpenSpan, type Frame } from '../tracing/frames.js'
import { askedOf } from './askedOf.js'
import { CONNECTION, checkGenerateOptions } from './checkGenerateOptions.js'
import { type Component, flattenWith } from './flattening.js'
import type { GenerateOptions } from './GenerateOptions.js'
import { type Asked, generationSpan } from './generationSpan.js'
import { lift } from './lift.js'
import { wholeReply } from './wholeReply.js'

/**
 * Makes a generator: the part that `respanGenerate` and `openaiGenerate` share.
 *
 * @param operator - which one
 * @param platform - where requests go unless a gateway is given
 */
export const generate = (
  operator: string,
  platform: Platform,
  options: GenerateOptions = {},
): Component<never, Reply | ReplyEvent> => {
  checkGenerateOptions(operator, platform, options)
  const { name = operator, stream = false, collect = true } = options
  const gateway = options.gateway ?? chatGateway(operator, platform, picked(options, CONNECTION))
  const flatten = flattenWith(operator, options)
  const emitted: OperatorFunction<ReplyEvent, Reply | ReplyEvent> = stream ? identity : wholeReply()

  const replies = (input: never, _: number, here?: Frame | null): Observable<Reply | ReplyEvent> => {
    const start = (subscriber: Subscriber<Reply | ReplyEvent>): Subscription => {
      // RxJS subscribes a source even for a subscriber that has left, as `expand` above a `take` does: then nothing is asked.
      if (subscriber.closed) return subscriber
      const parent = currentOpenSpan()
      const ask = (): Asked => askedOf(operator, options, gateway, input)
      // What `ask` throws is the subscriber's error: RxJS makes it one here, and a span tells of it below.
      const events =
        parent === null
          ? observeChat(gateway, ask().request, collect, undefined)
          : generationSpan(parent, name, gateway, input, tryCatch(ask, identity), collect)
      return emitted(events).subscribe(subscriber)
    }
    return here === undefined ? atHome(start) : new Observable(start)
  }
  return lift(name, flatten, replies, 'framed')
}
