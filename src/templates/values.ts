import { type Callable, jinja, type Value } from './jinja.js'

export type ListValue = Value & { readonly value: ReadonlyArray<Value> }

/** Objects, and what `namespace()` makes. */
export type FieldsValue = Value & { readonly value: ReadonlyMap<string, Value> }

export type NumberValue = Value & { readonly value: number | boolean }

// Only a scope converts values, and to make one for each would cost more than they do.
const CONVERTER = new jinja.Environment()

/** A plain value as the engine holds it; lists and objects with all that is in them. */
export const constant = (value: unknown): Value => {
  const made = CONVERTER.set('value', value)
  CONVERTER.variables.delete('value')
  return made
}

export const UNDEFINED: Value = constant(undefined)

/** A list of values that are the engine's already. */
export const list = (items: ReadonlyArray<Value>): ListValue => Object.assign(constant([]), { value: items })

/** An object with values in it that are the engine's already. */
export const fields = (entries: Iterable<readonly [string, Value]>): Value =>
  Object.assign(constant({}), { value: new Map(entries) })

const TUPLES = new WeakSet<Value>()

/** A list that is several values for `%`. The engine's own tuple can neither be shown nor unpacked. */
export const tuple = (items: ReadonlyArray<Value>): ListValue => {
  const made = list(items)
  TUPLES.add(made)
  return made
}

export const isTuple = (value: Value): value is ListValue => TUPLES.has(value)

const MARKUP = new WeakSet<Value>()

/** A text that `escape` leaves as it is. Only filters in a row see that: what is made of it is any text. */
export const markup = (text: string): Value => {
  const made = constant(text)
  MARKUP.add(made)
  return made
}

export const isMarkup = (value: Value): boolean => MARKUP.has(value)

const PARTS = new WeakMap<Value, ReadonlyMap<string, Value>>()

/** A list whose items also have names, under which the engine and `attribute` find them. */
export const namedParts = (parts: Readonly<Record<string, Value>>): Value => {
  const names = new Map(Object.entries(parts))
  const made = list([...names.values()])
  PARTS.set(made, names)
  // Where the engine looks for what can be read of a list; a list's own are made when they are first read.
  return Object.defineProperty(made, 'builtins', { value: names })
}

export const partNamed = (value: Value, name: string): Value | undefined => PARTS.get(value)?.get(name)

/** A number with a decimal point, also where JavaScript sees none: `2.0`. */
export const float = (value: number): Value => Object.assign(constant(0.5), { value })

export const isList = (value: Value): value is ListValue => Array.isArray(value.value)

export const isFields = (value: Value): value is FieldsValue => value.value instanceof Map

/** An object, which can be looped over; what `namespace()` makes can not. */
export const isObject = (value: Value): value is FieldsValue =>
  value.type === 'ObjectValue' && isFields(value)

export const isText = (value: Value): value is Value & { readonly value: string } =>
  typeof value.value === 'string'

export const isFloat = ({ type }: Value): boolean => type === 'FloatValue'

/** A truth value counts as 1 or 0, as in Python. */
export const isNumber = (value: Value): value is NumberValue =>
  typeof value.value === 'number' || typeof value.value === 'boolean'

export const isMissing = ({ type }: Value): boolean => type === 'UndefinedValue'

export const isCallable = (value: Value): value is Callable => value.type === 'FunctionValue'

export const isNull = ({ type }: Value): boolean => type === 'NullValue'

/** As a key of an object, which is a text here: a number is the text of one, and nothing else is a key. */
export const keyOf = ({ value }: Value): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined

/** Neither missing nor null: as an argument, it was given. */
export const given = (value: Value | undefined): Value | undefined =>
  value === undefined || isMissing(value) || isNull(value) ? undefined : value

export const isTrue = (value: Value): boolean => {
  if (isList(value)) return value.value.length > 0
  return isObject(value) ? value.value.size > 0 : Boolean(value.value)
}

/** As it is rendered: what is missing, null or a function is nothing. */
export const textOf = (value: Value): string =>
  isMissing(value) || isNull(value) || isCallable(value) ? '' : value.toString()

/** For errors, which never repeat a value. */
export const kindOf = (value: Value): string => {
  if (isText(value)) return 'a text'
  if (isList(value)) return 'a list'
  if (isFields(value)) return value.type === 'NamespaceValue' ? 'a namespace' : 'an object'
  if (isCallable(value)) return 'a function'
  if (isMissing(value)) return 'undefined'
  if (isNull(value)) return 'null'
  return typeof value.value === 'boolean' ? 'a truth value' : 'a number'
}

/** What looping over a value gives: items, characters, keys; nothing for what is missing. */
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
  if (Number.isInteger(number) && !isFloat(value)) return number
  throw new TypeError('a fraction where a whole number is needed')
}
