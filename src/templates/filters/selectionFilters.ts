import { flagArgument } from '../arguments.js'
import { attributeOf, type Getter } from '../attributes.js'
import { checkArguments, filter } from '../parameters.js'
import { testNamed } from '../tests.js'
import type { Arguments, Filter, Value } from '../Value.js'
import { constant, isMissing, isTrue, itemsOf, list, textOf } from '../values.js'

/** The arguments without the first ones, which are used already. */
const after = ({ positional, keywords }: Arguments, count: number): Arguments => ({
  positional: positional.slice(count),
  keywords,
})

/** As in Jinja, whatever counts as false, such as null, is taken for an empty list. */
const itemsIn = (value: Value): ReadonlyArray<Value> => (isTrue(value) ? itemsOf(value) : [])

/** The items for which a test's result is the wanted one; without a test, by whether they count as true. */
const selected = (value: Value, get: Getter, wanted: boolean, args: Arguments): Value => {
  const [name] = args.positional
  const holds = name === undefined ? isTrue : testNamed(textOf(name))
  const rest = after(args, 1)
  if (name === undefined) checkArguments([], rest)
  return list(itemsIn(value).filter((item) => holds(get(item), rest) === wanted))
}

const selection = (wanted: boolean): Filter => ({
  parameters: ['*'],
  apply: (value, args) => selected(value, (item) => item, wanted, args),
})

const selectionByAttribute = (wanted: boolean): Filter => ({
  parameters: ['+'],
  apply: (value, args) => {
    const [attribute] = args.positional
    if (attribute === undefined) throw new TypeError('a call without an attribute')
    return selected(value, attributeOf(attribute), wanted, after(args, 1))
  },
})

const mapped = (value: Value, args: Arguments, apply: (name: string) => Filter['apply']): Value => {
  const [name] = args.positional
  const items = itemsIn(value)
  if (name !== undefined) {
    const use = apply(textOf(name))
    return list(items.map((item) => use(item, after(args, 1))))
  }
  checkArguments(['attribute', 'default?'], args)
  return list(items.map(attributeOf(args.keywords.get('attribute'), args.keywords.get('default'))))
}

const EMPTY = constant('')

const isDefaulted = (value: Value, boolean: Value | undefined): boolean =>
  isMissing(value) || (flagArgument(boolean) && !isTrue(value))

/** The filters that choose among items, or between a value and a default. */
export const selectionFilters = (
  apply: (name: string) => Filter['apply'],
): Readonly<Record<string, Filter>> => {
  const otherwise = filter(['default_value?', 'boolean?'], (value, fallback, boolean) =>
    isDefaulted(value, boolean) ? (fallback ?? EMPTY) : value,
  )
  return {
    select: selection(true),
    reject: selection(false),
    selectattr: selectionByAttribute(true),
    rejectattr: selectionByAttribute(false),
    map: { parameters: ['+'], apply: (value, args) => mapped(value, args, apply) },
    default: otherwise,
    d: otherwise,
  }
}
