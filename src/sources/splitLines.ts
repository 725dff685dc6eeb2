import { concat, concatMap, defer, type Observable } from 'rxjs'
import { refuse } from '../codecs/refuse.js'
import { refuseUnknown } from '../codecs/refuseUnknown.js'
import type { Bytes } from './Bytes.js'
import { fromBytes } from './fromBytes.js'
import { type Line, lineSplitter } from './lineSplitter.js'

/** How long a line may be. */
export interface LineOptions {
  /** The longest line, in characters (UTF-16 code units) without its line break. Default 16 Mi (16,777,216). */
  readonly maxLineLength?: number
}

const OPTIONS: Readonly<Record<keyof LineOptions, true>> = { maxLineLength: true }

const MAX_LINE_LENGTH = 16 * 1024 * 1024

/**
 * Emits each line of a byte stream as its text or, if it is too long, as a failure, after which the stream goes on.
 *
 * @param subject - who was given the bytes: the first word of an error's message
 * @throws InvalidInput for a wrong option, and for anything but a byte source
 */
export const splitLines = (
  subject: string,
  bytes: Bytes | (() => Bytes),
  options: LineOptions,
): Observable<Line> => {
  refuseUnknown(subject, options, OPTIONS)
  const { maxLineLength = MAX_LINE_LENGTH } = options
  if (typeof maxLineLength !== 'number' || !(maxLineLength > 0))
    refuse(subject, 'maxLineLength', 'a number of characters above 0', maxLineLength)
  const chunks = fromBytes(subject, bytes)
  const checkedChunk = (chunk: Uint8Array | string): Uint8Array | string =>
    typeof chunk === 'string' || ArrayBuffer.isView(chunk)
      ? chunk
      : refuse(subject, 'bytes', 'chunks of bytes or text', chunk)
  return defer(() => {
    const { add, end } = lineSplitter(maxLineLength)
    // In order: a chunk that comes while a line is emitted waits, and the rest is read only after the last chunk.
    return concat(chunks.pipe(concatMap((chunk) => add(checkedChunk(chunk)))), defer(end))
  })
}
