import { defer, Observable } from 'rxjs'
import { askedParams } from '../codecs/askedParams.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import { InvalidResponse, isRespanError, StreamInterrupted, withPartial } from '../errors.js'
import type { AnswerIds } from '../http/answerIds.js'
import { mapTexts } from '../util/mapTexts.js'
import { addGatewayEvent } from './addGatewayEvent.js'
import type { Gateway, GatewayEvent } from './Gateway.js'
import { HandlerSubscriber } from './HandlerSubscriber.js'
import { isWhole, type ReplyBuilder, replyBuilder } from './ReplyBuilder.js'
import { replyOf } from './replyOf.js'

/** Observes a reply as it is made. Each method is called before the event in question is emitted. */
export interface ReplyListener {
  /** How many characters of a reply are kept for the listener when the reply isn't collected. */
  readonly keep: number
  /** Called once, when the gateway has answered and nothing of its answer has been emitted. */
  readonly onStart: () => void
  /** Called when the builder has taken in something: a part about to be emitted, or a sign that the reply is complete. */
  readonly onProgress: (builder: ReplyBuilder) => void
  /** Called once, when the run is over. */
  readonly onEnd: (builder: ReplyBuilder, end: ReplyEnd, reply: Reply) => void
}

/** How a run ended; `Left`: the consumer unsubscribed. */
export type ReplyEnd =
  | { readonly _tag: 'Finished' }
  | { readonly _tag: 'Failed'; readonly error: unknown }
  | { readonly _tag: 'Left' }

const noChoice = (): InvalidResponse =>
  new InvalidResponse('Chat response', {
    path: 'choices',
    expected: 'at least one choice',
    found: 'array(0)',
  })

const failure = ({ scrubs }: Gateway, error: unknown, ids: AnswerIds, replied: () => Reply): unknown => {
  if (!isRespanError(error)) return error
  // A signal breaks a call off from outside the attempt, where its ids aren't known.
  if (error._tag === 'Aborted') Object.assign(error, ids)
  let reply = replied()
  for (const scrub of scrubs?.() ?? []) reply = mapTexts(reply, scrub)
  return withPartial(error, reply)
}

/** `fromChat` for a request that has been decoded, with a listener. */
export const observeChat = (
  gateway: Gateway,
  request: ChatRequest,
  collect: boolean,
  listener?: ReplyListener,
): Observable<ReplyEvent> =>
  new Observable((subscriber) => {
    const streaming = request.stream === true
    const { n = 1 } = askedParams(request)
    const builder = replyBuilder(n, collect ? Number.POSITIVE_INFINITY : (listener?.keep ?? 0))
    let ended = false
    let whole: Reply | undefined
    // Called only once the run is over. Kept, so that the texts are joined once.
    const wholeReply = (): Reply => {
      whole ??= replyOf(builder, true)
      return whole
    }
    const reply = (): Reply => (collect ? wholeReply() : replyOf(builder, false))
    const end = (how: ReplyEnd): void => {
      if (ended) return
      ended = true
      listener?.onEnd(builder, how, wholeReply())
    }
    const emit = (event: ReplyEvent): void => {
      if (event._tag === 'ReplyStarted') listener?.onStart()
      listener?.onProgress(builder)
      if (streaming) subscriber.next(event)
    }
    const fail = (error: unknown): void => {
      const withReply = failure(gateway, error, builder.ids, reply)
      end({ _tag: 'Failed', error: withReply })
      subscriber.error(withReply)
    }
    const complete = (): void => {
      if (!streaming && builder.choices.size === 0) return fail(noChoice())
      if (!isWhole(builder)) {
        return fail(new StreamInterrupted('The stream ended before its finish reason.', builder.ids))
      }
      end({ _tag: 'Finished' })
      subscriber.next({ _tag: 'ReplyFinished', id: builder.id, reply: reply() })
      subscriber.complete()
    }
    subscriber.add(() => {
      end({ _tag: 'Left' })
      // After a long stream the builder is in the old generation and collected late: it must not keep the reply alive until then.
      builder.choices.clear()
      whole = undefined
    })
    const reader = new HandlerSubscriber<GatewayEvent>(subscriber, {
      next: (event) => {
        addGatewayEvent(builder, event, emit)
        listener?.onProgress(builder)
      },
      error: fail,
      complete,
    })
    return defer(() => gateway.chat(request)).subscribe(reader)
  })
