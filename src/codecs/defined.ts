import type { Fields } from './Fields.js'
import { pickedBy } from './pickedBy.js'

/** Without the fields that are `undefined`: they are not sent, so they must not hide what lies beneath. */
export const defined = (fields: Fields): Fields => pickedBy(fields, isDefined)

const isDefined = (value: unknown): boolean => value !== undefined
