import type { FinishedSpan } from '../tracing/foldSpans.js'

/** A finished span that is to be delivered. */
export interface Entry {
  readonly span: FinishedSpan
  /** Estimated size. */
  readonly bytes: number
  /** Sequence number, which grows with each accepted span. */
  readonly number: number
}

/** The part of an entry by which a flush knows whether it covers the span. */
export type Numbered = Pick<Entry, 'number'>

/** Spans that are sent together, and the history of their attempts. */
export interface Batch {
  readonly entries: ReadonlyArray<Entry>
  /** Attempts that failed transiently. */
  readonly failures: number
  /** When the first of these failed, ms. */
  readonly since: number | undefined
}

/** The history of spans that have not been sent yet. */
export const UNTRIED: Omit<Batch, 'entries'> = { failures: 0, since: undefined }

/** The limits of one batch. */
export interface BatchLimits {
  readonly maxSize: number
  readonly maxBytes: number
  readonly bytesOf: (entry: Entry) => number
}

/**
 * Whether one more span would exceed the limits of a batch. The first span never does.
 *
 * @param count - spans without it
 * @param bytes - bytes including it
 */
export const exceeds = ({ maxSize, maxBytes }: BatchLimits, count: number, bytes: number): boolean =>
  count > 0 && (count >= maxSize || bytes > maxBytes)

/** The spans that wait: first the returned batches, which have to be sent again, then the queue, both in order of end. */
export interface Outbox {
  /** Estimated bytes of all spans that wait. */
  readonly bytes: () => number
  /** Spans and bytes in the queue only, from which new batches are made. */
  readonly queue: () => { readonly size: number; readonly bytes: number }
  readonly push: (entry: Entry) => void
  /** Returns a batch, in front of everything that ended after it. */
  readonly putBack: (batch: Batch) => void
  /** Whether there is a returned batch. */
  readonly hasReturned: () => boolean
  /** All spans that wait. */
  readonly entries: () => ReadonlyArray<Entry>
  /** The next span of the queue. */
  readonly first: () => Entry | undefined
  /** Takes out the next batch: at least one span, and as many as the limits allow. */
  readonly take: (limits: BatchLimits) => Batch | undefined
  /** Takes out all spans up to a number, returned and queued ones. */
  readonly takeUpTo: (number: number) => ReadonlyArray<Entry>
}

/** The free slots at the front of the array are cut off when they are more than this and more than the rest. */
const SLACK = 1_024

/** The total estimated bytes of spans. */
export const bytesIn = (entries: ReadonlyArray<Entry>): number =>
  entries.reduce((sum, { bytes }) => sum + bytes, 0)

/** Makes an empty outbox. */
export const outbox = (): Outbox => {
  const returned: Array<Batch> = []
  let returnedBytes = 0
  // A ring would not be faster: 10 ns per span against 12 to 17, measured on Node 20 and 24.
  let queue: Array<Entry | undefined> = []
  let head = 0
  let queueBytes = 0

  const first = (): Entry | undefined => queue[head]

  const shift = (entry: Entry): void => {
    queue[head++] = undefined
    queueBytes -= entry.bytes
    if (head < queue.length && (head <= SLACK || head * 2 <= queue.length)) return
    queue = queue.slice(head)
    head = 0
  }

  const putBack = (batch: Batch): void => {
    const { entries } = batch
    const [oldest] = entries
    if (oldest === undefined) return
    // Batches that were in flight together may return in any order.
    const place = returned.findIndex(
      ({ entries: [first] }) => first !== undefined && first.number >= oldest.number,
    )
    returned.splice(place < 0 ? returned.length : place, 0, batch)
    returnedBytes += bytesIn(entries)
  }

  const takeReturned = (limits: BatchLimits): Batch | undefined => {
    const batch = returned.shift()
    if (batch === undefined) return undefined
    const { entries, ...tried } = batch
    returnedBytes -= bytesIn(entries)
    let total = 0
    const end = entries.findIndex((entry, index) => {
      total += limits.bytesOf(entry)
      return exceeds(limits, index, total)
    })
    if (end < 0) return batch
    putBack({ entries: entries.slice(end), ...tried })
    return { entries: entries.slice(0, end), ...tried }
  }

  const takeQueued = (limits: BatchLimits): Batch | undefined => {
    const entries: Array<Entry> = []
    let total = 0
    for (let next = first(); next !== undefined; next = first()) {
      total += limits.bytesOf(next)
      if (exceeds(limits, entries.length, total)) break
      entries.push(next)
      shift(next)
    }
    return entries.length === 0 ? undefined : { entries, ...UNTRIED }
  }

  const entries = (): ReadonlyArray<Entry> => [
    ...returned.flatMap((batch) => batch.entries),
    ...queue.slice(head).filter((entry) => entry !== undefined),
  ]

  const takeUpTo = (number: number): ReadonlyArray<Entry> => {
    const isLater = (entry: Entry): boolean => entry.number > number
    const taken = entries().filter((entry) => !isLater(entry))
    const batches = returned.splice(0).reverse()
    returnedBytes = 0
    for (const { entries, ...tried } of batches) putBack({ entries: entries.filter(isLater), ...tried })
    for (let next = first(); next !== undefined && !isLater(next); next = first()) shift(next)
    return taken
  }

  return {
    bytes: () => returnedBytes + queueBytes,
    queue: () => ({ size: queue.length - head, bytes: queueBytes }),
    push: (entry) => {
      queue.push(entry)
      queueBytes += entry.bytes
    },
    putBack,
    hasReturned: () => returned.length > 0,
    entries,
    first,
    take: (limits) => takeReturned(limits) ?? takeQueued(limits),
    takeUpTo,
  }
}
