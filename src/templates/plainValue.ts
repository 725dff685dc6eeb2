import { describeFound } from '../codecs/describeFound.js'
import { InvalidInput } from '../errors.js'
import { isBuffer } from '../util/isBuffer.js'
import { isError } from '../util/isError.js'
import { isMap } from '../util/isMap.js'
import { isSet } from '../util/isSet.js'

const MAX_DEPTH = 200

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u

const step = (path: string, key: string | number): string => {
  if (typeof key === 'number') return `${path}[${key}]`
  if (!IDENTIFIER.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

const keyOf = (key: unknown, refuse: (expected: string, found: string) => never): string =>
  typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean'
    ? String(key)
    : refuse('a map with strings as keys', `a key that is ${describeFound(key)}`)

const hasToJson = (value: object): value is { readonly toJSON: () => unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function'

/**
 * What a template sees of a value: texts, numbers, booleans, and copies of lists and objects of these.
 *
 * A date becomes its ISO text, a `bigint` a number where that is exact and otherwise its digits, a map an object, a set a
 * list, and what has a `toJSON` what that returns. An object has its own enumerable fields, an error also its name and
 * message. As in JSON, a field that is `undefined` is left out, and an item that is becomes null.
 *
 * @param subject - who was given the value: the first word of an error's message
 * @throws InvalidInput with the path of what no template can show: functions, symbols, promises, observables, bytes, invalid
 * dates, what contains itself, and what is nested more than 200 deep
 */
export const plainValue = (subject: string, value: unknown): unknown => {
  const plain = (current: unknown, path: string, above: ReadonlyArray<object>): unknown => {
    const refuse = (expected: string, found: string): never => {
      throw new InvalidInput(subject, { path, expected, found })
    }
    switch (typeof current) {
      case 'function':
      case 'symbol':
        return refuse('a value that a template can show', `a ${typeof current}`)
      case 'bigint':
        return Number.isSafeInteger(Number(current)) ? Number(current) : current.toString()
      case 'object':
        break
      default:
        return current
    }
    if (current === null) return null
    if (above.includes(current)) return refuse('a value without cycles', 'an object that contains itself')
    if (above.length >= MAX_DEPTH) return refuse(`at most ${MAX_DEPTH} levels`, 'more')
    const within = [...above, current]
    const inside = (child: unknown, key: string | number): unknown => plain(child, step(path, key), within)
    const object = (entries: ReadonlyArray<readonly [string, unknown]>): object =>
      Object.fromEntries(
        entries.flatMap(([key, child]) => (child === undefined ? [] : [[key, inside(child, key)]])),
      )
    const list = (items: Iterable<unknown>): ReadonlyArray<unknown> =>
      Array.from(items, (item, index) => (item === undefined ? null : inside(item, index)))
    if (Array.isArray(current) || isSet(current)) return list(current)
    if (isMap(current)) {
      return object(Array.from(current, ([key, child]) => [keyOf(key, refuse), child]))
    }
    if (current instanceof Date && Number.isNaN(current.getTime()))
      return refuse('a valid date', 'an invalid date')
    if (ArrayBuffer.isView(current) || isBuffer(current)) return refuse('text', 'bytes')
    if ('then' in current && typeof current.then === 'function')
      return refuse('a value', 'a promise of a value')
    if ('subscribe' in current && typeof current.subscribe === 'function')
      return refuse('a value', 'an observable of values')
    if (hasToJson(current)) return plain(current.toJSON(), path, within)
    const own = Object.entries(current)
    if (!isError(current)) return object(own)
    return object([['name', current.name], ['message', current.message], ...own])
  }
  return plain(value, '', [])
}
