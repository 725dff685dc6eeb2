import { flagArgument, integerArgument, textArgument } from '../arguments.js'
import { EXACT, fixed } from '../fixed.js'
import { filter } from '../parameters.js'
import { strip } from '../strip.js'
import type { Filter, Value } from '../Value.js'
import { constant, float, isFloat, isMissing, isNumber, isText, numberOf } from '../values.js'

const trimmed = (text: string): string => strip(text, undefined, 'both')

const PREFIXES: ReadonlyMap<number, RegExp> = new Map([
  [2, /^0b/i],
  [8, /^0o/i],
  [16, /^0x/i],
])

const safe = (number: number): number => {
  if (Number.isSafeInteger(number)) return number
  throw new RangeError('a number too large to be exact')
}

/** Reads a whole text as Python's `int` does. */
const readInteger = (text: string, base: number): number | undefined => {
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/s.exec(trimmed(text)) ?? []
  const plain = digits.replace(PREFIXES.get(base) ?? /^$/, '')
  if (!/^[\da-z]+(?:_[\da-z]+)*$/i.test(plain)) return undefined
  const all = plain.replaceAll('_', '')
  if ([...all].some((digit) => !(Number.parseInt(digit, 36) < base))) return undefined
  const number = safe(Number.parseInt(all, base))
  return sign === '-' ? 0 - number : number
}

// No two parts of it can match the same digits, so that a text that doesn't match fails in one pass.
const FLOAT = /^[-+]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+)?$/i

/** Reads a whole text as Python's `float` does, except infinities. */
const readFloat = (text: string): number | undefined => {
  const number = trimmed(text)
  if (!FLOAT.test(number)) return undefined
  const value = Number(number.replaceAll('_', ''))
  return Number.isFinite(value) ? value : undefined
}

const toFloat = (value: Value): number | undefined => {
  if (isText(value)) return readFloat(value.value)
  return isNumber(value) ? numberOf(value) : undefined
}

const toInteger = (value: Value, base: number): number | undefined => {
  if (base < 2 || base > 36) throw new RangeError('a base outside 2 to 36')
  const integer = isText(value) ? readInteger(value.value, base) : undefined
  if (integer !== undefined) return integer
  const number = toFloat(value)
  return number === undefined || !Number.isFinite(number) ? undefined : safe(Math.trunc(number) + 0)
}

const ROUNDINGS: ReadonlyMap<string, (value: number, precision: number) => number> = new Map([
  [
    'common',
    (value: number, precision: number) => {
      if (precision > EXACT || value === 0) return value
      const unit = 10 ** -precision
      return precision >= 0 ? Number(fixed(value, precision)) : Number(fixed(value / unit, 0)) * unit
    },
  ],
  // As in Python, the number in between is a whole one, so its 0 has no sign.
  ['ceil', (value: number, precision: number) => (Math.ceil(value * 10 ** precision) + 0) / 10 ** precision],
  [
    'floor',
    (value: number, precision: number) => (Math.floor(value * 10 ** precision) + 0) / 10 ** precision,
  ],
])

const rounded = (value: Value, precision: number, method: string): Value => {
  const round = ROUNDINGS.get(method)
  if (round === undefined) throw new TypeError('a method other than common, ceil and floor')
  if (Math.abs(precision) > 300) throw new RangeError('a precision beyond 300 digits')
  const result = round(numberOf(value), precision)
  if (!Number.isFinite(result)) throw new RangeError('a number that is not finite')
  // As in Python, a whole number stays one, except under `ceil` and `floor`.
  return method === 'common' && !isFloat(value) ? constant(result) : float(result)
}

const UNITS = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']

const fileSize = (bytes: number, binary: boolean): string => {
  const base = binary ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`
  const power = UNITS.findIndex((_, index) => bytes < base ** (index + 2))
  const index = power === -1 ? UNITS.length - 1 : power
  const unit = UNITS[index] ?? ''
  const prefix = binary ? `${unit.toUpperCase()}i` : unit
  return `${fixed((base * bytes) / base ** (index + 2), 1)} ${prefix}B`
}

export const NUMBER_FILTERS: Readonly<Record<string, Filter>> = {
  abs: filter([], (value) => {
    const number = Math.abs(numberOf(value))
    return isFloat(value) ? float(number) : constant(number)
  }),
  int: filter(['default?', 'base?'], (value, fallback = constant(0), base) => {
    const integer = toInteger(value, integerArgument(base, 10))
    return integer === undefined ? fallback : constant(integer)
  }),
  float: filter(['default?'], (value, fallback = float(0)) => {
    const number = toFloat(value)
    return number === undefined ? fallback : float(number)
  }),
  round: filter(['precision?', 'method?'], (value, precision, method) =>
    rounded(value, integerArgument(precision, 0), textArgument(method, 'common')),
  ),
  filesizeformat: filter(['binary?'], (value, binary) => {
    const bytes = isMissing(value) ? undefined : toFloat(value)
    if (bytes === undefined) throw new TypeError('something other than a number of bytes')
    return constant(fileSize(bytes, flagArgument(binary)))
  }),
}
