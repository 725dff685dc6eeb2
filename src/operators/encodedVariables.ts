import * as t from 'io-ts'
import { checked } from '../codecs/checked.js'
import { describeFound } from '../codecs/describeFound.js'
import { Fields } from '../codecs/Fields.js'
import { InvalidInput } from '../errors.js'
import { step } from '../util/step.js'

/**
 * Encodes variables and checks them by their codec: the encoded form must decode again.
 *
 * @param subject - who was given the variables: the first word of the error's message
 * @param codec - the user's codec
 * @param place - the path to the variables in the input
 * @returns the encoded form
 * @throws InvalidInput
 */
export const encodedVariables = (subject: string, codec: t.Mixed, value: unknown, place = ''): unknown => {
  const encoded = encode(subject, codec, value, place)
  checked(subject, codec, encoded, place)
  return encoded
}

/** Encodes a value. A codec's `encode` trusts its input, so it may throw on a wrong one. */
const encode = (subject: string, codec: t.Mixed, value: unknown, place: string): unknown => {
  try {
    return codec.encode(value)
  } catch (cause) {
    // If one field is to blame, its own codec throws too, and its path is the better one to report.
    if (Fields.is(value))
      for (const [key, field] of Object.entries(namedFields(codec)))
        if (value[key] !== undefined) encode(subject, field, value[key], step(place, key))
    const found = describeFound(value)
    throw new InvalidInput(subject, { path: place, expected: codec.name, found, cause })
  }
}

/** The fields that a codec names; for an intersection, those of all its parts. */
const namedFields = (codec: t.Mixed): Record<string, t.Mixed> => {
  if (codec instanceof t.RefinementType || codec instanceof t.ReadonlyType || codec instanceof t.ExactType)
    return namedFields(codec.type)
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return codec.props
  const parts: ReadonlyArray<t.Mixed> = codec instanceof t.IntersectionType ? codec.types : []
  return Object.assign({}, ...parts.map(namedFields))
}
