import type { Fields } from './Fields.js'
import { pickedBy } from './pickedBy.js'

/** Drops the fields that are `undefined`: they are not sent, so they must not override those of a lower layer. */
export const defined = (fields: Fields): Fields => pickedBy(fields, isDefined)

const isDefined = (value: unknown): boolean => value !== undefined
