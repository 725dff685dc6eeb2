import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { SpoolPlace } from '../sinks/Spool.js'
import { ignoreRejection } from './ignoreRejection.js'

/** When a span was written, by which page, and its number there: keys sort by age. */
export type Key = [at: number, writer: string, number: number]

/** Where a span is in the database. */
export interface Place extends SpoolPlace {
  readonly key: Key
}

interface Schema extends DBSchema {
  /** The spans, as text. */
  readonly spans: { readonly key: Key; readonly value: string }
  /** What is known about each span without reading it; `owner` is the page that it belongs to now. */
  readonly places: {
    readonly key: Key
    readonly value: { readonly owner: string; readonly traceId: string; readonly bytes: number }
  }
}

/** The open database. */
export type SpanDatabase = IDBPDatabase<Schema>

const STORES = ['spans', 'places'] as const

/**
 * Opens the database of this name.
 *
 * @param terminated - called when the database is closed, by the browser or because someone wants to delete it
 */
export const openDatabase = (name: string, terminated: () => void): Promise<SpanDatabase> =>
  openDB<Schema>(name, 1, {
    upgrade: (database) => {
      for (const store of STORES) database.createObjectStore(store)
    },
    terminated,
    // A deletion waits until every page has closed the database.
    blocking: (_current, _blocked, { target }) => {
      if (target instanceof IDBDatabase) target.close()
      terminated()
    },
  })

/** Opens one of its stores for reading. */
export const readStore = <Name extends (typeof STORES)[number]>(open: SpanDatabase, name: Name) => {
  const { store, done } = open.transaction(name)
  ignoreRejection(done)
  return store
}

/** Begins a transaction that writes to both stores. */
export const writeTransaction = (open: SpanDatabase) => {
  const transaction = open.transaction(STORES, 'readwrite', { durability: 'relaxed' })
  ignoreRejection(transaction.done)
  return transaction
}
