import type { Observable } from 'rxjs'

/**
 * A source of bytes: a web stream (`response.body`), an async iterable (a Node stream), or an observable. A text in it
 * stands for its UTF-8 bytes.
 */
export type Bytes =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Observable<Uint8Array | string>
