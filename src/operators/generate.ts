import { identity, Observable, type OperatorFunction, type Subscriber, type Subscription } from 'rxjs'
import { tryCatch } from '#fp/Either'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import type { Platform } from '../http/endpoint.js'
import { chatGateway } from '../sources/chatGateway.js'
import { observeChat } from '../sources/observeChat.js'
import { currentOpenSpan, type Frame } from '../tracing/frames.js'
import { inSubscriberFrame } from '../tracing/inSubscriberFrame.js'
import { picked } from '../util/picked.js'
import { CONNECTION_OPTIONS, checkGenerateOptions } from './checkGenerateOptions.js'
import { type Component, flattenWith } from './Flattening.js'
import type { GenerateOptions } from './GenerateOptions.js'
import { generationSpan } from './generationSpan.js'
import { type ItemRequest, itemRequest } from './itemRequest.js'
import { lift } from './lift.js'
import { wholeReply } from './wholeReply.js'

/**
 * Makes a generator: what `respanGenerate` and `openaiGenerate` have in common.
 *
 * @param operator - the name of the generator
 * @param platform - where requests go unless a gateway is given
 */
export const generate = (
  operator: string,
  platform: Platform,
  options: GenerateOptions = {},
): Component<never, Reply | ReplyEvent> => {
  checkGenerateOptions(operator, platform, options)
  const { name = operator, stream = false, collect = true } = options
  const gateway = options.gateway ?? chatGateway(operator, platform, picked(options, CONNECTION_OPTIONS))
  const flatten = flattenWith(operator, options)
  const emitted: OperatorFunction<ReplyEvent, Reply | ReplyEvent> = stream ? identity : wholeReply()

  const replies = (input: never, _: number, here?: Frame | null): Observable<Reply | ReplyEvent> => {
    const start = (subscriber: Subscriber<Reply | ReplyEvent>): Subscription => {
      // RxJS subscribes to a source even for a closed subscriber, as `expand` above a `take` does: then nothing may be sent.
      if (subscriber.closed) return subscriber
      const parent = currentOpenSpan()
      const prepare = (): ItemRequest => itemRequest(operator, options, gateway, input)
      // What `prepare` throws goes to the subscriber: RxJS sees to that here, `generationSpan` below, where a span records it.
      const events =
        parent === null
          ? observeChat(gateway, prepare().request, collect)
          : generationSpan(parent, { name, gateway, input, prepared: tryCatch(prepare, identity), collect })
      return emitted(events).subscribe(subscriber)
    }
    return here === undefined ? inSubscriberFrame(start) : new Observable(start)
  }
  return lift(name, flatten, replies, 'framed')
}
