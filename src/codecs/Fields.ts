import * as t from 'io-ts'

/**
 * Any JSON object: string keys, values of any kind. The type of everything that the platform documents only as
 * "object". Arrays are not included.
 */
export const Fields: t.Type<Fields> = new t.Type(
  'object',
  t.UnknownRecord.is,
  t.UnknownRecord.validate,
  t.identity,
)

/** Any JSON object. */
export type Fields = Readonly<Record<string, unknown>>
