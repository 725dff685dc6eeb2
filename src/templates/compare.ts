import { isEqual } from './isEqual.js'
import type { Value } from './Value.js'
import { isList, isNumber, isText, kindOf } from './values.js'

const sign = (left: number, right: number): number => (left < right ? -1 : Number(left > right))

/** By code points, as in Python; JavaScript goes by code units, which puts emoji before some other characters. */
const compareTexts = (left: string, right: string): number => {
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    if (left[at] !== right[at]) return sign(left.codePointAt(at) ?? 0, right.codePointAt(at) ?? 0)
  }
  return sign(left.length, right.length)
}

/**
 * Orders two values as Python does: below 0 when the left one comes first, 0 when neither does.
 *
 * @throws TypeError for values that have no order: values of two kinds, null, objects
 */
export const compare = (left: Value, right: Value): number => {
  if (isNumber(left) && isNumber(right)) return sign(Number(left.value), Number(right.value))
  if (isText(left) && isText(right)) return compareTexts(left.value, right.value)
  if (isList(left) && isList(right)) {
    for (const [index, item] of left.value.entries()) {
      const beside = right.value[index]
      // Equal items need no order: null and null.
      const order = beside === undefined ? 1 : isEqual(item, beside) ? 0 : compare(item, beside)
      if (order !== 0) return order
    }
    return left.value.length === right.value.length ? 0 : -1
  }
  throw new TypeError(`${kindOf(left)} and ${kindOf(right)}, which cannot be ordered`)
}
