import { defer, Observable } from 'rxjs'
import { askedParams } from '../codecs/askedParams.js'
import { ChatRequest } from '../codecs/ChatRequest.js'
import { checked } from '../codecs/checked.js'
import { mapTexts } from '../codecs/mapTexts.js'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { InvalidResponse, isRespanError, StreamInterrupted, withPartial } from '../errors.js'
import { addGatewayEvent } from './addGatewayEvent.js'
import { checkGateway } from './checkGateway.js'
import type { Gateway, GatewayEvent } from './Gateway.js'
import { HandlerSubscriber } from './HandlerSubscriber.js'
import { isWhole, type ReplyBuilder, replyBuilder } from './ReplyBuilder.js'
import { replyOf } from './replyOf.js'

/** What of a streamed reply is kept until its end. */
export interface FromChatOptions {
  /** `false`: a reply, also a `partial` one, has empty texts, only meta and usage, and memory stays constant. Default `true`. */
  readonly collect?: boolean
}

const OPTIONS: Readonly<Record<keyof FromChatOptions, OptionKind>> = { collect: 'boolean' }

/** Looks on while a reply is made; the calls come before what they are about is emitted. */
export interface ReplyListener {
  /** How many characters of a reply that isn't collected are kept for whoever looks on. */
  readonly keep: number
  /** The gateway has answered, and nothing of it was emitted yet; called once. */
  readonly onStart: () => void
  /** Something was taken in that is about to be emitted, or says that all of the reply is there. */
  readonly onProgress: (builder: ReplyBuilder) => void
  /** The run is over: finished (no error), failed, or left by its reader. */
  readonly onEnd: (builder: ReplyBuilder, end: ReplyEnd, reply: Reply) => void
}

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

const failure = ({ scrubs }: Gateway, error: unknown, replied: () => Reply): unknown => {
  if (!isRespanError(error)) return error
  let reply = replied()
  for (const scrub of scrubs?.() ?? []) reply = mapTexts(reply, scrub)
  return withPartial(error, reply)
}

/** `fromChat` of a request that was decoded, with someone who looks on. */
export const observeChat = (
  gateway: Gateway,
  request: ChatRequest,
  collect: boolean,
  listener: ReplyListener | undefined,
): Observable<ReplyEvent> =>
  new Observable((subscriber) => {
    const streaming = request.stream === true
    const { n = 1 } = askedParams(request)
    const builder = replyBuilder(n, collect ? Number.POSITIVE_INFINITY : (listener?.keep ?? 0))
    let ended = false
    let whole: Reply | undefined
    // Once it is over: its texts are joined once for all who ask.
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
      const withReply = failure(gateway, error, reply)
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
      // An object as old as a long stream is collected late: it must not keep the reply alive until then.
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

/**
 * The reply to one chat request as a stream of events.
 *
 * ```
 * gateway               --r-a----b----|       r = the first chunk, a role without a text
 * fromChat(stream)      --S-a----b----(F|)    S = ReplyStarted, a, b = TextDelta, F = ReplyFinished
 * fromChat(not stream)  --------------(F|)
 * ```
 *
 * The request goes out at subscription; unsubscribing aborts it. An incomplete stream is an error, never a
 * short success.
 *
 * Errors by tag, each with the `partial` reply if there is one: `StreamInterrupted` (cut, or no finish reason),
 * `GatewayError`, `InvalidResponse`, `HttpError`, `RateLimited`, `Timeout`, `NetworkError`, `Aborted`; and
 * `InvalidInput` and `MissingApiKey` before any request.
 *
 * @returns an Observable that emits the events of one reply, then completes
 */
export const fromChat = (
  gateway: Gateway,
  request: ChatRequest,
  options: FromChatOptions = {},
): Observable<ReplyEvent> => {
  checkGateway('fromChat', gateway)
  refuseUnknown('fromChat', options, OPTIONS)
  const { collect = true } = options
  return defer(() => observeChat(gateway, checked('fromChat', ChatRequest, request), collect, undefined))
}
