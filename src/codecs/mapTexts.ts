import { isPlain } from './isPlain.js'

const MAX_DEPTH = 64

/**
 * Maps every text in a value, at any depth of objects and lists; keys stay as they are. Pure: parts
 * in which nothing changes are shared with the given value, and a value in which nothing changes is returned itself.
 * What is nested deeper than 64 levels, and what lies in a cycle, is left as it is.
 *
 * @param value - data: anything but a text, a list or a plain object is left as it is
 * @param map - of a text
 */
export const mapTexts = <A>(value: A, map: (text: string) => string): A =>
  // Each text becomes a text, so the kind of every part stays what it was.
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
    // It has the key already, so that even `__proto__` is one like any other.
    copy[key] = after
  }
  return copy ?? value
}

const isData = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && (Array.isArray(value) || isPlain(value))
