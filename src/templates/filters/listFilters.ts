import { grouped } from '../../util/grouped.js'
import { flagArgument, integerArgument, textArgument } from '../arguments.js'
import { attributeOf, attributesOf, type Getter, withoutCase } from '../attributes.js'
import { boundedItems, joined } from '../bounds.js'
import { compare } from '../compare.js'
import { isEqual } from '../isEqual.js'
import { add } from '../operators.js'
import { filter } from '../parameters.js'
import type { Filter, Value } from '../Value.js'
import {
  constant,
  given,
  isList,
  isNumber,
  isText,
  itemsOf,
  kindOf,
  list,
  namedParts,
  pairsOf,
  textOf,
  UNDEFINED,
} from '../values.js'

/** What an item is compared by: without case, unless `case_sensitive` is given. */
const keyOf = (get: Getter, caseSensitive: Value | undefined): Getter =>
  flagArgument(caseSensitive) ? get : (item) => withoutCase(get(item))

/** Sorted by a key that is made once for each item; equal items stay in their order. */
const sorted = (items: ReadonlyArray<Value>, key: Getter, reverse: boolean): ReadonlyArray<Value> => {
  const direction = reverse ? -1 : 1
  return items
    .map((item) => [key(item), item] as const)
    .sort(([one], [other]) => direction * compare(one, other))
    .map(([, item]) => item)
}

const extreme = (direction: 1 | -1): Filter =>
  filter(['case_sensitive?', 'attribute?'], (value, caseSensitive, attribute) => {
    const key = keyOf(attributeOf(attribute), caseSensitive)
    const [first, ...rest] = itemsOf(value).map((item) => [key(item), item] as const)
    if (first === undefined) return UNDEFINED
    const [, best] = rest.reduce(
      (one, other) => (direction * compare(other[0], one[0]) < 0 ? other : one),
      first,
    )
    return best
  })

/** The same text for values that `unique` takes for the same. */
const identity = (value: Value): string =>
  isNumber(value) ? `number ${Number(value.value)}` : `${value.type} ${textOf(value)}`

const unique = (items: ReadonlyArray<Value>, key: Getter): ReadonlyArray<Value> =>
  Array.from(grouped(items, (item) => identity(key(item))).values(), ([first]) => first)

const groups = (items: ReadonlyArray<Value>, get: Getter, key: Getter): ReadonlyArray<Value> => {
  const found: Array<Array<Value>> = []
  let last: Value | undefined
  for (const item of sorted(items, key, false)) {
    const current = key(item)
    if (last !== undefined && isEqual(last, current)) found.at(-1)?.push(item)
    else found.push([item])
    last = current
  }
  return found.map((group) => namedParts({ grouper: get(group[0] ?? UNDEFINED), list: list(group) }))
}

const filled = (items: ReadonlyArray<Value>, length: number, filler: Value | undefined): Value => {
  if (filler === undefined || items.length >= length) return list(items)
  return list([...items, ...Array.from({ length: boundedItems(length) - items.length }, () => filler)])
}

/** How many in a row, or how many rows. */
const count = (value: Value | undefined): number => {
  const number = integerArgument(value, 0)
  if (number < 1) throw new RangeError('a number that is not positive')
  return number
}

const batches = (
  items: ReadonlyArray<Value>,
  size: number,
  filler: Value | undefined,
): ReadonlyArray<Value> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    filled(items.slice(index * size, (index + 1) * size), size, filler),
  )

const slices = (
  items: ReadonlyArray<Value>,
  number: number,
  filler: Value | undefined,
): ReadonlyArray<Value> => {
  const length = Math.floor(items.length / boundedItems(number))
  const longer = items.length % number
  return Array.from({ length: number }, (_, index) => {
    const start = index * length + Math.min(index, longer)
    const end = start + length + (index < longer ? 1 : 0)
    return filled(items.slice(start, end), length + 1, filler)
  })
}

const sum = (items: ReadonlyArray<Value>, start: Value): Value => {
  // Added one by one, all the lists so far would be copied for each further one.
  if (isList(start))
    return list([
      ...start.value,
      ...items.flatMap((item) => (isList(item) ? item.value : [add(start, item)])),
    ])
  if (!isNumber(start)) throw new TypeError(`a sum that starts with ${kindOf(start)}`)
  return items.reduce(add, start)
}

const reversed = (value: Value): Value =>
  isText(value) ? constant(Array.from(value.value).reverse().join('')) : list([...itemsOf(value)].reverse())

const dictsorted = (
  value: Value,
  ...[caseSensitive, by, reverse]: ReadonlyArray<Value | undefined>
): Value => {
  const place = ['key', 'value'].indexOf(textArgument(by, 'key'))
  if (place === -1) throw new TypeError("a sort by something other than 'key' or 'value'")
  const key = keyOf(attributeOf(constant(place)), caseSensitive)
  return list(sorted(pairsOf(value), key, flagArgument(reverse)))
}

const lengthFilter = filter([], (value) => constant(itemsOf(value).length))

export const LIST_FILTERS: Readonly<Record<string, Filter>> = {
  length: lengthFilter,
  count: lengthFilter,
  list: filter([], (value) => list(itemsOf(value))),
  first: filter([], (value) => itemsOf(value)[0] ?? UNDEFINED),
  last: filter([], (value) => itemsOf(value).at(-1) ?? UNDEFINED),
  reverse: filter([], reversed),
  items: filter([], (value) => list(pairsOf(value))),
  dictsort: filter(['case_sensitive?', 'by?', 'reverse?'], dictsorted),
  join: filter(['d?', 'attribute?'], (value, separator, attribute) =>
    constant(joined(itemsOf(value).map(attributeOf(attribute)).map(textOf), textArgument(separator, ''))),
  ),
  sort: filter(['reverse?', 'case_sensitive?', 'attribute?'], (value, reverse, caseSensitive, attribute) =>
    list(sorted(itemsOf(value), keyOf(attributesOf(attribute), caseSensitive), flagArgument(reverse))),
  ),
  unique: filter(['case_sensitive?', 'attribute?'], (value, caseSensitive, attribute) =>
    list(unique(itemsOf(value), keyOf(attributeOf(attribute), caseSensitive))),
  ),
  min: extreme(1),
  max: extreme(-1),
  sum: filter(['attribute?', 'start?'], (value, attribute, start = constant(0)) =>
    sum(itemsOf(value).map(attributeOf(attribute)), start),
  ),
  groupby: filter(
    ['attribute', 'default?', 'case_sensitive?'],
    (value, attribute, fallback, caseSensitive) => {
      const get = attributeOf(attribute, fallback)
      return list(groups(itemsOf(value), get, keyOf(get, caseSensitive)))
    },
  ),
  batch: filter(['linecount', 'fill_with?'], (value, size, filler) =>
    list(batches(itemsOf(value), count(size), given(filler))),
  ),
  slice: filter(['slices', 'fill_with?'], (value, number, filler) =>
    list(slices(itemsOf(value), count(number), given(filler))),
  ),
}
