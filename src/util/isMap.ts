import { tagOf } from './tagOf.js'

/** Whether an object is a map of any realm. */
export const isMap = (value: object): value is ReadonlyMap<unknown, unknown> =>
  value instanceof Map || (Symbol.iterator in value && tagOf(value) === 'Map')
