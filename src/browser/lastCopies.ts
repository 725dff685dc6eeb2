import * as t from 'io-ts'
import { isRight } from '#fp/Either'
import { decode } from '../codecs/decode.js'
import { tried } from '../codecs/tried.js'
import { parseJson } from '../http/parseJson.js'

const Saved = t.readonlyArray(
  t.type({ key: t.tuple([t.number, t.string, t.number]), traceId: t.string, text: t.string }),
)

/** Spans that a page was writing when it was left, with their keys in the database. */
export type Saved = t.TypeOf<typeof Saved>

/** Spans of one page, and how to strike them out. */
export interface LeftBehind {
  readonly owner: string
  readonly saved: Saved
  readonly forget: () => void
}

/** Copies of what pages were writing to the database when they were left. */
export interface LastCopies {
  /** Keeps spans, in this tick, as far as there is room; returns how to strike them out. */
  readonly keep: (owner: string, saved: Saved) => () => void
  /** Whether there are any. */
  readonly hasAny: () => boolean
  /** All of them, those of pages that live included. */
  readonly leftBehind: () => ReadonlyArray<LeftBehind>
}

interface Runtime {
  readonly localStorage?: Storage
}

/** Workers have none, and some pages are not allowed theirs. */
const storageOf = (): Storage | undefined =>
  tried(() => {
    const { localStorage }: Runtime = globalThis
    return localStorage
  })

/**
 * A second place for what a page writes while it is being left: a browser may undo a transaction of IndexedDB that
 * is not done by then (Chromium 156: one in ten on a busy machine), while localStorage is written in the same tick.
 *
 * @param prefix - of its keys in localStorage
 */
export const lastCopies = (prefix: string): LastCopies => {
  const storage = storageOf()
  let number = 0
  // An owner and a number, no more: the name of another database may begin like this one.
  const isOurs = (name: string): boolean =>
    name.startsWith(prefix) && name.slice(prefix.length).split('/').length === 2
  const names = (): ReadonlyArray<string> =>
    storage === undefined ? [] : Object.keys(storage).filter(isOurs)
  return {
    keep: (owner, saved) => {
      const name = `${prefix}${owner}/${number++}`
      // Where there is no more room, the database has to do.
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
        // Nobody of ours wrote that.
        forget()
        return []
      }),
  }
}
