import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { tried } from '../util/tried.js'
import { declareDead, locks, type Owner } from './Owner.js'

/** The name of a segment in a folder, and its parts. */
export interface SegmentFile {
  readonly name: string
  /** When it was begun, as `begunAt` writes it. */
  readonly begun: string
  /** Id of its owner. */
  readonly owner: string
}

const NAME = /^([0-9a-z]{9})-([0-9a-z]+)\.([0-9a-f]{8}-\d+-\d+-[0-9a-f]{12})\.ndjson$/

/**
 * Names a segment, so that sorting the names sorts the segments by age.
 *
 * @param number - distinguishes it from others of the same owner
 */
export const segmentName = (begun: string, number: number, owner: string): string =>
  `${begun}-${number.toString(36)}.${owner}.ndjson`

/** Formats a time in ms for `segmentName`. */
export const begunAt = (ms: number): string => Math.floor(ms).toString(36).padStart(9, '0')

/** The segments in a folder, the oldest first. */
export const segmentFiles = (directory: string): ReadonlyArray<SegmentFile> =>
  readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const [, begun, , owner] = NAME.exec(name) ?? []
      return begun === undefined || owner === undefined ? [] : [{ name, begun, owner }]
    })

/** The total size of the segments in a folder, in bytes. */
export const segmentBytesIn = (directory: string): number =>
  segmentFiles(directory).reduce((sum, { name }) => {
    // Its owner may have deleted it in the meantime.
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
