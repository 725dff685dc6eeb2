import type { Either } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { isLeft, left, right } from '#fp/Either'
import { decode, describeFound } from '../codecs/decode.js'
import { InvalidInput } from '../errors.js'

/**
 * Checks variables by a codec, in the direction in which they leave: what encoding gives must decode again.
 *
 * @param subject - who was given the variables: the first word of the error's message
 * @param codec - the user's own
 * @returns the encoded form, or what is wrong
 */
export const encodedVariables = (
  subject: string,
  codec: t.Mixed,
  value: unknown,
): Either<InvalidInput, unknown> => {
  const encoded = encode(codec, value)
  if (isLeft(encoded)) {
    const found = describeFound(value)
    return left(new InvalidInput(subject, { path: '', expected: codec.name, found, cause: encoded.left }))
  }
  const decoded = decode(codec)(encoded.right)
  return isLeft(decoded) ? left(new InvalidInput(subject, decoded.left)) : encoded
}

/** A codec's `encode` trusts its input, so it may throw on one that is wrong. */
const encode = (codec: t.Mixed, value: unknown): Either<unknown, unknown> => {
  try {
    return right(codec.encode(value))
  } catch (cause) {
    return left(cause)
  }
}
