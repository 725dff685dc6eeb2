import * as t from 'io-ts'
import { isLeft, left } from '#fp/Either'
import { unknownField } from './unknownField.js'
import { guard } from './wire.js'

/**
 * A codec of options that refuses unknown fields. Elsewhere they are passed on, but a misspelt option would silently
 * have no effect.
 */
export const closed = <P extends t.Props>(codec: t.PartialC<P>): t.PartialC<P> =>
  new t.PartialType(
    codec.name,
    codec.is,
    (value, context) => {
      const decoded = codec.validate(value, context)
      if (isLeft(decoded)) return decoded
      const unknown = unknownField(decoded.right, codec.props)
      if (unknown === undefined) return decoded
      const { key, value: found, expected } = unknown
      return left([{ value: found, context: t.appendContext(context, key, guard(expected, isNever), found) }])
    },
    codec.encode,
    codec.props,
  )

const isNever = (_: unknown): _ is never => false
