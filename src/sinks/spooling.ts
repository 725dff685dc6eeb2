import { catchError, defer, EMPTY, lastValueFrom, map, noop, type Observable, retry, take, tap } from 'rxjs'
import { toSpan } from '../tracing/foldSpans.js'
import { counted } from './counted.js'
import { type DeliveryWarnings, describeError } from './deliveryWarnings.js'
import type { Flushes } from './flushes.js'
import type { BatchLimits, Entry, Numbered } from './outbox.js'
import { outsideZones } from './outsideZones.js'
import type { Spool, SpoolPlace, SpoolRecord, SpoolStore } from './Spool.js'
import type { SpanBook } from './spanBook.js'
import { spanBytes } from './spanBytes.js'
import { spoolLoss } from './spoolLoss.js'
import { type Spooled, spoolPlaces } from './spoolPlaces.js'
import { restoreSpan, storeSpan } from './storeSpan.js'

/** Whom a sink's side of its spool tells. */
export interface SpoolingHost {
  readonly waits: Pick<Flushes, 'failed' | 'ceded' | 'widen'>
  readonly warnings: DeliveryWarnings
  readonly now: () => number
  /** There may be something to do. */
  readonly wake: () => void
}

/** A sink's side of a spool: which spans are on the disk, beside the memory or alone. Never throws. */
export interface Spooling {
  /** Spans that are on the disk alone, and this sink's to deliver: fewer than `spooled` once others took some over. */
  readonly spooled: () => number
  /** Whether the spool is open. */
  readonly isOpen: () => boolean
  /**
   * For a span that is let in: opens it, so that it is there when there is no time to wait for it, and writes the span down
   * where none may be lost.
   */
  readonly prepare: (entry: Entry) => void
  /** The next spans are written down even if that failed just now: there may be no later. */
  readonly retryWrites: () => void
  /** Writes spans down that stay in memory; what can't be written is in memory only. */
  readonly writeAhead: (entries: ReadonlyArray<Entry>) => void
  /** The page is being left: what is still being written may never be. */
  readonly leave: () => void
  /**
   * Leaves spans to the disk alone, piece by piece: `taken` is told of each at once, since the next one may cost it its
   * room. Returns those that the disk did not take.
   */
  readonly leaveToSpool: (
    entries: ReadonlyArray<Entry>,
    taken: (entries: ReadonlyArray<Entry>) => void,
  ) => ReadonlyArray<Entry>
  /** They have met their fate. */
  readonly forget: (entries: ReadonlyArray<Entry>) => void
  /**
   * Takes back the spans that were spooled first, and hands them over, perhaps later, if there are any: at least one. Nobody
   * else has them then.
   */
  readonly refill: (limits: BatchLimits, taken: (entries: ReadonlyArray<Entry>) => void) => void
  /** Takes over what others left behind, or a part of it; done when that is known. */
  readonly look: () => Promise<void>
  readonly close: () => void
}

/** Number of the spans that others accepted: before all of this sink's own. */
const ADOPTED = -1

/** After a spool could not be opened, ms. */
const TRY_AGAIN = 10_000

/** After spans could not be written, ms: a full disk is not tried with every span, which takes its pipeline's time. */
const WRITE_AGAIN = 1_000

const NONE: ReadonlySet<SpoolPlace> = new Set()

/**
 * Opens a spool when it is needed, and keeps track of what is in it: what becomes of spans there is counted, and told to
 * those who wait for them.
 *
 * @param book - the sink's
 */
