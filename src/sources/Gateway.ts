import type { Observable } from 'rxjs'
import type { ChatChunk } from '../codecs/ChatChunk.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { ChatResponse } from '../codecs/ChatResponse.js'

/** A step in the life of one call: each attempt, its headers, then chunks (streaming) or the response. */
export type GatewayEvent =
  | { readonly _tag: 'Attempt'; readonly attempt: number }
  | {
      readonly _tag: 'Headers'
      readonly status: number
      readonly requestId?: string
      readonly logId?: string
    }
  | { readonly _tag: 'Chunk'; readonly chunk: ChatChunk }
  | { readonly _tag: 'Response'; readonly response: ChatResponse }

/**
 * Whoever answers chat requests: a value that `respanGenerate` takes as `gateway`.
 *
 * Made by `respanGateway` and `openaiGateway` (HTTP), `startLocal` (an HTTP server on loopback) and
 * `marbleGateway` (virtual time).
 */
export interface Gateway {
  /** As errors and tests name it. */
  readonly name: string
  /** `openai`: no Respan field may be sent. */
  readonly kind: 'respan' | 'openai'
  /** Cold: the request goes out at subscription and is aborted by unsubscribing. */
  readonly chat: (request: ChatRequest) => Observable<GatewayEvent>
  /** A request with what the gateway adds to each: a trace tells what was sent. */
  readonly withDefaults?: (request: ChatRequest) => ChatRequest
  /**
   * Each takes a key that it has sent out of a text. What an error or a trace keeps of an answer goes through all of
   * them: a server may repeat what it was sent.
   */
  readonly scrubs?: () => Iterable<(text: string) => string>
}
