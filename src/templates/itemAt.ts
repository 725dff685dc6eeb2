import type { Value } from './Value.js'
import { constant, isFields, isFloat, isList, isNumber, isText, keyOf, UNDEFINED } from './values.js'

/**
 * What `a[b]` is: an item of a list, a character of a text (an emoji is one), or a field of an object. As in Jinja, whatever
 * isn't there is undefined.
 */
export const itemAt = (value: Value, index: Value): Value => {
  if (isFields(value)) {
    const key = keyOf(index)
    return (key === undefined ? undefined : value.value.get(key)) ?? UNDEFINED
  }
  if (isText(index)) return value.parts?.get(index.value) ?? UNDEFINED
  if (!isNumber(index) || isFloat(index)) return UNDEFINED
  const place = Number(index.value)
  if (isList(value)) return value.value.at(place) ?? UNDEFINED
  return isText(value) ? constant(Array.from(value.value).at(place)) : UNDEFINED
}
