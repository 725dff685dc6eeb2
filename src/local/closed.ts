import * as t from 'io-ts'
import { left } from '#fp/Either'

/**
 * A codec of options that refuses what it does not name. Elsewhere unknown fields are passed on; an option that is
 * misspelt would be passed over, and what was asked for would not happen.
 */
export const closed = <P extends t.Props>(codec: t.PartialC<P>): t.PartialC<P> => {
  const known = Object.keys(codec.props)
  const field = new t.Type<never>(
    `one of the fields ${known.join(', ')}`,
    (_): _ is never => false,
    t.failure,
    t.identity,
  )
  const unknownIn = (value: object): ReadonlyArray<readonly [string, unknown]> =>
    Object.entries(value).filter(([key]) => !known.includes(key))
  return new t.PartialType(
    codec.name,
    (value): value is t.TypeOf<t.PartialC<P>> => codec.is(value) && unknownIn(value).length === 0,
    (value, context) => {
      const decoded = codec.validate(value, context)
      if (decoded._tag === 'Left') return decoded
      const [first] = unknownIn(decoded.right)
      return first === undefined
        ? decoded
        : left([{ value: first[1], context: t.appendContext(context, first[0], field, first[1]) }])
    },
    codec.encode,
    codec.props,
  )
}
