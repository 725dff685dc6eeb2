import { asyncScheduler } from 'rxjs'
import type { Reading } from './exchange.js'
import { readBytes } from './readBytes.js'

/**
 * Reads a body as UTF-8 text, up to a limit.
 *
 * @param response - its body must not have been read yet
 * @param reading - told of each piece
 * @param maxBytes - bytes, as they are after decompression; what lies beyond is not kept
 * @param patience - what has not arrived by then is not waited for, ms
 * @returns the text, and whether it was cut; rejects when the connection breaks
 */
export const readText = async (
  response: Response,
  reading: Pick<Reading<never>, 'open' | 'closed' | 'progress'>,
  maxBytes: number,
  patience = Number.POSITIVE_INFINITY,
): Promise<{ readonly text: string; readonly cut: boolean }> => {
  const decoder = new TextDecoder()
  const pieces: Array<string> = []
  let left = maxBytes
  const read = readBytes(response, reading, (bytes) => {
    pieces.push(decoder.decode(bytes.subarray(0, Math.max(0, left)), { stream: true }))
    left -= bytes.byteLength
    return left >= 0
  })
  await atMost(patience, read)
  const cut = left < 0
  return { text: pieces.join('') + (cut ? '' : decoder.decode()), cut }
}

const atMost = (ms: number, work: Promise<void>): Promise<void> =>
  ms === Number.POSITIVE_INFINITY
    ? work
    : new Promise((resolve, reject) => {
        const timer = asyncScheduler.schedule(() => resolve(), ms)
        work.then(resolve, reject).finally(() => timer.unsubscribe())
      })
