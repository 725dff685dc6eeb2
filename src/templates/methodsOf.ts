import { integerArgument } from './arguments.js'
import { joined } from './bounds.js'
import { capitalised, linesOf, replaced, textFilter } from './filters/textFilters.js'
import { filter } from './parameters.js'
import { SPACE, strip } from './strip.js'
import type { Filter, Value } from './Value.js'
import {
  constant,
  fieldsOf,
  given,
  isList,
  isObject,
  isText,
  itemsOf,
  keyOf,
  kindOf,
  list,
  pairsOf,
} from './values.js'

/** An argument that must be a text: Python's methods accept nothing else. */
const textGiven = (value: Value | undefined): string => {
  if (value !== undefined && isText(value)) return value.value
  throw new TypeError(`${value === undefined ? 'nothing' : kindOf(value)} where a string is needed`)
}

const stripping = (side: 'both' | 'start' | 'end'): Filter =>
  textFilter(['chars?'], (text, characters) => {
    const unwanted = given(characters)
    return strip(text, unwanted && textGiven(unwanted), side)
  })

const meets = (is: (text: string, part: string) => boolean): Filter =>
  textFilter(['part'], (text, part) =>
    (part !== undefined && isList(part) ? part.value : [part]).some((one) => is(text, textGiven(one))),
  )

/** Splits at white space, at most `limit` times; the rest keeps its white space. */
const words = (text: string, limit: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  const word = new RegExp(`[^${SPACE}]+`, 'gu')
  for (const { 0: match, index } of text.matchAll(word)) {
    if (limit >= 0 && found.length >= limit) return [...found, strip(text.slice(index), undefined, 'start')]
    found.push(match)
  }
  return found
}

const split = (text: string, separator: Value | undefined, limit: number): ReadonlyArray<string> => {
  const between = given(separator)
  if (between === undefined) return words(text, limit)
  const mark = textGiven(between)
  if (mark === '') throw new TypeError('an empty separator')
  const parts = text.split(mark)
  return limit < 0 || parts.length <= limit
    ? parts
    : [...parts.slice(0, limit), parts.slice(limit).join(mark)]
}

const title = (text: string): string => text.replace(/\p{Cased}+/gu, capitalised)

const withoutStart = (text: string, start: string): string =>
  text.startsWith(start) ? text.slice(start.length) : text

const withoutEnd = (text: string, end: string): string =>
  text.endsWith(end) ? text.slice(0, text.length - end.length) : text

const TEXT_METHODS: ReadonlyMap<string, Filter> = new Map(
  Object.entries({
    upper: textFilter([], (text) => text.toUpperCase()),
    lower: textFilter([], (text) => text.toLowerCase()),
    title: textFilter([], title),
    capitalize: textFilter([], capitalised),
    strip: stripping('both'),
    lstrip: stripping('start'),
    rstrip: stripping('end'),
    startswith: meets((text, part) => text.startsWith(part)),
    endswith: meets((text, part) => text.endsWith(part)),
    removeprefix: textFilter(['prefix'], (text, part) => withoutStart(text, textGiven(part))),
    removesuffix: textFilter(['suffix'], (text, part) => withoutEnd(text, textGiven(part))),
    split: textFilter(['sep?', 'maxsplit?'], (text, mark, limit) =>
      split(text, mark, integerArgument(limit, -1)),
    ),
    splitlines: textFilter([], linesOf),
    replace: textFilter(['old', 'new', 'count?'], (text, old, wanted, count) =>
      replaced(text, textGiven(old), textGiven(wanted), integerArgument(count, -1)),
    ),
    join: textFilter(['items'], (text, items) =>
      joined(items === undefined ? [] : itemsOf(items).map(textGiven), text),
    ),
  }),
)

const OBJECT_METHODS: ReadonlyMap<string, Filter> = new Map(
  Object.entries({
    get: filter(['key', 'default?'], (value, key, fallback = constant(null)) => {
      const name = key && keyOf(key)
      return (name === undefined ? undefined : fieldsOf(value).get(name)) ?? fallback
    }),
    keys: filter([], (value) => list(itemsOf(value))),
    values: filter([], (value) => list([...fieldsOf(value).values()])),
    items: filter([], (value) => list(pairsOf(value))),
  }),
)

const NONE: ReadonlyMap<string, Filter> = new Map()

/** Those of Python's methods that templates use on a value; none of them changes it. */
export const methodsOf = (value: Value): ReadonlyMap<string, Filter> => {
  if (value.methods !== undefined) return value.methods
  if (isText(value)) return TEXT_METHODS
  return isObject(value) ? OBJECT_METHODS : NONE
}
