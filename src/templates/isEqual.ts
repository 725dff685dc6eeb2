import type { Value } from './jinja.js'

const isNumber = (value: Value): boolean =>
  typeof value.value === 'number' || typeof value.value === 'boolean'

const isItems = (value: unknown): value is ReadonlyArray<Value> => Array.isArray(value)

const isFields = (value: unknown): value is ReadonlyMap<string, Value> => value instanceof Map

/**
 * Tells whether two values of a template are equal for `==`, as Jinja does: numbers and booleans by what they count,
 * lists and objects by what is in them, and nothing with something of another kind. The engine compares as JavaScript's
 * `==` does, by which `'1'` equals 1 and no list equals another one.
 */
export const isEqual = (left: Value, right: Value): boolean => {
  if (isNumber(left) && isNumber(right)) return Number(left.value) === Number(right.value)
  if (left.type !== right.type) return false
  const [one, other] = [left.value, right.value]
  if (isItems(one) && isItems(other)) {
    return (
      one.length === other.length &&
      one.every((item, index) => {
        const beside = other[index]
        return beside !== undefined && isEqual(item, beside)
      })
    )
  }
  if (isFields(one) && isFields(other)) {
    return (
      one.size === other.size &&
      [...one].every(([key, value]) => {
        const beside = other.get(key)
        return beside !== undefined && isEqual(value, beside)
      })
    )
  }
  return one === other
}
