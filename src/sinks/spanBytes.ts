import type { FinishedSpan } from '../tracing/foldSpans.js'
import { memoizeWeak } from '../util/memoizeWeak.js'

/** Bytes of the names, ids, times and punctuation in a span's JSON. */
const FRAME = 700

/** Number of nested values that are counted. Bounded, since a user's attributes may hold anything, cycles included. */
const MAX_VALUES = 2_000

/** Estimates the bytes of any value as JSON. */
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
 * Estimates the bytes that a span takes in memory and in a request. Strings count one byte for each UTF-16 code unit,
 * which is right for English, and a third of the real size at worst. Exact sizes would cost as much as sending.
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
