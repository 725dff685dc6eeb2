import type { BufferSettings } from './BufferPolicy.js'
import { counted } from './counted.js'
import type { DeliveryWarnings } from './deliveryWarnings.js'
import { type Batch, type BatchLimits, type Entry, type Outbox, outbox, UNTRIED } from './outbox.js'
import type { SpanBook } from './spanBook.js'
import type { Spooling } from './spooling.js'

/** Where a span is before it has met its fate, when it is in memory. */
export type Place = 'queued' | 'inFlight'

/** What can become of a span for good. */
type Fate = 'delivered' | 'dropped' | 'rejected'

/** The ways in which a sink's spans get from one place to another. */
export interface SpanLedger {
  /** What waits; whoever takes something from it says where it goes. */
  readonly box: Pick<Outbox, 'queue' | 'first' | 'hasReturned' | 'entries' | 'take' | 'takeUpTo'>
  /**
   * Lets a span in, making room for it if it can: `done` when it waits, before anybody is told. Otherwise it is on the disk
   * or dropped.
   */
  readonly admit: (entry: Entry, done: () => void) => void
  /** From waiting to being in flight. */
  readonly takeOff: (batch: Batch) => void
  /** From being in flight to waiting, before everything else. */
  readonly putBack: (entries: ReadonlyArray<Entry>, tried?: Omit<Batch, 'entries'>) => void
  /** To their fate. */
  readonly settle: (entries: ReadonlyArray<Entry>, from: Place, fate: Fate, error?: Error) => void
  /**
   * To the disk alone, where there is one; returns those that it did not take: all of them, for a while after it took
   * none.
   */
  readonly moveToSpool: (entries: ReadonlyArray<Entry>, from: Place) => ReadonlyArray<Entry>
  /** From the disk to waiting, the oldest ones, a batch of them; `done` when there were any, perhaps later. */
  readonly refill: (limits: BatchLimits, done: () => void) => void
}

/**
 * Makes an empty ledger.
 *
 * @param disk - the sink's side of its spool, where it has one
 */
export const spanLedger = (
  settings: BufferSettings,
  { counts, accept, changed, move }: SpanBook,
  warnings: DeliveryWarnings,
  disk: Spooling | undefined,
): SpanLedger => {
  const { maxQueueSize, maxQueueBytes, overflow } = settings
  const box = outbox()
  // However small the batches that a server takes: a disk takes these.
  const spoolLimits: BatchLimits = {
    maxSize: settings.maxBatchSize,
    maxBytes: settings.maxBatchBytes,
    bytesOf: ({ bytes }) => bytes,
  }
  const oneSpan: BatchLimits = { ...spoolLimits, maxSize: 1 }

  const settle: SpanLedger['settle'] = (entries, from, fate, error) => {
    disk?.forget(entries)
    move(entries, from, fate, error)
  }

  const moveToSpool: SpanLedger['moveToSpool'] = (entries, from) =>
    disk?.leaveToSpool(entries, (kept) => move(kept, from, 'spooled')) ?? entries

  const hasRoom = (bytes: number): boolean =>
    counts.queued < maxQueueSize && box.bytes() + bytes <= maxQueueBytes

  let queueIsFull: Error | undefined

  /** The oldest ones: what is on the disk is sent before what is in memory. */
  const spoolOldest = (): boolean => {
    const oldest = disk === undefined ? undefined : box.take(spoolLimits)
    if (oldest === undefined) return false
    const refused = moveToSpool(oldest.entries, 'queued')
    box.putBack({ ...oldest, entries: refused })
    return refused.length === 0
  }

  const makeRoom = (bytes: number): boolean => {
    while (!hasRoom(bytes)) if (!spoolOldest()) break
    if (hasRoom(bytes)) return true
    // A span that is larger than the whole queue may go to the disk.
    if (disk !== undefined && counts.queued === 0) return false
    const isTooLarge = bytes > maxQueueBytes
    const which = overflow === 'drop-newest' ? 'new' : 'the oldest'
    warnings.tell('overflow', () =>
      isTooLarge
        ? `a span of some ${bytes} bytes is dropped: the queue takes ${maxQueueBytes}.`
        : `the queue is full (${counted(counts.queued, 'span')}): ${which} spans are dropped.`,
    )
    if (overflow === 'drop-newest' || isTooLarge) return false
    while (!hasRoom(bytes)) {
      const oldest = box.take(oneSpan)
      if (oldest === undefined) return false
      queueIsFull ??= new Error('The queue was full.')
      settle(oldest.entries, 'queued', 'dropped', queueIsFull)
    }
    return true
  }

  return {
    box,
    admit: (entry, done) => {
      if (!makeRoom(entry.bytes)) {
        const refused = disk?.leaveToSpool([entry], () => accept('spooled')) ?? [entry]
        if (refused.length > 0) accept('dropped')
        return
      }
      disk?.prepare(entry)
      box.push(entry)
      counts.accepted++
      counts.queued++
      done()
      changed()
    },
    takeOff: ({ entries }) => move(entries, 'queued', 'inFlight'),
    putBack: (entries, tried = UNTRIED) => {
      box.putBack({ entries, ...tried })
      move(entries, 'inFlight', 'queued')
    },
    settle,
    moveToSpool,
    refill: (limits, done) =>
      disk?.refill(limits, (entries) => {
        box.putBack({ entries, ...UNTRIED })
        move(entries, 'spooled', 'queued')
        done()
      }),
  }
}
