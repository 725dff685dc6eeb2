import * as t from 'io-ts'
import { from, type TimestampProvider } from 'rxjs'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import type { Spool, SpoolHost, SpoolPlace, SpoolStore, SpoolStrength } from '../sinks/Spool.js'
import { spoolLoss } from '../sinks/spoolLoss.js'
import { spoolPiece } from '../sinks/spoolPiece.js'
import { type SpoolSettings, spoolOptions, spoolSettings } from '../sinks/spoolSettings.js'
import { randomIds } from '../tracing/Ids.js'
import { ignoreRejection } from './ignoreRejection.js'
import { lastCopies, type Saved } from './lastCopies.js'
import { pageLocks } from './pageLocks.js'
import {
  type Key,
  openDatabase,
  type Place,
  readStore,
  type SpanDatabase,
  writeTransaction,
} from './SpanDatabase.js'
import { takeOver } from './takeOver.js'

/** How a browser keeps spans. */
export interface IndexedDbSpoolOptions {
  /** Name of the database. Default `respan-rx`. */
  readonly name?: string
  /** When spans are written. Default `on-failure`. */
  readonly strength?: SpoolStrength
  /**
   * Maximum number of bytes that a page keeps, including what it took over from other pages; each UTF-16 code unit counts
   * as one. Default 16 MiB; at least 64 KiB.
   */
  readonly maxBytes?: number
  /** How long a span is kept at most, ms, give or take a minute. Default one week. */
  readonly maxAge?: number
  /** Measures the age of spans. Default `Date`. */
  readonly clock?: TimestampProvider
}

const Options = closed(t.partial({ name: t.string, ...spoolOptions }, 'IndexedDbSpoolOptions'))

/** How often a page looks for spans that are too old, and for those that other pages left behind, ms. */
const LOOK = 60_000

/** How long to wait after the database could not be opened, or was closed by the browser, ms. */
const AGAIN = 1_000

const isPlace = (place: SpoolPlace): place is Place => 'key' in place

