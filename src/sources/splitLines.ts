import { concat, concatMap, defer, type Observable } from 'rxjs'
import { refuse } from '../codecs/refuse.js'
import { refuseUnknown } from '../codecs/refuseUnknown.js'
import type { Bytes } from './Bytes.js'
import { fromBytes } from './fromBytes.js'
import { type Line, lineSplitter } from './lineSplitter.js'

/** How long a line may be. */
export interface LineOptions {
  /** The longest line, in bytes without its line break. Default 16 MiB (16,777,216). */
  readonly maxLineBytes?: number
}

const OPTIONS: Readonly<Record<keyof LineOptions, true>> = { maxLineBytes: true }

const MAX_LINE_BYTES = 16 * 1024 * 1024

/**
 * The lines of a byte stream, each with its text, or with what is wrong with it: then the stream goes on behind it.
 *
 * @param subject - who splits, for the error
 * @throws InvalidInput for a wrong option, and for what gives no bytes
 */
export const splitLines = (
  subject: string,
  bytes: Bytes | (() => Bytes),
  options: LineOptions,
): Observable<Line> => {
  refuseUnknown(subject, options, OPTIONS)
  const { maxLineBytes = MAX_LINE_BYTES } = options
  if (typeof maxLineBytes !== 'number' || !(maxLineBytes > 0))
    refuse(subject, 'maxLineBytes', 'a number of bytes above 0', maxLineBytes)
  const chunks = fromBytes(subject, bytes)
  const checkedChunk = (chunk: Uint8Array | string): Uint8Array | string =>
    typeof chunk === 'string' || ArrayBuffer.isView(chunk)
      ? chunk
      : refuse(subject, 'bytes', 'chunks of bytes or text', chunk)
  return defer(() => {
    const { add, end } = lineSplitter(maxLineBytes)
    // One after the other: chunks that come while a line is emitted wait, and what is left at the end is looked at then.
    return concat(chunks.pipe(concatMap((chunk) => add(checkedChunk(chunk)))), end())
  })
}
