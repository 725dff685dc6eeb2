import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import * as t from 'io-ts'
import { parseJson } from '../http/parseJson.js'
import type { SpoolPlace, SpoolRecord } from '../sinks/Spool.js'
import { tried } from '../util/tried.js'

/** Where a span is: a part of a line of a segment. */
export interface SegmentPlace extends SpoolPlace {
  readonly segment: Segment
  /** Number of the span within the segment. */
  readonly index: number
  /** Length of the span's own text in the file, without the rest of its line. */
  readonly bytes: number
  /** Where the span's own text begins in the file. */
  readonly offset: number
}

/** An append-only file of spans, and of which of them were removed. */
export interface Segment {
  readonly path: string
  /** In bytes. */
  readonly size: () => number
  /** Whether the file still has its path; another process may have taken it over, or it may have been deleted. */
  readonly isThere: () => boolean
  /** Whether the file was deleted. */
  readonly isRemoved: () => boolean
  /** When its first and its last span were written, ms since the epoch. */
  readonly written: () => { readonly first: number; readonly last: number }
  /** The spans that have not been removed. */
  readonly places: () => ReadonlyArray<SegmentPlace>
  readonly append: (records: ReadonlyArray<SpoolRecord>, at: number) => ReadonlyArray<SegmentPlace>
  readonly read: (place: SegmentPlace) => string | undefined
  /** Removes spans; returns whether none are left. */
  readonly remove: (places: ReadonlyArray<SegmentPlace>) => boolean
  readonly close: () => void
  /** Closes and deletes the file. */
  readonly discard: () => void
}

/** A segment whose lines are being read. */
interface LoadingSegment extends Segment {
  /** Adds a span that the file has. */
  readonly restore: (place: Omit<SegmentPlace, 'segment'>, at: number) => void
  /** Removes the spans of a range, both ends inclusive, that the file marks as removed. */
  readonly forget: (from: number, to: number) => void
}

const StoredLine = t.type({ i: t.number, at: t.number, span: t.type({ traceId: t.string }) }, 'StoredLine')

const DoneLine = t.type({ done: t.array(t.tuple([t.number, t.number])) }, 'DoneLine')

/** The part of a line before the span. */
const headOf = (index: number, at: number): string => `{"i":${index},"at":${at},"span":`
const HEAD = /^\{"i":\d+,"at":\d+,"span":/

const NEWLINE = 10

/** Groups integers into ranges, both ends inclusive. They come in order, or else in more ranges than are needed. */
const ranges = (indices: ReadonlyArray<number>): ReadonlyArray<readonly [number, number]> => {
  const all: Array<[number, number]> = []
  for (const index of indices) {
    const last = all.at(-1)
    if (last !== undefined && last[1] === index - 1) last[1] = index
    else all.push([index, index])
  }
  return all
}

/**
 * Makes a segment over an open file.
 *
 * @param initialTorn - whether the last line may be incomplete
 */
const segment = (path: string, file: number, initialSize = 0, initialTorn = false): LoadingSegment => {
  const live = new Map<number, SegmentPlace>()
  let size = initialSize
  let torn = initialTorn
  let next = 0
  let first = Number.POSITIVE_INFINITY
  let last = 0
  let open = true

  const write = (text: string): number => {
    const bytes = Buffer.from(torn ? `\n${text}` : text)
    const start = size + (torn ? 1 : 0)
    const before = { size, torn }
    torn = true
    try {
      for (let written = 0; written < bytes.length; ) {
        const count = writeSync(file, bytes, written)
        written += count
        size += count
      }
    } catch (thrown) {
      // A disk may even be too full for that.
      if (tried(() => truncate(before.size)) === true) ({ size, torn } = before)
      throw thrown
    }
    torn = false
    return start
  }

  /**
   * Undoes a write. A full disk may have taken a part of it, with spans that count as lost, and the next owner of the
   * file would find them.
   */
  const truncate = (to: number): boolean => {
    // Not if another process has taken the file over and written to it since.
    if (fstatSync(file).size !== size) return false
    ftruncateSync(file, to)
    return true
  }

  const close = (): void => {
    if (!open) return
    open = false
    closeSync(file)
  }

  const self: LoadingSegment = {
    path,
    size: () => size,
    isThere: () => existsSync(path),
    isRemoved: () => fstatSync(file).nlink === 0,
    written: () => ({ first, last }),
    places: () => [...live.values()],
    append: (records, at) => {
      const lines = records.map(({ text }, index) => `${headOf(next + index, at)}${text}}\n`)
      let offset = write(lines.join(''))
      first = Math.min(first, at)
      last = at
      return records.map(({ traceId, text }) => {
        const bytes = Buffer.byteLength(text)
        const start = offset + headOf(next, at).length
        const place = { traceId, bytes, segment: self, index: next++, offset: start }
        live.set(place.index, place)
        offset = start + bytes + '}\n'.length
        return place
      })
    },
    read: ({ offset, bytes: length }) => {
      const bytes = Buffer.allocUnsafe(length)
      return readSync(file, bytes, 0, length, offset) === length ? bytes.toString() : undefined
    },
    remove: (places) => {
      const gone = places.filter(({ index }) => live.delete(index))
      if (open) write(`${JSON.stringify({ done: ranges(gone.map(({ index }) => index)) })}\n`)
      return live.size === 0
    },
    close,
    discard: () => {
      close()
      live.clear()
      // Forced, since another process may have taken the file over.
      rmSync(path, { force: true })
    },
    restore: (place, at) => {
      live.set(place.index, { ...place, segment: self })
      next = Math.max(next, place.index + 1)
      first = Math.min(first, at)
      last = Math.max(last, at)
    },
    forget: (from, to) => {
      // Iterates over the spans, since a range may be of any size in a damaged file.
      if (from === to) live.delete(from)
      else for (const index of live.keys()) if (index >= from && index <= to) live.delete(index)
    },
  }
  return self
}

/** Creates a segment; an existing file is an error. */
export const createSegment = (path: string): Segment => segment(path, openSync(path, 'ax+', 0o600))

// In a folder that other users can write to, a link may lead to any file, and opening a pipe may block forever.
const FOUND = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK

const bytesOf = (file: number): Buffer => {
  try {
    if (fstatSync(file).isFile()) return readFileSync(file)
    throw new Error('A segment is not a regular file.')
  } catch (thrown) {
    closeSync(file)
    throw thrown
  }
}

/**
 * Opens a segment that another owner wrote, and may not have finished.
 *
 * @returns the segment, and the number of its damaged lines
 * @throws errors of the file system, and an error if it is not a regular file
 */
export const openSegment = (path: string): { readonly segment: Segment; readonly damaged: number } => {
  const file = openSync(path, FOUND)
  const bytes = bytesOf(file)
  const opened = segment(path, file, bytes.length, bytes.length > 0 && bytes.at(-1) !== NEWLINE)
  let damaged = 0
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline
    const line = bytes.toString('utf8', start, end)
    const value = parseJson(line)
    const head = HEAD.exec(line)?.[0].length
    if (DoneLine.is(value)) for (const [from, to] of value.done) opened.forget(from, to)
    else if (head !== undefined && StoredLine.is(value)) {
      const { i: index, at, span } = value
      const place = { traceId: span.traceId, bytes: end - start - head - 1, index, offset: start + head }
      opened.restore(place, at)
    } else if (end > start) damaged++
    start = end + 1
  }
  return { segment: opened, damaged }
}
