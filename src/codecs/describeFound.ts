import { shorten } from '../util/shorten.js'
import { tagOf } from '../util/tagOf.js'
import { tried } from '../util/tried.js'

/**
 * Describes a value by kind and size only: `string(12 characters)`, `array(3)`, `object with keys a, b`, `Promise`.
 * Numbers, booleans, `null` and `undefined` are shown; the content of strings and objects never is.
 *
 * @param value - anything
 */
export const describeFound = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return `string(${value.length} ${value.length === 1 ? 'character' : 'characters'})`
    case 'number':
    case 'boolean':
      return `${typeof value} ${value}`
    case 'object':
      // A proxy can't be read if it is revoked or if its traps throw.
      return value === null ? 'null' : (tried(() => describeObject(value)) ?? 'object that cannot be read')
    default:
      return typeof value
  }
}

const SHOWN_KEYS = 5

const describeObject = (value: object): string => {
  if (Array.isArray(value)) return `array(${value.length})`
  // For a promise, a map or bytes, the kind says more than the keys.
  const kind = tagOf(value)
  return kind === 'Object' ? describeKeys(value) : shorten(kind)
}

const describeKeys = (value: object): string => {
  const keys = Object.keys(value)
  const shown = keys.slice(0, SHOWN_KEYS).map(shorten).join(', ')
  if (keys.length === 0) return 'object without keys'
  return keys.length > SHOWN_KEYS
    ? `object with keys ${shown} and ${keys.length - SHOWN_KEYS} more`
    : `object with ${keys.length === 1 ? 'key' : 'keys'} ${shown}`
}
