import type { SpoolRecord } from './Spool.js'

/** Records that are written together. */
export interface SpoolPiece {
  readonly piece: ReadonlyArray<SpoolRecord>
  readonly bytes: number
}

/**
 * The first of some records, and as many more as fit into one piece.
 *
 * @param maxBytes - of the whole spool: a record that takes more than half of it is too large
 * @param pieceBytes - of a piece, an eighth of that at most; the first record may take more
 * @param bytesOf - the bytes that a text takes
 * @throws RangeError when the first one is too large
 */
export const spoolPiece = (
  records: ReadonlyArray<SpoolRecord>,
  maxBytes: number,
  pieceBytes: number,
  bytesOf: (text: string) => number,
): SpoolPiece => {
  const piece: Array<SpoolRecord> = []
  let bytes = 0
  for (const record of records) {
    const size = bytesOf(record.text)
    if (piece.length > 0 && bytes + size > pieceBytes) break
    piece.push(record)
    bytes += size
  }
  if (bytes > maxBytes / 2) throw new RangeError(`A span of ${bytes} bytes is too large for the spool.`)
  return { piece, bytes }
}
