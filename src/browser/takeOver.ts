import { ignoreRejection } from './ignoreRejection.js'
import type { LastCopies } from './lastCopies.js'
import type { Lives } from './pageLocks.js'
import { type Key, type Place, readStore, type SpanDatabase, writeTransaction } from './SpanDatabase.js'

/** The spans that were taken over. */
export interface TakenOver {
  /** In order of age. */
  readonly adopted: ReadonlyArray<Place>
  /** How many spans were too old, and were deleted. */
  readonly tooOld: number
}

/** The page that takes spans over. */
export interface Heir {
  readonly owner: string
  readonly copies: Pick<LastCopies, 'leftBehind'>
  readonly living: () => Promise<Lives>
  /** Spans written before this time are too old, ms. */
  readonly since: number
}

/** Keys begin with the time. */
const byAge = (one: Key, other: Key): number => indexedDB.cmp(one, other)

/** Gives the heir every span whose owner is no longer alive, from the database and from the copies beside it. */
export const takeOver = async (
  open: SpanDatabase,
  { owner: me, copies, living, since }: Heir,
): Promise<TakenOver> => {
  // Read before asking for locks: a page takes its lock before it writes, so a living owner of these spans will have one.
  const store = readStore(open, 'places')
  const [written, owned] = await Promise.all([store.getAllKeys(), store.getAll()])
  const leftBehind = copies.leftBehind()
  if (written.length + leftBehind.length === 0) return { adopted: [], tooOld: 0 }
  // An owner that is not among these has come since, and the answer about locks may be from before.
  const known = new Set([...owned, ...leftBehind].map(({ owner }) => owner))
  const lives = await living()
  const copyOf = new Map(
    leftBehind.flatMap(({ owner, saved }) => saved.map((span) => [String(span.key), { ...span, owner }])),
  )
  const all = [...written, ...[...copyOf.values()].map(({ key }) => key)]
  const keys = [...new Map(all.map((key) => [String(key), key])).values()].sort(byAge)
  const transaction = writeTransaction(open)
  const spans = transaction.objectStore('spans')
  const places = transaction.objectStore('places')
  const found = await Promise.all(
    keys.map(async (key) => {
      const place = await places.get(key)
      const copy = copyOf.get(String(key))
      if (place !== undefined || copy === undefined) return { key, place, text: undefined }
      const { owner, traceId, text } = copy
      return { key, place: { owner, traceId, bytes: text.length }, text }
    }),
  )
  const last = new Map<string, number>()
  for (const { key, place } of found) if (place !== undefined) last.set(place.owner, key[0])
  const isTaken = (owner: string): boolean =>
    owner === me || !known.has(owner) || lives(owner, last.get(owner) ?? 0)
  const adopted: Array<Place> = []
  let tooOld = 0
  for (const { key, place, text } of found) {
    if (place === undefined || isTaken(place.owner)) continue
    if (key[0] < since) {
      tooOld++
      ignoreRejection(places.delete(key))
      ignoreRejection(spans.delete(key))
    } else {
      adopted.push({ key, traceId: place.traceId, bytes: place.bytes })
      ignoreRejection(places.put({ ...place, owner: me }, key))
      if (text !== undefined) ignoreRejection(spans.put(text, key))
    }
  }
  await transaction.done
  for (const { owner, forget } of leftBehind) if (!isTaken(owner)) forget()
  return { adopted, tooOld }
}
