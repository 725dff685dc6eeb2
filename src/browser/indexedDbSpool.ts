import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import * as t from 'io-ts'
import { from, type TimestampProvider } from 'rxjs'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import type { Spool, SpoolHost, SpoolPlace, SpoolStore, SpoolStrength } from '../sinks/Spool.js'
import { spoolLoss } from '../sinks/spoolLoss.js'
import { spoolPiece } from '../sinks/spoolPiece.js'
import { type SpoolSettings, spoolOptions, spoolSettings } from '../sinks/spoolSettings.js'
import { randomIds } from '../tracing/ids.js'
import { lastCopies } from './lastCopies.js'

/** How a browser keeps spans. */
export interface IndexedDbSpoolOptions {
  /** Name of the database. Default `respan-rx`. */
  readonly name?: string
  /** When spans are written. Default `on-failure`. */
  readonly strength?: SpoolStrength
  /**
   * Bytes that a page keeps at most, what it took over from others included; each UTF-16 code unit counts as one. Default
   * 16 MiB; at least 64 KiB.
   */
  readonly maxBytes?: number
  /** How long a span is kept at most, give or take a minute, ms. Default a week. */
  readonly maxAge?: number
  /** Tells the age of spans. Default `Date`. */
  readonly clock?: TimestampProvider
}

/** When it was written, by whom, and its number there: keys are in the order of age. */
type Key = [at: number, writer: string, number: number]

interface Place extends SpoolPlace {
  readonly key: Key
}

interface Database extends DBSchema {
  /** The spans, as text. */
  readonly spans: { readonly key: Key; readonly value: string }
  /** What there is to know without reading them; `owner` is whose they are now. */
  readonly places: {
    readonly key: Key
    readonly value: { readonly owner: string; readonly traceId: string; readonly bytes: number }
  }
}

const Options = closed(t.partial({ name: t.string, ...spoolOptions }, 'IndexedDbSpoolOptions'))

/** How often a page looks for what is too old, and for what others left behind, ms. */
const LOOK = 60_000

/** After the database could not be opened, or the browser has closed it, ms. */
const AGAIN = 1_000

/** Without Web Locks, which tell who lives, whoever wrote nothing for so long is dead, ms. */
const SILENCE = 3_600_000

const STORES = ['spans', 'places'] as const

const openDatabase = (name: string, terminated: () => void): Promise<IDBPDatabase<Database>> =>
  openDB<Database>(name, 1, {
    upgrade: (database) => {
      for (const store of STORES) database.createObjectStore(store)
    },
    terminated,
  })

const looking = <Name extends (typeof STORES)[number]>(open: IDBPDatabase<Database>, name: Name) => {
  const { store, done } = open.transaction(name)
  unheard(done)
  return store
}

/** Holds a lock until the returned function is called: the browser lets go of it when the page dies. */
const holdLock = async (name: string): Promise<() => void> => {
  const locks = locksOf()
  if (locks === undefined) return () => undefined
  return new Promise((resolve, reject) => {
    locks.request(name, () => new Promise<void>((release) => resolve(release))).catch(reject)
  })
}

interface Runtime {
  readonly navigator?: { readonly locks?: LockManager }
}

/** Only secure pages have them. */
const locksOf = (): LockManager | undefined => {
  const { navigator }: Runtime = globalThis
  return navigator?.locks
}

const byAge = ([at, writer, number]: Key, [otherAt, otherWriter, otherNumber]: Key): number =>
  at - otherAt || (writer < otherWriter ? -1 : writer > otherWriter ? 1 : number - otherNumber)

const isPlace = (place: SpoolPlace): place is Place => 'key' in place

/** A page is told of each promise that fails with nobody waiting for it. Whoever has to know hears it elsewhere. */
const unheard = (promise: Promise<unknown>): void => {
  promise.catch(() => undefined)
}

