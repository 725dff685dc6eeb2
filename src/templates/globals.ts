import { MAX_ITEMS } from './bounds.js'
import type { Scope } from './Scope.js'
import type { Arguments, Value } from './Value.js'
import { callable, constant, isList, isObject, isText, itemsOf } from './values.js'

const range = ({ positional, keywords }: Arguments): Value => {
  const bounds = positional.map(({ value }) => value)
  const [first, second, step = 1] = bounds.map(Number)
  if (
    first === undefined ||
    bounds.length > 3 ||
    keywords.size > 0 ||
    bounds.some((bound) => !Number.isInteger(bound)) ||
    step === 0
  ) {
    throw new RangeError('range() with arguments other than one to three integers, the third not 0')
  }
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > MAX_ITEMS) throw new RangeError(`range() of more than ${MAX_ITEMS} numbers`)
  return constant(Array.from({ length }, (_, index) => start + index * step))
}

const pairOf = (value: Value): readonly [string, Value] => {
  const [name, field, ...more] = itemsOf(value)
  if (name !== undefined && isText(name) && field !== undefined && more.length === 0)
    return [name.value, field]
  throw new TypeError('namespace() of something other than pairs of a name and a value')
}

const entriesOf = (value: Value): Iterable<readonly [string, Value]> => {
  if (isObject(value)) return value.value
  if (isList(value)) return value.value.map(pairOf)
  throw new TypeError('namespace() of something other than an object or a list of pairs')
}

const namespace = ({ positional: [source, ...more], keywords }: Arguments): Value => {
  if (more.length > 0) throw new TypeError('namespace() with more than one unnamed argument')
  return {
    type: 'namespace',
    value: new Map([...(source === undefined ? [] : entriesOf(source)), ...keywords]),
  }
}

const LITERALS = { true: true, True: true, false: false, False: false, none: null, None: null }

/** The names that every template knows. */
export const GLOBALS: ReadonlyMap<string, Value> = new Map([
  ...Object.entries(LITERALS).map(([name, value]) => [name, constant(value)] as const),
  ['range', callable(range)],
  ['namespace', callable(namespace)],
])

/** What a template sees: its values, and the names that every template knows. No value can take a literal's name. */
export const scopeOf = (values: Readonly<Record<string, unknown>>): Scope => {
  const given = Object.entries(values).filter(
    ([name, value]) => value !== undefined && !Object.hasOwn(LITERALS, name),
  )
  return { names: new Map([...GLOBALS, ...given.map(([name, value]) => [name, constant(value)] as const)]) }
}
