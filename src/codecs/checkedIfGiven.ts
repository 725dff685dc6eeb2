import type * as t from 'io-ts'
import { checked } from './checked.js'

/** Decodes an optional part of what a user passed in. @throws InvalidInput */
export const checkedIfGiven = <A>(
  subject: string,
  codec: t.Decoder<unknown, A>,
  part: unknown,
  place: string,
): A | undefined => (part === undefined ? undefined : checked(subject, codec, part, place))
