import type { BufferSettings } from './BufferPolicy.js'
import type { Flight } from './batchFlights.js'
import type { FlowControl } from './flowControl.js'
import { keepaliveBudget } from './keepaliveBudget.js'
import type { Batch, BatchLimits, Outbox } from './outbox.js'
import type { Transport } from './Transport.js'

/** What can be sent now: as much as the server takes, and from a page that is being left as much as may outlive it. */
export interface Batching {
  /** Whether the queue holds a whole batch. */
  readonly isFull: () => boolean
  /** Whether one more batch may be under way. */
  readonly mayGoOut: () => boolean
  /** What one batch may hold. */
  readonly limits: () => BatchLimits
  /**
   * Takes out the next batch, if one is due: what is sent again, a full one, or a smaller one of spans that don't wait.
   *
   * @param dueUpTo - number of the last span that doesn't wait for a full batch
   */
  readonly nextBatch: (dueUpTo: number) => Batch | undefined
  /** How large the request of a batch is that has to outlive the page, and can. */
  readonly keepaliveBytes: (batch: Batch) => number | undefined
}

/** What decides on a batch. */
export interface BatchingHost {
  readonly box: Pick<Outbox, 'queue' | 'first' | 'hasReturned' | 'take'>
  readonly flow: FlowControl
  readonly flights: ReadonlySet<Flight>
  readonly isLeaving: () => boolean
}

/** Decides which spans are sent next. */
export const batching = (
  transport: Transport,
  { maxBatchSize }: BufferSettings,
  { box, flow, flights, isLeaving }: BatchingHost,
): Batching => {
  const budget = keepaliveBudget(transport, flights)

  const isFull = (): boolean => {
    const { size, bytes } = box.queue()
    return size >= maxBatchSize || bytes >= flow.maxBatchBytes()
  }

  const mayOutlive = (): boolean => {
    if (budget.isWhole()) return true
    // A server that fails gets one request at a time, as from a page that stays.
    const first = box.hasReturned() || !flow.isTrusted() ? undefined : box.first()
    return first !== undefined && budget.bytesOf(first) <= budget.left()
  }

  const limits = (): BatchLimits => ({
    maxSize: flow.maxBatchSize(),
    maxBytes: isLeaving() ? Math.min(budget.left(), flow.maxBatchBytes()) : flow.maxBatchBytes(),
    bytesOf: isLeaving() ? budget.bytesOf : ({ bytes }) => bytes,
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
    keepaliveBytes: (batch) => (isLeaving() ? budget.bytesFor(batch) : undefined),
  }
}
