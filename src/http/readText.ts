import type { Reading } from './exchange.js'
import { readBytes } from './readBytes.js'

/**
 * Reads a body as UTF-8 text, up to a limit.
 *
 * @param response - its body must not have been read yet
 * @param reading - told of each piece
 * @param maxBytes - bytes, as they are after decompression; what lies beyond is not kept
 * @returns the text, and whether it was cut; rejects when the connection breaks
 */
export const readText = async (
  response: Response,
  reading: Pick<Reading<never>, 'open' | 'closed' | 'progress'>,
  maxBytes: number,
): Promise<{ readonly text: string; readonly cut: boolean }> => {
  const decoder = new TextDecoder()
  const pieces: Array<string> = []
  let left = maxBytes
  await readBytes(response, reading, (bytes) => {
    pieces.push(decoder.decode(bytes.subarray(0, Math.max(0, left)), { stream: true }))
    left -= bytes.byteLength
    return left >= 0
  })
  const cut = left < 0
  return { text: pieces.join('') + (cut ? '' : decoder.decode()), cut }
}
