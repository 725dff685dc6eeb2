import { itemAt } from './itemAt.js'
import type { Value } from './Value.js'
import { constant, given, isFields, isList, isMissing, isText, list, textOf } from './values.js'

const step = (value: Value, key: string): Value => {
  if (isMissing(value)) throw new TypeError(`attribute ${JSON.stringify(key)} of a missing value`)
  // A field's name may be made of digits.
  return itemAt(value, constant(isFields(value) || !/^\d+$/.test(key) ? key : Number(key)))
}

/** Reads a value out of an item. */
export type Getter = (item: Value) => Value

/**
 * Reads what a filter's `attribute` names: a field, or a dotted path like `meta.url`, in which numbers are places in a list;
 * without one, the item itself. Only an item's own fields can be reached.
 *
 * @param fallback - instead of what is missing, at every step of the path
 */
export const attributeOf = (attribute: Value | undefined, fallback?: Value): Getter => {
  const path = given(attribute)
  const otherwise = given(fallback)
  if (path === undefined) return (item) => item
  const keys = textOf(path).split('.')
  return (item) =>
    keys.reduce((value, key) => {
      const next = step(value, key)
      return isMissing(next) && otherwise !== undefined ? otherwise : next
    }, item)
}

/** The same for attributes separated by commas, as `sort` takes them: gives a list of what they name, or of the item. */
export const attributesOf = (attribute: Value | undefined): Getter => {
  const paths = given(attribute)
  const getters =
    paths === undefined
      ? [attributeOf(undefined)]
      : textOf(paths)
          .split(',')
          .map((path) => attributeOf(constant(path)))
  return (item) => list(getters.map((get) => get(item)))
}

/** What a value counts as when case makes no difference. */
export const withoutCase = (value: Value): Value => {
  if (isText(value)) return constant(value.value.toLowerCase())
  return isList(value) ? list(value.value.map(withoutCase)) : value
}
