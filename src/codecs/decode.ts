import type { Either } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { isRight, left } from '#fp/Either'
import type { DecodeFailure } from './DecodeFailure.js'
import { isCodec } from './isCodec.js'
import { refuse } from './refuse.js'
import { toFailure } from './toFailure.js'

/**
 * Decodes a value, and reports the most informative of the things that are wrong with it.
 *
 * The first wrong field counts. For a union, the failure is that of the branch which the value matches best: one whose
 * literal tag fits is preferred to one whose tag does not, and then the one that got deepest. If no single branch
 * stands out, the failure is that of the union as a whole.
 *
 * @param codec - an io-ts decoder for the value; it may be a user's own
 * @returns the decoded value, or one failure
 * @throws InvalidInput for what isn't a codec
 */
export const decode = <A>(codec: t.Decoder<unknown, A>): ((value: unknown) => Either<DecodeFailure, A>) => {
  if (!isCodec(codec)) refuse('decode', 'codec', 'an io-ts codec', codec)
  return (value) => {
    const decoded = codec.decode(value)
    return isRight(decoded) ? decoded : left(toFailure(decoded.left, codec.name, value))
  }
}
