import { toSpan } from '../tracing/foldSpans.js'
import { tried } from '../util/tried.js'
import type { BufferSettings } from './BufferPolicy.js'
import { type Flight, outlivingBytes } from './batchFlights.js'
import type { FlowControl } from './flowControl.js'
import type { Batch, BatchLimits, Entry, Outbox } from './outbox.js'
import type { Transport } from './Transport.js'
import { isLeaving } from './watchLifecycle.js'

/** What can be sent now: as much as the server takes, and from a page that is being left as much as may outlive it. */
export interface Batching {
  /** Whether the queue holds a full batch. */
  readonly isFull: () => boolean
  /** Whether one more batch may be sent now. */
  readonly mayGoOut: () => boolean
  /** The limits of one batch. */
  readonly limits: () => BatchLimits
  /**
   * Takes the next batch out of the outbox, if one is due: a returned one, a full one, or one of spans that are due.
   *
   * @param dueUpTo - number of the last span that doesn't wait for a full batch
   */
  readonly nextBatch: (dueUpTo: number) => Batch | undefined
  /** The size of the batch's request if it is to outlive the page and is small enough to; otherwise `undefined`. */
  readonly keepaliveBytes: (batch: Batch) => number | undefined
}

/** The state on which batching decides. */
export interface BatchingHost {
  readonly box: Pick<Outbox, 'queue' | 'first' | 'hasReturned' | 'take'>
  readonly flow: FlowControl
  readonly flights: ReadonlySet<Flight>
}

/** For bodies that a browser sends after the page is gone; its limit of 64 KiB is shared with the rest of the page. */
const KEEPALIVE_BYTES = 60_000

/** Decides which spans are sent next. */
export const batching = (
  transport: Transport,
  { maxBatchSize }: BufferSettings,
  { box, flow, flights }: BatchingHost,
): Batching => {
  /** Bytes that are left for further requests that outlive the page. */
  const keepaliveLeft = (): number => KEEPALIVE_BYTES - outlivingBytes()

  /** Bytes that a span takes in such a request. If it can't be serialised, the transport will say so when it is sent. */
  const keepaliveBytesOf = ({ span, bytes }: Entry): number =>
    tried(() => transport.bytes?.(toSpan(span))) ?? bytes

  const isFull = (): boolean => {
    const { size, bytes } = box.queue()
    return size >= maxBatchSize || bytes >= flow.maxBatchBytes()
  }

  const mayOutlive = (): boolean => {
    const left = keepaliveLeft()
    // Even if other sinks have used it up, because none of them would wake this one.
    if (left === KEEPALIVE_BYTES || flights.size === 0) return true
    // A server that fails gets one request at a time, also from a page that is left.
    const first = box.hasReturned() || !flow.isHealthy() ? undefined : box.first()
    return first !== undefined && keepaliveBytesOf(first) <= left
  }

  const limits = (): BatchLimits => ({
    maxSize: flow.maxBatchSize(),
    maxBytes: isLeaving() ? Math.min(keepaliveLeft(), flow.maxBatchBytes()) : flow.maxBatchBytes(),
    bytesOf: isLeaving() ? keepaliveBytesOf : ({ bytes }) => bytes,
  })

  return {
    isFull,
    mayGoOut: () => {
      if (flow.opensAt() !== undefined) return false
      return isLeaving() ? mayOutlive() : flights.size < flow.maxInFlight()
    },
    limits,
    nextBatch: (dueUpTo) => {
      const first = box.first()
      const isDue = box.hasReturned() || (first !== undefined && (first.number <= dueUpTo || isFull()))
      return isDue ? box.take(limits()) : undefined
    },
    keepaliveBytes: ({ entries }) => {
      if (!isLeaving()) return undefined
      const bytes = entries.reduce((sum, entry) => sum + keepaliveBytesOf(entry), 0)
      return bytes <= keepaliveLeft() ? bytes : undefined
    },
  }
}
