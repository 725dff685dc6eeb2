import type { SpoolRecord } from './Spool.js'

/** Records that are written together. */
export interface SpoolPiece {
  readonly piece: ReadonlyArray<SpoolRecord>
  readonly bytes: number
}

/** How a spool measures its records. */
interface PieceLimits {
  /** Size of the whole spool: a record that takes more than half of it is too large. */
  readonly maxBytes: number
  /** Size of one piece, at most an eighth of `maxBytes`. The first record may exceed it. */
  readonly pieceBytes: number
  /** The bytes that a text takes. */
  readonly bytesOf: (text: string) => number
}

/**
 * Takes the first record, and as many more as fit into one piece.
 *
 * @throws RangeError if the first record is too large
 */
export const spoolPiece = (
  records: ReadonlyArray<SpoolRecord>,
  { maxBytes, pieceBytes, bytesOf }: PieceLimits,
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
