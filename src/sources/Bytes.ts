import type { Observable } from 'rxjs'

/**
 * Where bytes come from: a web stream (`response.body`), anything that is iterated asynchronously (a Node stream), or
 * an observable. Texts among them count as their UTF-8 bytes.
 */
export type Bytes =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Observable<Uint8Array | string>
