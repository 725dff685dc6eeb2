import type { Observable } from 'rxjs'
import type { ChatChunk } from '../codecs/ChatChunk.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { ChatResponse } from '../codecs/ChatResponse.js'

/** What happens in one call: each attempt, its headers, then the chunks of a stream or the response. */
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
 * What answers chat requests: a value that `respanGenerate` takes as `gateway`.
 *
 * Made by `respanGateway` and `openaiGateway` (HTTP), `startLocal` (an HTTP server on loopback) and
 * `marbleGateway` (virtual time).
 */
export interface Gateway {
  /** Its name in errors and tests. */
  readonly name: string
  /** `openai`: no Respan field may be sent. */
  readonly kind: 'respan' | 'openai'
  /** Cold: the request goes out at subscription and is aborted by unsubscribing. */
  readonly chat: (request: ChatRequest) => Observable<GatewayEvent>
  /** Adds to a request what the gateway adds to each of them. A trace uses it to record what was sent. */
  readonly withDefaults?: (request: ChatRequest) => ChatRequest
  /**
   * Functions that remove the keys that it has sent from a text. What an error or a trace keeps of an answer goes through
   * all of them, because a server may repeat what it was sent.
   */
  readonly scrubs?: () => Iterable<(text: string) => string>
}
