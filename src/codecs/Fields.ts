import * as t from 'io-ts'

/**
 * Any JSON object: string keys, values of any kind. What the platform documents only as "object" has this type.
 * An array is not one.
 */
export const Fields: t.Type<Fields> = new t.Type(
  'object',
  t.UnknownRecord.is,
  t.UnknownRecord.validate,
  t.identity,
)

/** Any JSON object. */
export type Fields = Readonly<Record<string, unknown>>
