import type { Value } from './Value.js'
import { isFields, isList, isNumber } from './values.js'

/**
 * Whether two values of a template are equal for `==`, as in Jinja: numbers and booleans by their number, lists and objects
 * by what is in them. Values of other kinds never equal one another.
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
