import { fieldOf } from '../util/fieldOf.js'
import { hasMethods } from '../util/hasMethods.js'

/** Whether a value is an io-ts decoder. Zod's schemas have these methods too, which return no `Either`, but no name. */
export const isCodec = (value: unknown): boolean =>
  hasMethods(value, 'decode', 'validate') && typeof fieldOf(Object(value), 'name') === 'string'
