import { isPlain } from './isPlain.js'

const MAX_DEPTH = 64

/**
 * Maps every string in a value, at any depth of objects and arrays, but no keys. Pure: unchanged parts are shared with
 * the given value, and if nothing changes the value itself is returned. Anything nested more than 64 levels deep or
 * inside a cycle is left alone.
 *
 * @param value - data; whatever is neither a string, an array nor a plain object is left alone
 * @param map - maps one string
 */
export const mapTexts = <A>(value: A, map: (text: string) => string): A =>
  // Strings are mapped to strings, so every part keeps its type.
  mapped(value, map, []) as A

const mapped = (value: unknown, map: (text: string) => string, above: ReadonlyArray<object>): unknown => {
  if (typeof value === 'string') return map(value)
  if (!isData(value) || above.length >= MAX_DEPTH || above.includes(value)) return value
  if (Array.isArray(value)) {
    const items = value.map((item) => mapped(item, map, [...above, value]))
    return items.every((item, index) => Object.is(item, value[index])) ? value : items
  }
  let within: ReadonlyArray<object> | undefined
  let copy: Record<string, unknown> | undefined
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'object' && item !== null) within ??= [...above, value]
    const after = mapped(item, map, within ?? above)
    if (Object.is(item, after)) continue
    copy ??= { ...value }
    // The copy has the key already, so assigning even `__proto__` sets an own field.
    copy[key] = after
  }
  return copy ?? value
}

const isData = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && (Array.isArray(value) || isPlain(value))
