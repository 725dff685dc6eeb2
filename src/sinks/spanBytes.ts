import { memoizeWeak } from '../codecs/memoizeWeak.js'
import type { FinishedSpan } from '../tracing/foldSpans.js'

/** Names, ids, times and punctuation of a span's JSON. */
const FRAME = 700

/** Values that are looked at in one span; what is beyond is not counted. */
const MAX_VALUES = 2_000

/** A user's attributes may hold anything, cycles included. */
const sizeOf = (root: unknown): number => {
  const values: Array<unknown> = [root]
  let size = 0
  for (let seen = 0; seen < values.length && seen < MAX_VALUES; seen++) {
    const value = values[seen]
    if (typeof value === 'string') size += value.length + 3
    else if (typeof value !== 'object' || value === null) size += 8
    else
      for (const [key, item] of Object.entries(value)) {
        size += key.length + 4
        values.push(item)
      }
  }
  return size
}

const sizeOfShared = memoizeWeak<object, number>(sizeOf)

/**
 * Estimates the bytes that a span takes in memory and in a request: its texts at one byte for each UTF-16 code unit,
 * which is right for English, and a third of the truth at worst. Exact sizes would cost as much as sending.
 */
export const spanBytes = ({ start, end }: FinishedSpan): number => {
  const { generation, error } = end
  let size = FRAME + start.name.length + start.path.length + (start.input ?? end.input ?? '').length
  size += end.output?.length ?? 0
  if (error !== undefined) size += (error.message?.length ?? 0) + (error.stack?.length ?? 0)
  if (start.attributes !== undefined) size += sizeOfShared(start.attributes)
  if (generation?.request !== undefined) size += sizeOf(generation.request)
  return size
}
