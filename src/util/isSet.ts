import { tagOf } from './tagOf.js'

/** Whether an object is a set of any realm. */
export const isSet = (value: object): value is ReadonlySet<unknown> =>
  value instanceof Set || (Symbol.iterator in value && tagOf(value) === 'Set')
