import type { Value } from './Value.js'
import { isFields, isList, isNumber } from './values.js'

/**
 * Tells whether two values of a template are equal for `==`, as Jinja does: numbers and booleans by what they count,
 * lists and objects by what is in them, and nothing with something of another kind.
 */
export const isEqual = (left: Value, right: Value): boolean => {
  if (isNumber(left) && isNumber(right)) return Number(left.value) === Number(right.value)
  if (left.type !== right.type || left.isTuple !== right.isTuple) return false
  if (isList(left) && isList(right)) {
    return (
      left.value.length === right.value.length &&
      left.value.every((item, index) => {
        const beside = right.value[index]
        return beside !== undefined && isEqual(item, beside)
      })
    )
  }
  if (isFields(left) && isFields(right)) {
    return (
      left.value.size === right.value.size &&
      [...left.value].every(([key, value]) => {
        const beside = right.value.get(key)
        return beside !== undefined && isEqual(value, beside)
      })
    )
  }
  return left.value === right.value
}
