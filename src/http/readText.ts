import { asyncScheduler } from 'rxjs'
import type { Reading } from './exchange.js'
import { readBytes } from './readBytes.js'

/**
 * Reads a body as UTF-8 text, up to a limit.
 *
 * @param response - its body must not have been read yet
 * @param reading - its `progress` is called after each chunk
 * @param maxBytes - bytes to keep, counted after decompression
 * @param patience - how long to wait for the body, ms
 * @returns resolves with the text, and whether more than `maxBytes` came; rejects when the connection breaks
 */
export const readText = async (
  response: Response,
  reading: Reading<never>,
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