export const spooling = (spool: Spool, { accept, move }: SpanBook, host: SpoolingHost): Spooling => {
  const { waits, warnings, now, wake } = host
  let store: SpoolStore | undefined
  let broken = Number.NEGATIVE_INFINITY
  /** When spans could not be written, ms. */
  let refusedAt = Number.NEGATIVE_INFINITY
  let closed = false
  const onDisk = spoolPlaces()
  /** Where spans are that are being read. */
  let reading = NONE
  /** Nobody has looked for leftovers since something happened. */
  let mayHaveLeftovers = true
  let looking: Promise<void> | undefined

  // ── what the sink is told

  /** The disk does not do what it should; nothing is lost by it yet. */
  const trouble = (error: unknown): void =>
    warnings.tell('spool', () => `the spool fails: ${describeError(error)}`, error)

  const attempt = <A>(work: () => A): A | undefined => {
    try {
      return work()
    } catch (thrown) {
      trouble(thrown)
      return undefined
    }
  }

  /** Spans of somebody who has died are on the disk, and this sink's now. */
  const inherit = (count: number): void => {
    waits.widen(count)
    accept('spooled', count)
  }

  /** Spooled spans are lost. */
  const lose = (spans: ReadonlyArray<Numbered>, why: string): void => {
    if (spans.length === 0) return
    const error = new Error(`The spool lost spans: ${why}.`)
    move(spans, 'spooled', 'dropped', error)
    const message = (): string => `${counted(spans.length, 'spooled span')} dropped: ${why}.`
    warnings.tell('lost', message, error)
  }

  /** Spooled spans are another process's now. */
  const cede = (spans: ReadonlyArray<Numbered>): void => {
    if (spans.length === 0) return
    const error = new Error('Another process took this one for dead, and its spool over.')
    waits.failed(error)
    waits.ceded(spans)
    const message = (): string =>
      `${counted(spans.length, 'spooled span')} left to another process, which took this one for dead.`
    warnings.tell('spool', message, error)
  }

  // ── the store

  const evicted = (gone: ReadonlyArray<SpoolPlace>, why: string): void => {
    const lost = onDisk.strike(gone)
    if (lost.length === 0) return
    const traces = new Set(lost.map(({ place }) => place.traceId))
    // The rest of a trace is of no use.
    const rest = onDisk.alone().filter((place) => traces.has(place.traceId) && !reading.has(place))
    const more = onDisk.strike(rest)
    if (rest.length > 0) store?.remove(rest)
    lose([...lost, ...more], why)
  }

  const opened = (): SpoolStore | undefined => {
    if (store !== undefined || closed || now() - broken < TRY_AGAIN) return store
    broken = now()
    store = attempt(() =>
      outsideZones(() =>
        spool.open({
          evicted,
          ceded: (gone) => cede(onDisk.strike(gone)),
          lost: (count, why) => {
            inherit(count)
            lose(
              Array.from({ length: count }, () => ({ number: ADOPTED })),
              why,
            )
          },
          failed: (gone, error) => {
            trouble(error)
            lose(onDisk.strike(gone), spoolLoss.notTaken)
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
      trouble(thrown)
      // One that is too large for it does not keep it from the others.
      if (thrown instanceof RangeError) return []
      refusedAt = now()
      return undefined
    }
  }

  /** Writes spans that have no copy yet; `done` is called for each piece before the next one may need its room. */
  const write = (entries: ReadonlyArray<Entry>, done: (entries: ReadonlyArray<Entry>) => void): void => {
    if (now() - refusedAt < WRITE_AGAIN || entries.every(onDisk.hasCopy) || opened() === undefined) return
    const records: Array<SpoolRecord> = []
    const written: Array<Entry> = []
    for (const entry of entries) {
      const text = onDisk.hasCopy(entry) ? undefined : attempt(() => storeSpan(toSpan(entry.span)))
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

  const took = (found: ReadonlyArray<SpoolPlace>): void => {
    if (found.length === 0) return
    mayHaveLeftovers = true
    for (const place of found) onDisk.add(place, ADOPTED)
    inherit(found.length)
  }

  /** Takes over what others left behind, or a part of it, unless nothing happened since somebody looked. */
  const adopt = defer((): Observable<void> => {
    const from = mayHaveLeftovers ? opened() : undefined
    if (from === undefined) return EMPTY
    mayHaveLeftovers = false
    return from.adopt().pipe(take(1), map(took))
  }).pipe(
    catchError((thrown: unknown) => {
      trouble(thrown)
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
          trouble(thrown)
          reading = NONE
        },
      }),
      // A flush waits for them, and whoever looks next may do so in a minute.
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
      refusedAt = Number.NEGATIVE_INFINITY
    },
    writeAhead: (entries) => write(entries, noop),
    leave: () => {
      attempt(() => store?.leave?.())
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
      if (open !== undefined) attempt(() => open.close())
    },
  }
}