const openStore = (name: string, settings: SpoolSettings, host: SpoolHost): SpoolStore => {
  const { maxBytes, maxAge, clock } = settings
  // Not crypto.randomUUID, which insecure contexts lack.
  const me = randomIds.trace()
  const prefix = `respan-rx/${name}/`
  /** In order of age. */
  let own = new Set<Place>()
  let bytes = 0
  let number = 0
  let database: SpanDatabase | undefined
  let closed = false
  let opening: Promise<SpanDatabase> | undefined
  /** What is being written, each with a function that removes its copy once there is one. */
  const unfinished = new Map<Saved, (() => void) | undefined>()
  const copies = lastCopies(prefix)
  const locks = pageLocks(prefix)
  const holding = locks.hold(me)

  /** The browser has closed the database, for example because its data were cleared. It is reopened when it is needed. */
  const terminated = (): void => {
    database = undefined
    opening = undefined
    if (!closed) setTimeout(host.wake, AGAIN)
  }

  const connect = async (): Promise<SpanDatabase> => {
    await holding
    database = await openDatabase(name, terminated)
    return database
  }

  const opened = (): Promise<SpanDatabase> => {
    if (opening !== undefined) return opening
    opening = connect()
    opening.catch(() =>
      setTimeout(() => {
        opening = undefined
        // A flush may be waiting: while a browser clears its data, it opens no database.
        if (!closed && own.size > 0) host.wake()
      }, AGAIN),
    )
    return opening
  }

  // A failure is reported wherever the database is needed.
  ignoreRejection(opened())

  /** Runs synchronously if the database is open, since a page that is going away has no further tick. */
  const run = async (work: (open: SpanDatabase) => Promise<void>): Promise<void> =>
    work(database ?? (await opened()))

  const remove = (places: ReadonlyArray<SpoolPlace>): void => {
    const gone = places.filter(isPlace).filter((place) => own.delete(place))
    if (gone.length === 0) return
    for (const place of gone) bytes -= place.bytes
    run(async (open) => {
      const transaction = writeTransaction(open)
      for (const { key } of gone) {
        ignoreRejection(transaction.objectStore('spans').delete(key))
        ignoreRejection(transaction.objectStore('places').delete(key))
      }
      await transaction.done
      // Spans that could not be removed may be sent once more.
    }).catch((thrown: unknown) => host.failed([], thrown))
  }

  const evict = (places: ReadonlyArray<Place>, why: string): void => {
    if (places.length === 0) return
    remove(places)
    host.evicted(places, why)
  }

  const evictOld = (): void => {
    const tooOld = clock.now() - maxAge
    evict(
      [...own].filter(({ key: [at] }) => at < tooOld),
      spoolLoss.tooOld,
    )
  }

  /** Evicts the oldest spans, until an eighth of the room is free. */
  const makeRoom = (more: number): void => {
    evictOld()
    if (bytes + more <= maxBytes) return
    const oldest: Array<Place> = []
    let freed = 0
    for (const place of own) {
      if (bytes + more - freed <= (maxBytes * 7) / 8) break
      oldest.push(place)
      freed += place.bytes
    }
    evict(oldest, spoolLoss.noRoom)
  }

  const adoptFrom = async (open: SpanDatabase): Promise<ReadonlyArray<SpoolPlace>> => {
    const { adopted, tooOld } = await takeOver(open, {
      owner: me,
      copies,
      living: () => locks.living(clock.now()),
      since: clock.now() - maxAge,
    })
    if (tooOld > 0) host.lost(tooOld, spoolLoss.tooOld)
    own = new Set([...adopted, ...own])
    for (const place of adopted) bytes += place.bytes
    return adopted
  }

  const adopt = async (): Promise<ReadonlyArray<SpoolPlace>> => {
    const open = await opened()
    // localStorage has no transactions, so pages take turns.
    return copies.hasAny() ? locks.inTurn(() => adoptFrom(open)) : adoptFrom(open)
  }

  const timer = setInterval(() => {
    evictOld()
    host.wake()
  }, LOOK)

  return {
    write: (records) => {
      const { piece, bytes: more } = spoolPiece(records, {
        maxBytes,
        pieceBytes: maxBytes / 8,
        bytesOf: ({ length }) => length,
      })
      makeRoom(more)
      const at = clock.now()
      const saved = piece.map(({ traceId, text }) => {
        const key: Key = [at, me, number++]
        return { key, traceId, text }
      })
      const places = saved.map(({ key, traceId, text }): Place => ({ key, traceId, bytes: text.length }))
      for (const place of places) {
        own.add(place)
        bytes += place.bytes
      }
      unfinished.set(saved, undefined)
      run(async (open) => {
        const transaction = writeTransaction(open)
        for (const { key, traceId, text } of saved) {
          ignoreRejection(transaction.objectStore('spans').put(text, key))
          ignoreRejection(
            transaction.objectStore('places').put({ owner: me, traceId, bytes: text.length }, key),
          )
        }
        // Committed now: a page that is going away may not live to see the requests succeed.
        transaction.commit()
        await transaction.done
        unfinished.get(saved)?.()
      })
        .catch((thrown: unknown) => {
          for (const place of places) if (own.delete(place)) bytes -= place.bytes
          host.failed(places, thrown)
        })
        .finally(() => unfinished.delete(saved))
      return places
    },
    read: (places) =>
      from(
        opened().then((open) => {
          const store = readStore(open, 'spans')
          return Promise.all(places.map((place) => (isPlace(place) ? store.get(place.key) : undefined)))
        }),
      ),
    remove,
    adopt: () => from(adopt()),
    leave: () => {
      for (const [saved, forget] of unfinished)
        if (forget === undefined) unfinished.set(saved, copies.keep(me, saved))
    },
    close: () => {
      if (closed) return
      closed = true
      clearInterval(timer)
      ignoreRejection(
        opened()
          // This waits for running transactions.
          .then((open) => open.close())
          .finally(async () => (await holding)()),
      )
    },
  }
}

/**
 * Keeps spans in the browser's IndexedDB until they are delivered, for `bufferedSink`.
 *
 * - *What does it survive?* Leaving, closing and reloading the page, and a crash of the tab: the next page of the same
 *   origin delivers the spans. A page that goes away sends what fits into a request that outlives it, at most 60 KB, and
 *   writes down the rest; to localStorage as well, because a browser may undo an IndexedDB transaction that isn't done
 *   at the moment when a page is left (Chromium 156, one time in ten on a busy machine). IndexedDB can't be written in the
 *   same tick, so when a tab crashes even `always` may lose the last few milliseconds.
 * - *What if several pages are open?* Each has its own spans, and a Web Lock that shows that it is alive; another page
 *   takes over the spans of a dead one, once. Insecure contexts have no Web Locks: there, a page that has written
 *   nothing for an hour counts as dead.
 * - *How much does it hold?* Up to `maxBytes`, for up to `maxAge`. Beyond that the oldest spans are deleted, with the
 *   rest of their traces, counted as dropped and reported.
 *
 * Nothing happens before a sink's first span or flush. Without IndexedDB, the sink warns and goes on as if it had no
 * spool.
 *
 * @throws InvalidInput if an option is wrong
 */
export const indexedDbSpool = (options: IndexedDbSpoolOptions = {}): Spool => {
  checked('indexedDbSpool', Options, options)
  const { name = 'respan-rx' } = options
  const settings = spoolSettings(options, 16 * 2 ** 20)
  return {
    name: `indexedDbSpool (${name})`,
    strength: settings.strength,
    open: (host) => {
      if (typeof indexedDB === 'undefined') throw new Error('IndexedDB is not available.')
      return openStore(name, settings, host)
    },
  }
}
