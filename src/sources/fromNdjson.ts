import type { Either } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { filter, map, type Observable } from 'rxjs'
import { chain, isRight, mapLeft, tryCatch } from '#fp/Either'
import { flow, pipe } from '#fp/function'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { decode } from '../codecs/decode.js'
import { describeFound } from '../codecs/describeFound.js'
import { isCodec } from '../codecs/isCodec.js'
import { refuse } from '../codecs/refuse.js'
import type { Bytes } from './Bytes.js'
import type { Line } from './lineSplitter.js'
import { type LineOptions, splitLines } from './splitLines.js'

/** Why a line could not be decoded, and which one. */
export interface NdjsonFailure extends DecodeFailure {
  /** The line's number, from 1; blank lines count. */
  readonly line: number
}

const parse = (line: string): Either<DecodeFailure, unknown> =>
  tryCatch(
    (): unknown => JSON.parse(line),
    () => ({ path: '', expected: 'JSON', found: describeFound(line) }),
  )

const isBlank = (line: Line): boolean => isRight(line) && line.right.trim() === ''

/**
 * Emits the values of newline-delimited JSON, each decoded.
 *
 * ```
 * bytes       --p-----q---|      p = '{"a":1}⏎oops⏎', q = '⏎{"a":2}'
 * fromNdjson  --(xy)------(z|)   x, z = right({ a }), y = left({ line: 2, … })
 * ```
 *
 * A line that isn't JSON, that the codec refuses, or that is longer than `maxLineLength`, becomes a `left` with its number,
 * and the stream goes on. Blank lines are skipped.
 *
 * Errors: those of the bytes, as they are.
 *
 * @param bytes - as for `fromLines`
 * @param codec - decodes each line's value
 * @returns an Observable that emits an `Either` for each line that isn't blank, and completes when the bytes do
 *
 * @example
 * fromNdjson(() => createReadStream('questions.ndjson'), t.type({ question: t.string })).pipe(
 *   filter(isRight),
 *   map(({ right }) => right),
 * )
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export const fromNdjson = <A>(
  bytes: Bytes | (() => Bytes),
  codec: t.Decoder<unknown, A>,
  options: LineOptions = {},
): Observable<Either<NdjsonFailure, A>> => {
  if (!isCodec(codec)) refuse('fromNdjson', 'codec', 'an io-ts codec', codec)
  const read = flow(chain(parse), chain(decode(codec)))
  return splitLines('fromNdjson', bytes, options).pipe(
    map((text, index) => ({ text, line: index + 1 })),
    filter(({ text }) => !isBlank(text)),
    map(({ text, line }) =>
      pipe(
        read(text),
        mapLeft((failure) => ({ ...failure, line })),
      ),
    ),
  )
}
