import type { BufferSettings } from './BufferPolicy.js'
import { counted } from './counted.js'
import type { DeliveryWarnings } from './deliveryWarnings.js'
import { type Batch, type BatchLimits, type Entry, type Outbox, outbox, UNTRIED } from './outbox.js'
import type { SpanBook } from './spanBook.js'
import type { Spooling } from './spooling.js'

/** Where a span in memory is before it is settled. */
export type Place = 'queued' | 'inFlight'

/** The final states of a span. */
type Fate = 'delivered' | 'dropped' | 'rejected'

/** All moves of a sink's spans from one place to another. */
export interface SpanLedger {
  /** The queued spans. Code that takes spans out of it has to move them. */
  readonly box: Pick<Outbox, 'queue' | 'first' | 'hasReturned' | 'entries' | 'take' | 'takeUpTo'>
  /**
   * Accepts a span, and makes room for it if possible. If it is queued, `done` is called before the counts are emitted;
   * otherwise the span is spooled or dropped.
   */
  readonly admit: (entry: Entry, done: () => void) => void
  /** Moves spans from queued to in flight. */
  readonly takeOff: (batch: Batch) => void
  /** Moves spans from in flight to queued, in front of all others. */
  readonly putBack: (entries: ReadonlyArray<Entry>, tried?: Omit<Batch, 'entries'>) => void
  /** Moves spans to their final state. */
  readonly settle: (entries: ReadonlyArray<Entry>, from: Place, fate: Fate, error?: Error) => void
  /**
   * Moves spans out of memory to the spool, if there is one; returns those that it did not take. After a failure to
   * write, it takes none for a while.
   */
  readonly moveToSpool: (entries: ReadonlyArray<Entry>, from: Place) => ReadonlyArray<Entry>
  /** Moves the oldest spooled spans, one batch, back to queued; calls `done`, perhaps later, if there were any. */
  readonly refill: (limits: BatchLimits, done: () => void) => void
}

/**
 * Makes an empty ledger.
 *
 * @param disk - the sink's view of its spool, if it has one
 */
export const spanLedger = (
  settings: BufferSettings,
  { counts, accept, changed, move }: SpanBook,
  warnings: DeliveryWarnings,
  disk: Spooling | undefined,
): SpanLedger => {
  const { maxQueueSize, maxQueueBytes, overflow } = settings
  const box = outbox()
  // Flow control may make batches for the server smaller, but those for the disk keep this size.
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

  /** Spools the oldest spans, since spooled ones are sent before those in memory. Returns whether all were taken. */
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
    // A span that is larger than the whole queue is left to the disk.
    if (disk !== undefined && counts.queued === 0) return false
    const isTooLarge = bytes > maxQueueBytes
    const which = overflow === 'drop-newest' ? 'new' : 'the oldest'
    warnings.tell('overflow', () =>
      isTooLarge
        ? `a span of about ${bytes} bytes is dropped: the queue holds at most ${maxQueueBytes}.`
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