const openStore = (name: string, settings: SpoolSettings, host: SpoolHost): SpoolStore => {
  const { maxBytes, maxAge, clock } = settings
  // Not crypto.randomUUID, which pages that are not secure lack.
  const me = randomIds.trace()
  const lockOf = (owner: string): string => `respan-rx/${name}/${owner}`
  /** In the order of their age. */
  const own = new Set<Place>()
  let bytes = 0
  let number = 0
  let database: IDBPDatabase<Database> | undefined
  let closed = false
  let release: () => void = () => undefined
  let opening: Promise<IDBPDatabase<Database>> | undefined
  const copies = lastCopies(lockOf(''))
  const locked = holdLock(lockOf(me)).then((letGo) => {
    release = letGo
  })

  /** The browser has closed it by itself: its data were cleared, say. It is opened again when it is needed. */
  const lose = (): void => {
    database = undefined
    opening = undefined
    if (!closed) setTimeout(host.stir, AGAIN)
  }

  const connect = async (): Promise<IDBPDatabase<Database>> => {
    await locked
    database = await openDatabase(name, lose)
    return database
  }

  const opened = (): Promise<IDBPDatabase<Database>> => {
    if (opening !== undefined) return opening
    opening = connect()
    opening.catch(() =>
      setTimeout(() => {
        opening = undefined
      }, AGAIN),
    )
    return opening
  }

  // Whoever needs it is told when it fails.
  unheard(opened())

  /** At once when the database is open: a page that goes away has no later. */
  const run = async (work: (open: IDBPDatabase<Database>) => Promise<unknown>): Promise<void> => {
    if (database === undefined) await opened().then(work)
    else await work(database)
  }

  const remove = (places: ReadonlyArray<SpoolPlace>): void => {
    const gone = places.filter(isPlace).filter((place) => own.delete(place))
    if (gone.length === 0) return
    for (const place of gone) bytes -= place.bytes
    run(async (open) => {
      const transaction = begin(open)
      for (const { key } of gone) {
        unheard(transaction.objectStore('spans').delete(key))
        unheard(transaction.objectStore('places').delete(key))
      }
      await transaction.done
      // They may be sent once more.
    }).catch((thrown: unknown) => host.failed([], thrown))
  }

  const begin = (open: IDBPDatabase<Database>) => {
    const transaction = open.transaction(STORES, 'readwrite', { durability: 'relaxed' })
    unheard(transaction.done)
    return transaction
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

  /** Gives up the oldest ones, an eighth of the room at a time. */
  const makeRoom = (more: number): void => {
    evictOld()
    if (bytes + more <= maxBytes) return
    let freed = 0
    const oldest = [...own].filter((place) => {
      const isNeeded = bytes + more - freed > (maxBytes * 7) / 8
      if (isNeeded) freed += place.bytes
      return isNeeded
    })
    evict(oldest, spoolLoss.noRoom)
  }

  const living = async (): Promise<(owner: string, lastAt: number) => boolean> => {
    const locks = locksOf()
    if (locks === undefined) return (_, lastAt) => lastAt > clock.now() - SILENCE
    const { held = [] } = await locks.query()
    const names = new Set(held.map((lock) => lock.name))
    return (owner) => names.has(lockOf(owner))
  }

  /** Takes over everything that is nobody's any more. */
  const adopt = async (): Promise<ReadonlyArray<SpoolPlace>> => {
    const open = await opened()
    // What is in localStorage is in no transaction: one page at a time.
    const locks = copies.hasAny() ? locksOf() : undefined
    return locks === undefined ? adoptFrom(open) : locks.request(lockOf('adopting'), () => adoptFrom(open))
  }

  const adoptFrom = async (open: IDBPDatabase<Database>): Promise<ReadonlyArray<SpoolPlace>> => {
    // In this order: whoever wrote something by the time that is looked at held a lock before.
    const written = await looking(open, 'places').getAllKeys()
    const leftBehind = copies.leftBehind()
    if (written.length + leftBehind.length === 0) return []
    const lives = await living()
    const copyOf = new Map(
      leftBehind.flatMap(({ owner, saved }) => saved.map((span) => [String(span.key), { ...span, owner }])),
    )
    const all = [...written, ...[...copyOf.values()].map(({ key }) => key)]
    const keys = [...new Map(all.map((key) => [String(key), key])).values()].sort(byAge)
    const tooOld = clock.now() - maxAge
    const transaction = begin(open)
    const adopted: Array<Place> = []
    const lost: Array<Place> = []
    const store = transaction.objectStore('places')
    const found = await Promise.all(
      keys.map(async (key) => {
        const place = await store.get(key)
        const copy = copyOf.get(String(key))
        if (place !== undefined || copy === undefined) return { key, place, text: undefined }
        const { owner, traceId, text } = copy
        return { key, place: { owner, traceId, bytes: text.length }, text }
      }),
    )
    const last = new Map<string, number>()
    for (const { key, place } of found) if (place !== undefined) last.set(place.owner, key[0])
    const isTaken = (owner: string): boolean => owner === me || lives(owner, last.get(owner) ?? 0)
    for (const { key, place, text } of found) {
      if (place === undefined || isTaken(place.owner)) continue
      const mine: Place = { key, traceId: place.traceId, bytes: place.bytes }
      if (key[0] < tooOld) {
        lost.push(mine)
        unheard(store.delete(key))
        unheard(transaction.objectStore('spans').delete(key))
      } else {
        adopted.push(mine)
        unheard(store.put({ ...place, owner: me }, key))
        if (text !== undefined) unheard(transaction.objectStore('spans').put(text, key))
      }
    }
    await transaction.done
    for (const { owner, forget } of leftBehind) if (!isTaken(owner)) forget()
    if (lost.length > 0) host.lost(lost.length, spoolLoss.tooOld)
    const before = [...own]
    own.clear()
    for (const place of [...adopted, ...before]) own.add(place)
    for (const place of adopted) bytes += place.bytes
    return adopted
  }

  const timer = setInterval(() => {
    evictOld()
    host.stir()
  }, LOOK)

  return {
    write: (records, leaving = false) => {
      const { piece, bytes: more } = spoolPiece(records, maxBytes, maxBytes / 8, ({ length }) => length)
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
      const forget = leaving ? copies.keep(me, saved) : () => undefined
      run(async (open) => {
        const transaction = begin(open)
        for (const { key, traceId, text } of saved) {
          unheard(transaction.objectStore('spans').put(text, key))
          unheard(transaction.objectStore('places').put({ owner: me, traceId, bytes: text.length }, key))
        }
        // Not when the requests are answered, which may be too late for a page that goes away.
        transaction.commit()
        await transaction.done
        forget()
      }).catch((thrown: unknown) => {
        for (const place of places) if (own.delete(place)) bytes -= place.bytes
        host.failed(places, thrown)
      })
      return places
    },
    read: (places) =>
      from(
        opened().then((open) => {
          const store = looking(open, 'spans')
          return Promise.all(places.map((place) => (isPlace(place) ? store.get(place.key) : undefined)))
        }),
      ),
    remove,
    adopt: () => from(adopt()),
    close: () => {
      if (closed) return
      closed = true
      clearInterval(timer)
      unheard(
        opened()
          // Waits for what is under way.
          .then((open) => open.close())
          .finally(() => release()),
      )
    },
  }
}

/**
 * Keeps spans in the browser's IndexedDB until they are delivered, for `bufferedSink`.
 *
 * - *What does it survive?* Leaving, closing and reloading the page, and the death of the tab: the next page of the same
 *   origin delivers. A page that goes away sends what fits into a request that outlives it, at most 60 KB, and writes
 *   down the rest: to localStorage, too, because a browser may undo what begins to be written to IndexedDB in the moment
 *   in which a page is left (Chromium 156, one time in ten on a busy machine). IndexedDB can't be written in the same
 *   tick, so when a tab dies even `always` may lose the last few milliseconds.
 * - *What if several pages are open?* Each has its own spans, and a Web Lock that says that it lives; whoever comes
 *   later takes over what the dead ones left, once. Pages that are not secure have no Web Locks: there, whoever wrote
 *   nothing for an hour is dead.
 * - *How much does it hold?* `maxBytes` and `maxAge`; beyond, the oldest spans are given up, with the rest of their
 *   traces, counted as dropped and reported.
 *
 * Nothing happens before a sink's first span or flush. Where there is no IndexedDB the sink says so, and goes on as if
 * it had no spool.
 *
 * @throws InvalidInput when an option is wrong
 */
export const indexedDbSpool = (options: IndexedDbSpoolOptions = {}): Spool => {
  checked('indexedDbSpool', Options, options)
  const { name = 'respan-rx' } = options
  const settings = spoolSettings(options, 16 * 2 ** 20)
  return {
    name: `indexedDbSpool (${name})`,
    strength: settings.strength,
    open: (host) => {
      if (typeof indexedDB === 'undefined') throw new Error('There is no IndexedDB here.')
      return openStore(name, settings, host)
    },
  }
}
