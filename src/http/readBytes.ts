import type { Reading } from './exchange.js'

/** How much of a body is read, and for how long (ms), once the rest is not needed any more. */
const REST = { bytes: 65_536, time: 250 }

/**
 * Reads a body chunk by chunk, until it ends, the subscriber leaves, or `take` returns `false`. In the last case, a short
 * rest is read in the background, which keeps the connection alive for the next request; a longer rest is cancelled.
 *
 * @param response - its body must not have been read yet
 * @param reading - its `progress` is called after each chunk
 * @param take - called synchronously with each chunk; returns whether it needs more. An exception ends the reading
 * @returns resolves when nothing more is needed; rejects when the connection breaks
 */
export const readBytes = async (
  response: Response,
  reading: Reading<never>,
  take: (bytes: Uint8Array) => boolean,
): Promise<void> => {
  const reader = reading.open(response)
  if (reader === undefined) {
    // There is no body, or `fetch` can't stream it.
    take(new TextEncoder().encode(await response.text()))
    return
  }
  for (;;) {
    const { done, value } = await reader.read()
    if (done || reading.closed()) return
    if (!take(value)) {
      readRest(reader).catch(() => undefined)
      return
    }
    reading.progress()
  }
}

const readRest = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  const timer = setTimeout(() => reader.cancel().catch(() => undefined), REST.time)
  try {
    for (let left = REST.bytes; left > 0; ) {
      const { done, value } = await reader.read()
      if (done) return
      left -= value.byteLength
    }
    await reader.cancel()
  } finally {
    clearTimeout(timer)
  }
}
