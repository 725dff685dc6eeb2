import type * as t from 'io-ts'
import { isRight } from '#fp/Either'
import { InvalidInput } from '../errors.js'
import { decode } from './decode.js'
import { hasMethods } from './hasMethods.js'
import { refuse } from './refuse.js'

/**
 * A value of the user's, as its codec decodes it.
 *
 * @param subject - who was given it: the first word of the error's message
 * @param place - where it stands in what was given
 * @throws InvalidInput with the path of what is wrong
 */
export const checked = <A>(subject: string, codec: t.Decoder<unknown, A>, value: unknown, place = ''): A => {
  // A codec whose fields may all be missing would take a promise or an observable for an object without any.
  if (hasMethods(value, 'then') || hasMethods(value, 'subscribe')) refuse(subject, place, codec.name, value)
  const decoded = decode(codec)(value)
  if (isRight(decoded)) return decoded.right
  const { path, ...problem } = decoded.left
  const dot = place === '' || path === '' || path.startsWith('[') ? '' : '.'
  throw new InvalidInput(subject, { ...problem, path: `${place}${dot}${path}` })
}
