import { catchError, defer, EMPTY, lastValueFrom, map, noop, type Observable, retry, take, tap } from 'rxjs'
import { toSpan } from '../tracing/foldSpans.js'
import { guarded } from '../tracing/guarded.js'
import { counted } from './counted.js'
import { type DeliveryWarnings, describeError } from './deliveryWarnings.js'
import type { BatchLimits, Entry, Numbered } from './outbox.js'
import { outsideZones } from './outsideZones.js'
import type { PendingFlushes } from './pendingFlushes.js'
import type { Spool, SpoolPlace, SpoolRecord, SpoolStore } from './Spool.js'
import type { SpanBook } from './spanBook.js'
import { spanBytes } from './spanBytes.js'
import { spoolLoss } from './spoolLoss.js'
import { type Spooled, spoolPlaces } from './spoolPlaces.js'
import { restoreSpan, storeSpan } from './storeSpan.js'

/** The parts of a sink that its spool reports to. */
export interface SpoolingHost {
  readonly pending: Pick<PendingFlushes, 'failed' | 'ceded' | 'addSpooled'>
  readonly warnings: DeliveryWarnings
  readonly now: () => number
  /** Called when there may be something to do. */
  readonly wake: () => void
}

/** A sink's view of a spool: which spans are on the disk, as copies of those in memory or only there. Never throws. */
export interface Spooling {
  /** Spans that are only on the disk, and this sink's to deliver: fewer than the count `spooled` once some were ceded. */
  readonly spooled: () => number
  /** Whether the spool is open. */
  readonly isOpen: () => boolean
  /**
   * To be called for each span that is queued: opens the spool, so that it is ready when there is no time to wait for it,
   * and with the strength `always` writes the span.
   */
  readonly prepare: (entry: Entry) => void
  /** Lets the next spans be written even if writing has just failed: it may be the last chance. */
  readonly retryWrites: () => void
  /** Writes copies of spans that stay in memory; a span that can't be written is in memory only. */
  readonly writeAhead: (entries: ReadonlyArray<Entry>) => void
  /** The page is being left: a write that isn't done by now may never be done. */
  readonly leave: () => void
  /**
   * Moves spans from memory to the disk, piece by piece. `taken` is called for each piece at once, because the next one
   * may evict it to make room. Returns the spans that the disk did not take.
   */
  readonly leaveToSpool: (
    entries: ReadonlyArray<Entry>,
    taken: (entries: ReadonlyArray<Entry>) => void,
  ) => ReadonlyArray<Entry>
  /** Removes the copies of spans that are settled. */
  readonly forget: (entries: ReadonlyArray<Entry>) => void
  /**
   * Reads the oldest spooled spans back. Unless there are none, `taken` is called, perhaps later, with at least one; from
   * then on they are in memory, with a copy on the disk.
   */
  readonly refill: (limits: BatchLimits, taken: (entries: ReadonlyArray<Entry>) => void) => void
  /** Takes over spans that other owners left behind, perhaps not all; resolves when the result is known. */
  readonly look: () => Promise<void>
  readonly close: () => void
}

/** Number of spans that were accepted by other owners: lower than all of this sink's own. */
const ADOPTED = -1

/** How long to wait after the spool could not be opened, ms. */
const OPEN_AGAIN = 10_000

/** How long to wait after spans could not be written, ms: trying a full disk for every span would slow pipelines down. */
const WRITE_AGAIN = 1_000

const NONE: ReadonlySet<SpoolPlace> = new Set()

/**
 * Opens a spool when it is needed, and keeps track of the spans in it: whatever happens to them is counted, and reported
 * to the flushes that cover them.
 */
