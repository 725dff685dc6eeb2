import type * as t from 'io-ts'
import { isRight } from '#fp/Either'
import { InvalidInput } from '../errors.js'
import { hasMethods } from '../util/hasMethods.js'
import { decode } from './decode.js'
import { refuse } from './refuse.js'

/**
 * Decodes a value that a user passed in.
 *
 * @param subject - the function that received it: the first word of the error's message
 * @param place - path of the value within the argument
 * @throws InvalidInput with the path of what is wrong
 */
export const checked = <A>(subject: string, codec: t.Decoder<unknown, A>, value: unknown, place = ''): A => {
  // A codec whose fields are all optional would accept a promise or an observable as an object without fields.
  if (hasMethods(value, 'then') || hasMethods(value, 'subscribe')) refuse(subject, place, codec.name, value)
  const decoded = decode(codec)(value)
  if (isRight(decoded)) return decoded.right
  const { path, ...problem } = decoded.left
  const dot = place === '' || path === '' || path.startsWith('[') ? '' : '.'
  throw new InvalidInput(subject, { ...problem, path: `${place}${dot}${path}` })
}
