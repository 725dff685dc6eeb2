import { defer, type Observable } from 'rxjs'
import { ChatRequest } from '../codecs/ChatRequest.js'
import { checked } from '../codecs/checked.js'
import type { ReplyEvent } from '../codecs/Reply.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { checkGateway } from './checkGateway.js'
import type { Gateway } from './Gateway.js'
import { observeChat } from './observeChat.js'

/** How much of a streamed reply is kept until its end. */
export interface FromChatOptions {
  /** `false`: replies, `partial` ones too, have empty texts, only meta and usage, and memory stays constant. Default `true`. */
  readonly collect?: boolean
}

const OPTIONS: Readonly<Record<keyof FromChatOptions, OptionKind>> = { collect: 'boolean' }

/**
 * Emits the reply to one chat request as a stream of events.
 *
 * ```
 * gateway               --r-a----b----|       r = the first chunk, a role without text
 * fromChat(stream)      --S-a----b----(F|)    S = ReplyStarted, a, b = TextDelta, F = ReplyFinished
 * fromChat(not stream)  --------------(F|)
 * ```
 *
 * The request goes out at subscription; unsubscribing aborts it. A stream that ends early is an error, never a shorter
 * reply.
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
  return defer(() => observeChat(gateway, checked('fromChat', ChatRequest, request), collect))
}
