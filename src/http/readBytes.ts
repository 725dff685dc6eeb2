import type { Reading } from './exchange.js'

/** How much more, and for how long (ms), is read of a body of which enough is known. */
const REST = { bytes: 65_536, time: 250 }

/**
 * Reads a body piece by piece, until it ends, nobody listens any more, or `take` has had enough. The rest is then read
 * in the background as far as it is short, which keeps the connection for the next request, else given up.
 *
 * @param response - its body must not have been read yet
 * @param reading - told of each piece
 * @param take - called synchronously for each piece; what it throws ends the reading. `false`: enough
 * @returns when there is nothing more to take; rejects when the connection breaks
 */
export const readBytes = async (
  response: Response,
  reading: Pick<Reading<never>, 'open' | 'closed' | 'progress'>,
  take: (bytes: Uint8Array) => boolean,
): Promise<void> => {
  const reader = reading.open(response)
  if (reader === undefined) {
    // No body, or a fetch that can't stream one.
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
