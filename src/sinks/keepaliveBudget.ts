import { toSpan } from '../tracing/foldSpans.js'
import type { Flight } from './batchFlights.js'
import type { Batch, Entry } from './outbox.js'
import type { Transport } from './Transport.js'

/** Bodies that a browser sends after their page is gone: their limit is 64 KiB, shared with the rest of the page. */
const KEEPALIVE_BYTES = 60_000

/** What the requests that outlive their page may hold together. */
export interface KeepaliveBudget {
  /** Nothing of it is in use. */
  readonly isWhole: () => boolean
  /** Bytes that are left of it. */
  readonly left: () => number
  /** Bytes that a span takes in a request. */
  readonly bytesOf: (entry: Entry) => number
  /** Bytes that a batch takes of it; `undefined` when that is more than is left: it can't outlive the page. */
  readonly bytesFor: (batch: Batch) => number | undefined
}

/**
 * Makes the budget of one sink.
 *
 * @param flights - those under way; the ones that don't outlive the page take nothing of it
 */
export const keepaliveBudget = (transport: Transport, flights: ReadonlySet<Flight>): KeepaliveBudget => {
  const left = (): number =>
    [...flights].reduce((rest, { keepaliveBytes = 0 }) => rest - keepaliveBytes, KEEPALIVE_BYTES)

  const bytesOf = ({ span, bytes }: Entry): number => {
    try {
      return transport.bytes?.(toSpan(span)) ?? bytes
    } catch {
      // A span that can't be written: its transport says so when it is sent.
      return bytes
    }
  }

  return {
    isWhole: () => left() === KEEPALIVE_BYTES,
    left,
    bytesOf,
    bytesFor: ({ entries }) => {
      const bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0)
      return bytes <= left() ? bytes : undefined
    },
  }
}