export const spooling = (spool: Spool, { accept, move }: SpanBook, host: SpoolingHost): Spooling => {
  const { pending, warnings, now, wake } = host
  let store: SpoolStore | undefined
  /** When opening was last tried, ms. */
  let openedAt = Number.NEGATIVE_INFINITY
  /** When spans could last not be written, ms. */
  let writeFailedAt = Number.NEGATIVE_INFINITY
  let closed = false
  const onDisk = spoolPlaces()
  /** The places that are being read. */
  let reading = NONE
  /** Whether there may be spans of other owners that have not been looked for. */
  let mayHaveLeftovers = true
  let looking: Promise<void> | undefined

  // ── reporting to the sink

  /** Warns that the disk does not work; this alone loses no spans. */
  const reportFailure = (error: unknown): void =>
    warnings.tell('spool', () => `the spool failed: ${describeError(error)}`, error)

  /** Accepts spooled spans of an owner that has died. */
  const inherit = (count: number): void => {
    pending.addSpooled(count)
    accept('spooled', count)
  }

  /** Drops spooled spans. */
  const lose = (spans: ReadonlyArray<Numbered>, why: string): void => {
    if (spans.length === 0) return
    const error = new Error(`The spool lost spans: ${why}.`)
    move(spans, 'spooled', 'dropped', error)
    const message = (): string => `${counted(spans.length, 'spooled span')} dropped: ${why}.`
    warnings.tell('lost', message, error)
  }

  /** Leaves spooled spans to another process. */
  const cede = (spans: ReadonlyArray<Numbered>): void => {
    if (spans.length === 0) return
    const error = new Error('Another process assumed that this one had died, and took over its spool.')
    pending.failed(error)
    pending.ceded(spans)
    const message = (): string =>
      `${counted(spans.length, 'spooled span')} left to another process, which assumed that this one had died.`
    warnings.tell('spool', message, error)
  }

  // ── the store

  const evicted = (gone: ReadonlyArray<SpoolPlace>, why: string): void => {
    const lost = onDisk.deleteAll(gone)
    if (lost.length === 0) return
    const traces = new Set(lost.map(({ place }) => place.traceId))
    // An incomplete trace is of no use, so the rest of it goes as well.
    const rest = onDisk.spooled().filter((place) => traces.has(place.traceId) && !reading.has(place))
    const more = onDisk.deleteAll(rest)
    if (rest.length > 0) store?.remove(rest)
    lose([...lost, ...more], why)
  }

  const opened = (): SpoolStore | undefined => {
    if (store !== undefined || closed || now() - openedAt < OPEN_AGAIN) return store
    openedAt = now()
    store = guarded(reportFailure, () =>
      outsideZones(() =>
        spool.open({
          evicted,
          ceded: (gone) => cede(onDisk.deleteAll(gone)),
          lost: (count, why) => {
            inherit(count)
            lose(
              Array.from({ length: count }, () => ({ number: ADOPTED })),
              why,
            )
          },
          failed: (gone, error) => {
            reportFailure(error)
            lose(onDisk.deleteAll(gone), spoolLoss.notTaken)
          },
          wake: () => {
            mayHaveLeftovers = true
            wake()
          },
        }),
      ),
    )
    return store
  }

  /** Writes the first piece; `undefined` if there is no point in trying the others. */
  const writeFirst = (records: ReadonlyArray<SpoolRecord>): ReadonlyArray<SpoolPlace> | undefined => {
    try {
      return outsideZones(() => store?.write(records))
    } catch (thrown) {
      reportFailure(thrown)
      // Only the first span is too large: the others can be written.
      if (thrown instanceof RangeError) return []
      writeFailedAt = now()
      return undefined
    }
  }

  /** Writes spans that have no copy yet; `done` is called for each piece before the next one may need its room. */
  const write = (entries: ReadonlyArray<Entry>, done: (entries: ReadonlyArray<Entry>) => void): void => {
    if (now() - writeFailedAt < WRITE_AGAIN || entries.every(onDisk.hasCopy) || opened() === undefined) return
    const records: Array<SpoolRecord> = []
    const written: Array<Entry> = []
    for (const entry of entries) {
      const text = onDisk.hasCopy(entry)
        ? undefined
        : guarded(reportFailure, () => storeSpan(toSpan(entry.span)))
      if (text === undefined) continue
      records.push({ traceId: entry.span.start.traceId, text })
      written.push(entry)
    }
    for (let from = 0; from < records.length; ) {
      const at = writeFirst(records.slice(from))
      if (at === undefined) break
      const piece = written.slice(from, from + at.length)
      piece.forEach((entry, index) => {
        const place = at[index]
        if (place !== undefined) onDisk.addCopy(entry, place)
      })
      done(piece)
      from += Math.max(1, at.length)
    }
  }

  const addAdopted = (found: ReadonlyArray<SpoolPlace>): void => {
    if (found.length === 0) return
    mayHaveLeftovers = true
    for (const place of found) onDisk.add(place, ADOPTED)
    inherit(found.length)
  }

  /** Takes over spans that other owners left behind, if there may be any. */
  const adopt = defer((): Observable<void> => {
    const open = mayHaveLeftovers ? opened() : undefined
    if (open === undefined) return EMPTY
    mayHaveLeftovers = false
    return open.adopt().pipe(take(1), map(addAdopted))
  }).pipe(
    catchError((thrown: unknown) => {
      reportFailure(thrown)
      return EMPTY
    }),
  )

  const restored = (
    taken: ReadonlyArray<Spooled>,
    texts: ReadonlyArray<string | undefined>,
  ): ReadonlyArray<Entry> => {
    const damaged: Array<Spooled> = []
    const entries = taken.flatMap(({ place, number }, index) => {
      // It was evicted or ceded while it was read.
      if (!onDisk.delete(place)) return []
      const text = texts[index]
      const span = text === undefined ? undefined : restoreSpan(text)
      if (span === undefined) {
        damaged.push({ place, number })
        return []
      }
      const entry = { span, bytes: spanBytes(span), number }
      onDisk.addCopy(entry, place)
      return [entry]
    })
    if (damaged.length > 0) store?.remove(damaged.map(({ place }) => place))
    lose(damaged, spoolLoss.damaged)
    reading = NONE
    return entries
  }

  /** Reads the next batch, and emits the spans that could be read, perhaps later; empty if there is nothing to read. */
  const readNext = (limits: BatchLimits): Observable<ReadonlyArray<Entry>> =>
    defer(() => {
      if (closed || reading.size > 0) return EMPTY
      // Looking may take a while, and by then nothing else may call the pump.
      if (onDisk.size() === 0) adopt.subscribe(wake)
      const oldest = onDisk.oldest(limits)
      const places = oldest.map(({ place }) => place)
      reading = new Set(places)
      // Look before the last ones are sent: a flush that waits for them must learn that there are more.
      if (onDisk.size() === places.length) adopt.subscribe(wake)
      if (places.length === 0 || store === undefined) return EMPTY
      return store.read(places).pipe(
        take(1),
        map((texts) => restored(oldest, texts)),
      )
    }).pipe(
      tap({
        error: (thrown: unknown) => {
          reportFailure(thrown)
          reading = NONE
        },
      }),
      // Retried at once, because a flush may be waiting, and the next look may be a minute away.
      retry(1),
      catchError(() => EMPTY),
    )

  /** If no span of a batch is readable, the next batch is read. In a loop, since a disk may answer synchronously. */
  const refill: Spooling['refill'] = (limits, taken) => {
    let isLooping = true
    let isNext = true
    while (isNext) {
      isNext = false
      readNext(limits).subscribe((entries) => {
        if (entries.length > 0) taken(entries)
        else if (isLooping) isNext = true
        else refill(limits, taken)
      })
    }
    isLooping = false
  }

  return {
    spooled: onDisk.size,
    isOpen: () => store !== undefined,
    prepare: (entry) => {
      opened()
      if (spool.strength === 'always') write([entry], noop)
    },
    retryWrites: () => {
      writeFailedAt = Number.NEGATIVE_INFINITY
    },
    writeAhead: (entries) => write(entries, noop),
    leave: () => {
      guarded(reportFailure, () => store?.leave?.())
    },
    leaveToSpool: (entries, taken) => {
      const refused = new Set(entries)
      const leave = (some: ReadonlyArray<Entry>): void => {
        const left = some.filter((entry) => {
          const place = onDisk.takeCopy(entry)
          if (place === undefined) return false
          onDisk.add(place, entry.number)
          return refused.delete(entry)
        })
        if (left.length > 0) taken(left)
      }
      leave(entries)
      write([...refused], leave)
      return [...refused]
    },
    forget: (entries) => {
      const gone = entries.flatMap((entry) => onDisk.takeCopy(entry) ?? [])
      if (gone.length > 0) store?.remove(gone)
    },
    refill,
    look: () => {
      mayHaveLeftovers = true
      looking ??= lastValueFrom(adopt, { defaultValue: undefined }).finally(() => {
        looking = undefined
      })
      return looking
    },
    close: () => {
      closed = true
      const open = store
      store = undefined
      if (open !== undefined) guarded(reportFailure, () => open.close())
    },
  }
}
