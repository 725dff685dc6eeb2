import type * as t from 'io-ts'
import { checked } from './checked.js'

/** A part of the user's that may be left out, as its codec decodes it. @throws InvalidInput */
export const checkedIfGiven = <A>(
  subject: string,
  codec: t.Decoder<unknown, A>,
  part: unknown,
  place: string,
): A | undefined => (part === undefined ? undefined : checked(subject, codec, part, place))
