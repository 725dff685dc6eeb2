import { joined } from './bounds.js'
import type { Arguments, Value } from './Value.js'

export type ListValue = Value & { readonly value: ReadonlyArray<Value> }

/** Objects, and what `namespace()` makes. */
export type FieldsValue = Value & { readonly value: ReadonlyMap<string, Value> }

export type NumberValue = Value & { readonly value: number | boolean }

/** A macro, `caller`, or a function that every template knows. */
export type Callable = Value & { readonly value: (args: Arguments) => Value }

export const UNDEFINED: Value = { type: 'undefined', value: undefined }

export const list = (items: ReadonlyArray<Value>): ListValue => ({ type: 'list', value: items })

export const fields = (entries: Iterable<readonly [string, Value]>): FieldsValue => ({
  type: 'object',
  value: new Map(entries),
})

/** A plain value as templates hold it, and all that is in it. */
export const constant = (value: unknown): Value => {
  switch (typeof value) {
    case 'string':
      return { type: 'text', value }
    case 'number':
      return { type: Number.isInteger(value) ? 'integer' : 'float', value }
    case 'boolean':
      return { type: 'boolean', value }
    case 'object':
      if (value === null) return { type: 'null', value }
      if (Array.isArray(value)) return list(value.map(constant))
      return fields(Object.entries(value).map(([name, field]) => [name, constant(field)]))
    default:
      return UNDEFINED
  }
}

export const tuple = (items: ReadonlyArray<Value>): ListValue => ({ ...list(items), isTuple: true })

export const markup = (text: string): Value => ({ ...constant(text), isMarkup: true })

/** A list whose items also have names. */
export const namedParts = (parts: Readonly<Record<string, Value>>): Value => {
  const names = new Map(Object.entries(parts))
  return { ...list([...names.values()]), parts: names }
}

/** A number with a decimal point, even where JavaScript shows none: `2.0`. */
export const float = (value: number): Value => ({ type: 'float', value })

export const callable = (value: Callable['value']): Callable => ({ type: 'function', value })

export const isList = (value: Value): value is ListValue => Array.isArray(value.value)

export const isFields = (value: Value): value is FieldsValue => value.value instanceof Map

/** An object, which can be looped over; what `namespace()` makes can't. */
export const isObject = (value: Value): value is FieldsValue => value.type === 'object' && isFields(value)

export const isNamespace = (value: Value): value is Value & { readonly value: Map<string, Value> } =>
  value.type === 'namespace'

export const isText = (value: Value): value is Value & { readonly value: string } =>
  typeof value.value === 'string'

export const isFloat = (value: Value): value is Value & { readonly value: number } => value.type === 'float'

/** As in Python, a boolean counts as 1 or 0. */
export const isNumber = (value: Value): value is NumberValue =>
  typeof value.value === 'number' || typeof value.value === 'boolean'

export const isMissing = ({ type }: Value): boolean => type === 'undefined'

export const isCallable = (value: Value): value is Callable => value.type === 'function'

export const isNull = ({ type }: Value): boolean => type === 'null'

/** A value as a key of an object. Keys are texts here: a number counts as its text, and nothing else can be a key. */
export const keyOf = ({ value }: Value): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined

/** An argument that is missing or null counts as not given. */
export const given = (value: Value | undefined): Value | undefined =>
  value === undefined || isMissing(value) || isNull(value) ? undefined : value

export const isTrue = (value: Value): boolean => {
  if (isList(value)) return value.value.length > 0
  return isObject(value) ? value.value.size > 0 : Boolean(value.value)
}

/** As Python's JSON shows it: for values in a list or an object. */
const shown = (value: Value): string => {
  if (isList(value)) return `[${joined(value.value.map(shown), ', ')}]`
  if (isFields(value))
    return `{${joined(
      Array.from(value.value, ([name, field]) => `${JSON.stringify(name)}: ${shown(field)}`),
      ', ',
    )}}`
  if (isCallable(value)) throw new TypeError('a function inside a list or an object')
  if (isFloat(value) && Number.isFinite(value.value)) return digitsOf(value.value)
  return isMissing(value) ? 'undefined' : JSON.stringify(value.value)
}

/** A float keeps its point: `2.0`. */
const digitsOf = (number: number): string => {
  if (Object.is(number, -0)) return '-0.0'
  return Number.isInteger(number) ? number.toFixed(1) : String(number)
}

/** As it is rendered: nothing for what is missing, null or a function. */
export const textOf = (value: Value): string => {
  if (isMissing(value) || isNull(value) || isCallable(value)) return ''
  if (isFloat(value)) return digitsOf(value.value)
  return isList(value) || isFields(value) ? shown(value) : String(value.value)
}

/** For errors, which never repeat a value. */
export const kindOf = (value: Value): string => {
  if (isText(value)) return 'a string'
  if (isList(value)) return 'a list'
  if (isFields(value)) return isNamespace(value) ? 'a namespace' : 'an object'
  if (isCallable(value)) return 'a function'
  if (isMissing(value)) return 'undefined'
  if (isNull(value)) return 'null'
  return typeof value.value === 'boolean' ? 'a boolean' : 'a number'
}

/** What looping over a value gives: items, characters or keys; for what is missing, nothing. */
export const itemsOf = (value: Value): ReadonlyArray<Value> => {
  if (isList(value)) return value.value
  if (isText(value)) return itemsOf(constant(Array.from(value.value)))
  if (isObject(value)) return Array.from(value.value.keys(), constant)
  if (isMissing(value)) return []
  throw new TypeError(`${kindOf(value)} where a list is needed`)
}

/** The fields of an object; none of what is missing. */
export const fieldsOf = (value: Value): ReadonlyMap<string, Value> => {
  if (isObject(value)) return value.value
  if (isMissing(value)) return new Map()
  throw new TypeError(`${kindOf(value)} where an object is needed`)
}

/** The fields of an object as lists of name and value. */
export const pairsOf = (value: Value): ReadonlyArray<Value> =>
  Array.from(fieldsOf(value), ([name, field]) => list([constant(name), field]))

export const numberOf = (value: Value): number => {
  if (isNumber(value)) return Number(value.value)
  throw new TypeError(`${kindOf(value)} where a number is needed`)
}

export const integerOf = (value: Value): number => {
  const number = numberOf(value)
  if (!isFloat(value)) return number
  throw new TypeError('a fraction where a whole number is needed')
}
