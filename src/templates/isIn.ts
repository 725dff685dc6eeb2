import { isEqual } from './isEqual.js'
import type { Value } from './Value.js'
import { isFields, isList, isMissing, isText, keyOf, kindOf } from './values.js'

/**
 * Whether a value is `in` another one: an item of a list, a part of a text, a key of an object.
 *
 * @throws TypeError for what nothing can be in, and for anything but text in a text
 */
export const isIn = (item: Value, container: Value): boolean => {
  if (isList(container)) return container.value.some((other) => isEqual(item, other))
  if (isFields(container)) {
    const key = keyOf(item)
    return key !== undefined && container.value.has(key)
  }
  if (isMissing(container)) return false
  if (isText(container) && isText(item)) return container.value.includes(item.value)
  throw new TypeError(`${kindOf(item)} looked for in ${kindOf(container)}`)
}
