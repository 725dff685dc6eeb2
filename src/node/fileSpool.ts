import { mkdirSync, renameSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as t from 'io-ts'
import { of, type TimestampProvider } from 'rxjs'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import { refuse } from '../codecs/refuse.js'
import type { Spool, SpoolHost, SpoolPlace, SpoolStore, SpoolStrength } from '../sinks/Spool.js'
import { spoolLoss } from '../sinks/spoolLoss.js'
import { spoolPiece } from '../sinks/spoolPiece.js'
import { type SpoolSettings, spoolOptions, spoolSettings } from '../sinks/spoolSettings.js'
import { guarded } from '../tracing/guarded.js'
import { grouped } from '../util/grouped.js'
import { tried } from '../util/tried.js'
import { HEARTBEAT, makeOwner, type Owner } from './Owner.js'
import { createSegment, openSegment, type Segment, type SegmentPlace } from './Segment.js'
import { begunAt, leftBehind, type SegmentFile, segmentBytesIn, segmentName } from './segmentFiles.js'

/** How a folder keeps spans. */
export interface FileSpoolOptions {
  /** When spans are written. Default `on-failure`. */
  readonly strength?: SpoolStrength
  /**
   * Maximum size of the folder in bytes, for all processes together, give or take one segment (an eighth of it, at most
   * 4 MiB) per process. Default 64 MiB; at least 64 KiB.
   */
  readonly maxBytes?: number
  /** How long a span is kept at most, ms, give or take an eighth of it and 5 s. Default one week. */
  readonly maxAge?: number
  /** Measures the age of spans. Default `Date`. */
  readonly clock?: TimestampProvider
}

const Options = closed(t.partial(spoolOptions, 'FileSpoolOptions'))

/** Up to this size, in bytes, a segment whose spans are all removed is used again. */
const REUSED = 262_144

/** Number of spans from which no further file is taken over for now: as many as a request holds by default. */
const ENOUGH = 100

/** Identifies a folder, so that one made anew in its place can be told apart. */
const identityOf = (directory: string): number | undefined => tried(() => statSync(directory).ino)

/** The size of a span in a segment: its text, with some room for the rest of the line. */
const lineBytes = (text: string): number => Buffer.byteLength(text) + 64

const isPlace = (place: SpoolPlace): place is SegmentPlace => 'segment' in place && 'offset' in place

/** Opens the part of a folder that belongs to one owner. */
const openStore = (directory: string, settings: SpoolSettings, host: SpoolHost): SpoolStore => {
  const { maxBytes, maxAge, clock } = settings
  const segmentBytes = Math.min(4 * 2 ** 20, Math.floor(maxBytes / 8))
  let home: number | undefined
  const enter = (): Owner => {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const entered = makeOwner(directory)
    home = identityOf(directory)
    return entered
  }
  let owner = enter()
  let begun = 0
  const segments = new Set<Segment>()
  let active: Segment | undefined

  const nameOf = (since: string): string => join(directory, segmentName(since, begun++, owner.id))

  const discard = (segment: Segment): void => {
    segments.delete(segment)
    if (segment === active) active = undefined
    segment.discard()
  }

  /** Reports a failure that by itself loses none of this sink's spans. */
  const report = (thrown: unknown): void => host.failed([], thrown)

  /** Starts over with a new owner: another one took this process for dead, or the folder was removed. */
  const startOver = (): void => {
    const isAnother = identityOf(directory) !== home
    const byLoss = grouped(segments, (segment) => isAnother && segment.isRemoved())
    const placesIn = (isLost: boolean): ReadonlyArray<SegmentPlace> =>
      byLoss.get(isLost)?.flatMap((segment) => segment.places()) ?? []
    for (const segment of segments) segment.close()
    segments.clear()
    active = undefined
    owner.leave()
    try {
      owner = enter()
    } finally {
      // Even if that failed, these spans belong to another owner, or are gone.
      host.ceded(placesIn(false))
      host.evicted(placesIn(true), spoolLoss.removed)
    }
  }

  // ── taking over

  /** Takes over the file of a dead owner; `undefined` if another process was faster, or if the file can't be read. */
  const takeOver = ({ name, begun }: SegmentFile): Segment | undefined => {
    const path = nameOf(begun)
    try {
      renameSync(join(directory, name), path)
    } catch {
      return undefined
    }
    // A file that can't be read must not keep the others from being found.
    return guarded(report, () => {
      const { segment, damaged } = openSegment(path)
      segments.add(segment)
      if (damaged > 0) host.lost(damaged, spoolLoss.damaged)
      return segment
    })
  }

  const stayAlive = (): void => {
    if (!owner.beat()) startOver()
  }

  /** Deletes a file that was taken over: its spans can't be kept. */
  const giveUp = (segment: Segment, why: string): void => {
    const { length } = segment.places()
    discard(segment)
    if (length > 0) host.lost(length, why)
  }

  const isOld = (segment: Segment): boolean => segment.written().last < clock.now() - maxAge

  /** Files of dead owners that were found but not opened yet; another process may take them over first. */
  let known: Array<SegmentFile> = []

  /** Takes over known files, until there are enough spans for a request. */
  const takeKnown = (): ReadonlyArray<SpoolPlace> => {
    const taken: Array<SpoolPlace> = []
    let bytes = 0
    while (taken.length < ENOUGH && bytes < segmentBytes) {
      const leftover = known.shift()
      if (leftover === undefined) break
      const segment = takeOver(leftover)
      if (segment === undefined) continue
      const places = segment.places()
      if (places.length === 0 || isOld(segment)) giveUp(segment, spoolLoss.tooOld)
      else {
        for (const place of places) taken.push(place)
        bytes += segment.size()
      }
    }
    return taken
  }

  /** Reads the folder only when no file is known any more: reading it for each file would take quadratic time. */
  const adopt = (): ReadonlyArray<SpoolPlace> => {
    stayAlive()
    const taken = takeKnown()
    if (taken.length > 0) return taken
    known = [...leftBehind(directory, owner)]
    return takeKnown()
  }

  // ── bounds

  const evict = (segment: Segment, why: string): void => {
    const places = segment.places()
    discard(segment)
    host.evicted(places, why)
  }

  const evictOld = (): void => {
    for (const segment of [...segments]) if (isOld(segment)) evict(segment, spoolLoss.tooOld)
  }

  /** Evicts whole segments, the oldest first, until there is room for so many bytes more. */
  const makeRoom = (bytes: number): void => {
    evictOld()
    const hasRoom = (): boolean => segmentBytesIn(directory) + bytes <= maxBytes
    if (hasRoom()) return
    stayAlive()
    for (const leftover of leftBehind(directory, owner)) {
      const segment = takeOver(leftover)
      if (segment !== undefined) giveUp(segment, spoolLoss.noRoom)
      if (hasRoom()) return
    }
    const others = segmentBytesIn(directory) - [...segments].reduce((sum, segment) => sum + segment.size(), 0)
    if (others + bytes > maxBytes)
      throw new Error(`The spool is full: other processes use ${others} of its ${maxBytes} bytes.`)
    // In order of age: names begin with the time.
    for (const segment of [...segments].sort((one, other) => (one.path < other.path ? -1 : 1))) {
      evict(segment, spoolLoss.noRoom)
      if (hasRoom()) return
    }
  }

  // ── writing

  const isFull = (segment: Segment, bytes: number): boolean =>
    segment.size() + bytes > segmentBytes || segment.written().first < clock.now() - maxAge / 8

  const forWriting = (bytes: number): Segment => {
    if (!owner.isSure() || active?.isThere() === false) startOver()
    if (active !== undefined && !isFull(active, bytes)) return active
    if (active?.places().length === 0) discard(active)
    active = undefined
    // One span may be larger than a segment.
    makeRoom(Math.max(bytes, segmentBytes))
    active = createSegment(nameOf(begunAt(clock.now())))
    segments.add(active)
    return active
  }

  const beat = (): void => {
    stayAlive()
    evictOld()
    host.wake()
  }

  const timer = setInterval(() => guarded(report, beat), HEARTBEAT)
  timer.unref()

  const settle = (segment: Segment, group: ReadonlyArray<SegmentPlace>): void => {
    try {
      const isEmpty = segment.remove(group)
      if (isEmpty && (segment !== active || segment.size() > REUSED)) discard(segment)
    } catch (thrown) {
      if (segment.places().length > 0) throw thrown
      // A full disk has no room for the line that marks spans as removed. An empty segment needs none: it can go.
      discard(segment)
    }
  }

  return {
    write: (records) => {
      const { piece, bytes } = spoolPiece(records, { maxBytes, pieceBytes: segmentBytes, bytesOf: lineBytes })
      return forWriting(bytes).append(piece, Math.floor(clock.now()))
    },
    read: (places) =>
      of(
        places.map((place) =>
          isPlace(place) && segments.has(place.segment) ? place.segment.read(place) : undefined,
        ),
      ),
    remove: (places) => {
      // A span that could not be removed may be sent once more.
      for (const [segment, group] of grouped(places.filter(isPlace), (place) => place.segment))
        if (segments.has(segment)) guarded(report, () => settle(segment, group))
    },
    adopt: () => of(adopt()),
    close: () => {
      clearInterval(timer)
      for (const segment of [...segments]) {
        if (segment.places().length === 0) discard(segment)
        else segment.close()
      }
      owner.leave()
    },
  }
}

/**
 * Keeps spans in a folder until they are delivered, for `bufferedSink`.
 *
 * - *What does it contain?* Append-only segments with lines of JSON: spans, as they were redacted and without secrets,
 *   and which of them were delivered. A segment is deleted when all its spans were; one of up to 256 KiB is used again
 *   until the sink is closed. The folder is created with mode 0700, files with mode 0600. Don't share a folder between
 *   sinks with different keys: its spans may be sent with the key of either one.
 * - *What does it survive?* Everything that can happen to a process, including `kill -9`, since the operating system has
 *   every completed write. A power loss may cost the last seconds, because nothing is synced to the disk.
 * - *What if several processes or threads share it?* Each has its own files, and a lock that shows that it is alive. When
 *   it dies, one of the others, or the next one that starts, takes over its files: within seconds if it was a process on
 *   the same machine, otherwise (a thread, another machine or container) after a minute of silence. Nothing is sent
 *   twice, except what a dying process had just sent, and what a silent one still had in memory if it wakes up again.
 * - *What if a file is damaged?* Lines that can't be read, such as a last line that a killed process did not finish, are
 *   skipped, counted as dropped, and reported; the others are delivered.
 * - *How much does it hold?* Up to `maxBytes`, for up to `maxAge`. Beyond that the oldest segments are deleted, with the
 *   rest of the traces in them, counted as dropped and reported; a span that is still in memory loses only its copy.
 *   With `always`, `maxBytes` must be large enough for the spans that may wait in memory.
 *
 * It reads and writes synchronously; `always` takes some 40 µs per span (measured on Node 20). Nothing happens, not even
 * `mkdir`, before a sink's first span or flush.
 *
 * @param directory - path of the folder, which is created if it does not exist
 * @throws InvalidInput if the path or an option is wrong
 */
export const fileSpool = (directory: string, options: FileSpoolOptions = {}): Spool => {
  checked('fileSpool', Options, options)
  if (typeof directory !== 'string' || directory.trim() === '')
    refuse('fileSpool', 'directory', 'the path of a folder', directory)
  const path = resolve(directory)
  const settings = spoolSettings(options, 64 * 2 ** 20)
  return {
    name: `fileSpool (${path})`,
    strength: settings.strength,
    open: (host) => openStore(path, settings, host),
  }
}
