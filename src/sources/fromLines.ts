import { concat, concatMap, defer, from, type Observable } from 'rxjs'
import { describeFound } from '../codecs/decode.js'
import { InvalidInput } from '../errors.js'
import type { Bytes } from './Bytes.js'
import { fromBytes } from './fromBytes.js'
import { lineSplitter } from './lineSplitter.js'

export interface LineOptions {
  /** The longest line, in bytes without its line break. Default 16 MiB (16,777,216). */
  readonly maxLineBytes?: number
}

const MAX_LINE_BYTES = 16 * 1024 * 1024

/**
 * The lines of a byte stream.
 *
 * ```
 * bytes      --a⏎b--c⏎--d|
 * fromLines  --a----(bc)-(d|)
 * ```
 *
 * Lines end with LF, CR or CRLF, wherever the chunks are cut; the last one needs no end. A byte order mark at the start
 * is dropped, and what isn't UTF-8 becomes U+FFFD. An unfinished line is all that is kept.
 *
 * Opens the bytes at subscription, pulls one chunk after the other, and cancels them when it is unsubscribed. A stream
 * can be read once: pass a function that opens it, where there may be several subscriptions (`retry`, `repeat`).
 *
 * @param bytes - a web stream, a Node stream or another async iterable, an observable; or a function that gives one
 * @returns an Observable that emits each line without its end, and completes when the bytes do
 *
 * Errors: `InvalidInput` for a line over `maxLineBytes`, with its number as `path`; those of the bytes as they are.
 *
 * @example
 * fromLines(() => createReadStream('questions.txt')).pipe(filter((line) => line !== ''))
 */
export const fromLines = (
  bytes: Bytes | (() => Bytes),
  { maxLineBytes = MAX_LINE_BYTES }: LineOptions = {},
): Observable<string> => {
  if (!(maxLineBytes > 0)) {
    throw new InvalidInput('fromLines', {
      path: 'maxLineBytes',
      expected: 'a number of bytes above 0',
      found: describeFound(maxLineBytes),
    })
  }
  return defer(() => {
    const splitter = lineSplitter(maxLineBytes)
    // In turn, so that chunks which come while a line is emitted wait for their turn.
    const lines$ = fromBytes(bytes).pipe(concatMap((chunk) => from(splitter.add(chunk))))
    return concat(
      lines$,
      defer(() => from(splitter.end())),
    )
  })
}
