import { map, type Observable } from 'rxjs'
import { isLeft } from '#fp/Either'
import { InvalidInput } from '../errors.js'
import type { Bytes } from './Bytes.js'
import { type LineOptions, splitLines } from './splitLines.js'

/**
 * Emits the lines of a byte stream.
 *
 * ```
 * bytes      --x--y--z|      x = 'a⏎b', y = 'c⏎', z = 'd'
 * fromLines  --a--b---(c|)   a = 'a', b = 'bc', c = 'd'
 * ```
 *
 * Lines end with LF, CR or CRLF, wherever the chunks are cut; the last line needs no line break. A byte order mark at the
 * start is dropped, and what isn't UTF-8 becomes U+FFFD. Nothing is kept but an unfinished line, with the chunk that it
 * came in.
 *
 * Opens the bytes at subscription, pulls one chunk after the other, and cancels the bytes on unsubscribing. A stream can be
 * read only once: where there may be several subscriptions (`retry`, `repeat`), pass a function that opens it.
 *
 * Errors: `InvalidInput` for a line longer than `maxLineLength`, with its number in `path`; errors of the bytes as they are.
 *
 * @param bytes - a web stream, a Node stream or another async iterable, an observable; or a function that returns one
 * @returns an Observable that emits each line without its line break, and completes when the bytes do
 *
 * @example
 * fromLines(() => createReadStream('questions.txt')).pipe(filter((line) => line !== ''))
 */
export const fromLines = (bytes: Bytes | (() => Bytes), options: LineOptions = {}): Observable<string> =>
  splitLines('fromLines', bytes, options).pipe(
    map((line, index) => {
      if (isLeft(line)) throw new InvalidInput('fromLines', { ...line.left, path: `line ${index + 1}` })
      return line.right
    }),
  )
