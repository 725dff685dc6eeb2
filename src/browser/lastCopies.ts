import * as t from 'io-ts'
import { isRight } from '#fp/Either'
import { decode } from '../codecs/decode.js'
import { parseJson } from '../http/parseJson.js'
import { tried } from '../util/tried.js'

const Saved = t.readonlyArray(
  t.type({ key: t.tuple([t.number, t.string, t.number]), traceId: t.string, text: t.string }),
)

/** Spans that a page was still writing when it was left, with their keys in the database. */
export type Saved = t.TypeOf<typeof Saved>

/** Copies of spans of one page. */
export interface LeftBehind {
  readonly owner: string
  readonly saved: Saved
  /** Removes the copies. */
  readonly forget: () => void
}

/** Copies of what pages were still writing to the database when they were left. */
export interface LastCopies {
  /** Keeps copies, in this tick, if there is room; returns a function that removes them. */
  readonly keep: (owner: string, saved: Saved) => () => void
  /** Whether there are any copies. */
  readonly hasAny: () => boolean
  /** All copies, including those of pages that are alive. */
  readonly leftBehind: () => ReadonlyArray<LeftBehind>
}

interface Runtime {
  readonly localStorage?: Storage
}

/** Workers have no localStorage, and some pages are not allowed to use it. */
const storageOf = (): Storage | undefined =>
  tried(() => {
    const { localStorage }: Runtime = globalThis
    return localStorage
  })

/**
 * A second place for what a page is writing when it is left. A browser may undo an IndexedDB transaction that isn't done
 * by then (Chromium 156: one in ten on a busy machine), whereas localStorage is written in the same tick.
 *
 * @param prefix - prefix of the keys in localStorage
 */
export const lastCopies = (prefix: string): LastCopies => {
  const storage = storageOf()
  let number = 0
  // Exactly an owner and a number must follow, since the name of another database may begin like this one.
  const isOurs = (name: string): boolean =>
    name.startsWith(prefix) && name.slice(prefix.length).split('/').length === 2
  const names = (): ReadonlyArray<string> =>
    storage === undefined ? [] : Object.keys(storage).filter(isOurs)
  return {
    keep: (owner, saved) => {
      const name = `${prefix}${owner}/${number++}`
      // If there is no room, the database has to suffice.
      tried(() => storage?.setItem(name, JSON.stringify(saved)))
      return () => storage?.removeItem(name)
    },
    hasAny: () => names().length > 0,
    leftBehind: () =>
      names().flatMap((name) => {
        const forget = (): void => storage?.removeItem(name)
        const saved = decode(Saved)(parseJson(storage?.getItem(name) ?? ''))
        const [owner = ''] = name.slice(prefix.length).split('/')
        if (isRight(saved)) return [{ owner, saved: saved.right, forget }]
        // It is damaged, or not ours.
        forget()
        return []
      }),
  }
}
