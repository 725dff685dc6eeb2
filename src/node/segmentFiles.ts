import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { tried } from '../codecs/tried.js'
import { declareDead, locks, type Owner } from './owner.js'

/** A segment in a folder, as far as its name tells. */
export interface SegmentFile {
  readonly name: string
  /** When it was begun. */
  readonly begun: string
  /** Whose it is. */
  readonly owner: string
}

const NAME = /^([0-9a-z]{9})-([0-9a-z]+)\.([0-9a-f]{8}-\d+-\d+-[0-9a-f]{12})\.ndjson$/

/**
 * Names a segment, so that names are in the order of when they were begun.
 *
 * @param number - tells it from others of the same owner
 */
export const segmentName = (begun: string, number: number, owner: string): string =>
  `${begun}-${number.toString(36)}.${owner}.ndjson`

/** A time as `segmentName` takes it, ms. */
export const begunAt = (ms: number): string => Math.floor(ms).toString(36).padStart(9, '0')

/** The segments in a folder, the oldest first. */
export const segmentFiles = (directory: string): ReadonlyArray<SegmentFile> =>
  readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const [, begun, , owner] = NAME.exec(name) ?? []
      return begun === undefined || owner === undefined ? [] : [{ name, begun, owner }]
    })

/** The bytes of all segments in a folder. */
export const segmentBytesIn = (directory: string): number =>
  segmentFiles(directory).reduce((sum, { name }) => {
    // Somebody may have been done with it in the meantime.
    const bytes = tried(() => statSync(join(directory, name)).size) ?? 0
    return sum + bytes
  }, 0)

/** The segments of owners that are dead, the oldest first. */
export const leftBehind = (directory: string, owner: Owner): ReadonlyArray<SegmentFile> => {
  const files = segmentFiles(directory)
  const owners = new Set([...locks(directory), ...files.map((file) => file.owner)])
  const dead = new Set([...owners].filter((id) => declareDead(directory, id, owner)))
  return files.filter((file) => dead.has(file.owner))
}
