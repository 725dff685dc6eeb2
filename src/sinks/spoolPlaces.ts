import { type BatchLimits, type Entry, exceeds } from './outbox.js'
import type { SpoolPlace } from './Spool.js'

/** A span that is only on the disk. */
export interface Spooled {
  readonly place: SpoolPlace
  readonly number: number
}

/** Where a sink's spans are on the disk: as copies of spans in memory, or only there. No place is both. */
export interface SpoolPlaces {
  readonly hasCopy: (entry: Entry) => boolean
  readonly addCopy: (entry: Entry, place: SpoolPlace) => void
  /** Forgets the copy of a span; returns its place, if there is a copy. */
  readonly takeCopy: (entry: Entry) => SpoolPlace | undefined
  /** Number of spans that are only on the disk. */
  readonly size: () => number
  /** The places of spans that are only on the disk. */
  readonly spooled: () => ReadonlyArray<SpoolPlace>
  /** Adds a span that is only on the disk. */
  readonly add: (place: SpoolPlace, number: number) => void
  /** Forgets a span that is only on the disk; returns whether it was known. */
  readonly delete: (place: SpoolPlace) => boolean
  /** The spans that are only on the disk and have the lowest numbers, as many as a batch takes. */
  readonly oldest: (limits: BatchLimits) => ReadonlyArray<Spooled>
  /** Forgets places of both kinds; returns the spans that were only on the disk. */
  readonly deleteAll: (gone: ReadonlyArray<SpoolPlace>) => ReadonlyArray<Spooled>
}

/** Makes places of which none is known yet. */
export const spoolPlaces = (): SpoolPlaces => {
  const placeOf = new WeakMap<Entry, SpoolPlace>()
  const copies = new Set<SpoolPlace>()
  /** In order of number, once it is `sorted`. */
  let spooled = new Map<SpoolPlace, number>()
  let sorted = true
  /** The highest number added so far. */
  let newest = Number.NEGATIVE_INFINITY

  const copyOf = (entry: Entry): SpoolPlace | undefined => {
    const place = placeOf.get(entry)
    return place !== undefined && copies.has(place) ? place : undefined
  }

  const sort = (): void => {
    if (sorted) return
    spooled = new Map([...spooled].sort(([, one], [, other]) => one - other))
    sorted = true
  }

  return {
    hasCopy: (entry) => copyOf(entry) !== undefined,
    addCopy: (entry, place) => {
      placeOf.set(entry, place)
      copies.add(place)
    },
    takeCopy: (entry) => {
      const place = copyOf(entry)
      if (place !== undefined) copies.delete(place)
      return place
    },
    size: () => spooled.size,
    spooled: () => [...spooled.keys()],
    add: (place, number) => {
      sorted &&= number >= newest
      newest = Math.max(newest, number)
      spooled.set(place, number)
    },
    delete: (place) => spooled.delete(place),
    oldest: (limits) => {
      sort()
      const oldest: Array<Spooled> = []
      let bytes = 0
      for (const [place, number] of spooled) {
        bytes += place.bytes
        if (exceeds(limits, oldest.length, bytes)) break
        oldest.push({ place, number })
      }
      return oldest
    },
    deleteAll: (gone) =>
      gone.flatMap((place) => {
        copies.delete(place)
        const number = spooled.get(place)
        spooled.delete(place)
        return number === undefined ? [] : [{ place, number }]
      }),
  }
}
