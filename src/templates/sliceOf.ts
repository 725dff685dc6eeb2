import type { Value } from './Value.js'
import { constant, given, integerOf, isFields, isList, isText, kindOf, list, UNDEFINED } from './values.js'

/** What stands between the brackets of `a[start:stop:step]`; a bound that is missing or null isn't given. */
export interface Bounds {
  readonly start: Value | undefined
  readonly stop: Value | undefined
  readonly step: Value | undefined
}

const whole = (bound: Value | undefined): number | undefined => {
  const value = given(bound)
  return value && integerOf(value)
}

const places = (length: number, { start, stop, step }: Bounds): ReadonlyArray<number> => {
  const by = whole(step) ?? 1
  if (by === 0) throw new RangeError('a step of 0')
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1]
  const [first, end] = by > 0 ? [low, high] : [high, low]
  const inside = (place: number): number =>
    place < 0 ? Math.max(place + length, low) : Math.min(place, high)
  const from = inside(whole(start) ?? first)
  const bound = whole(stop)
  const to = bound === undefined ? end : inside(bound)
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / by)) }, (_, index) => from + index * by)
}

/** A slice of a list's items or a text's characters, as in Python; of a number, undefined. */
export const sliceOf = (value: Value, bounds: Bounds): Value => {
  if (isList(value)) {
    const items = value.value
    return list(places(items.length, bounds).map((place) => items[place] ?? UNDEFINED))
  }
  if (isFields(value)) throw new TypeError(`${kindOf(value)} where a list is needed`)
  if (!isText(value)) return UNDEFINED
  const characters = Array.from(value.value)
  return constant(
    places(characters.length, bounds)
      .map((place) => characters[place])
      .join(''),
  )
}
