import * as t from 'io-ts'
import { guard } from './wire.js'

/**
 * Any JSON object: string keys, values of any kind. What the platform documents only as "object" has this type.
 * An array is not one.
 */
export const Fields: t.Type<Fields> = guard('object', t.UnknownRecord.is)

/** Any JSON object. */
export type Fields = Readonly<Record<string, unknown>>
