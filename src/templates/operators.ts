import { boundedItems, joined, repeated } from './bounds.js'
import { compare } from './compare.js'
import { printf } from './filters/printf.js'
import { isEqual } from './isEqual.js'
import { isIn } from './isIn.js'
import type { Value } from './Value.js'
import {
  constant,
  float,
  isFields,
  isFloat,
  isList,
  isNumber,
  isText,
  kindOf,
  list,
  numberOf,
  textOf,
} from './values.js'

type Operator = (left: Value, right: Value) => Value

const refuse = (left: Value, right: Value): never => {
  throw new TypeError(`${kindOf(left)} and ${kindOf(right)}`)
}

/** Two whole numbers give a whole one, and 0 has no sign then. */
const arithmetic =
  (calculate: (left: number, right: number) => number): Operator =>
  (left, right) => {
    if (!isNumber(left) || !isNumber(right)) return refuse(left, right)
    const result = calculate(numberOf(left), numberOf(right))
    return isFloat(left) || isFloat(right) ? float(result) : constant(result + 0)
  }

const divisor = (number: number): number => {
  if (number !== 0) return number
  throw new RangeError('a division by zero')
}

const minus = arithmetic((left, right) => left - right)
const times = arithmetic((left, right) => left * right)
const plus = arithmetic((left, right) => left + right)

const haveOneSign = (left: number, right: number): boolean => left < 0 === right < 0

/** The remainder has the sign of the divisor, as in Python. */
export const modulo = arithmetic((left, right) => {
  const rest = left % divisor(right)
  if (rest === 0) return right < 0 ? -0 : 0
  return haveOneSign(rest, right) ? rest : rest + right
})

/** Not the quotient rounded down, which is 10 for `1 // 0.1`: as a double, 0.1 is a little more than a tenth. */
const floorDivide = arithmetic((left, right) => {
  const rest = left % divisor(right)
  const truncated = Math.round((left - rest) / right)
  const whole = rest === 0 || haveOneSign(rest, right) ? truncated : truncated - 1
  // A zero gets the sign of the quotient.
  return whole === 0 ? 0 * (left / right) : whole
})

export const add: Operator = (left, right) => {
  if (isText(left) && isText(right)) return constant(joined([left.value, right.value], ''))
  if (!isList(left) || !isList(right)) return plus(left, right)
  boundedItems(left.value.length + right.value.length)
  return list([...left.value, ...right.value])
}

const multiply: Operator = (left, right) => {
  const [what, number] = isNumber(left) ? [right, left] : [left, right]
  if (!isNumber(number) || isFloat(number) || (!isText(what) && !isList(what))) return times(left, right)
  const count = numberOf(number)
  if (isText(what)) return constant(repeated(what.value, count))
  const length = what.value.length === 0 ? 0 : boundedItems(what.value.length * count) / what.value.length
  return list(Array.from({ length }, () => what.value).flat())
}

const divide: Operator = (left, right) =>
  isNumber(left) && isNumber(right) ? float(numberOf(left) / divisor(numberOf(right))) : refuse(left, right)

const raise = arithmetic((left, right) => {
  const result = left ** right
  if (Number.isFinite(result)) return result
  throw new RangeError('a number that is not finite')
})

/** A negative exponent gives a float, even of two whole numbers. */
const power: Operator = (left, right) =>
  raise(left, isNumber(right) && numberOf(right) < 0 ? float(numberOf(right)) : right)

const remainder: Operator = (left, right) => {
  if (!isText(left)) return modulo(left, right)
  const positional = right.isTuple && isList(right) ? right.value : [right]
  return constant(printf(left.value, { positional, keywords: isFields(right) ? right.value : new Map() }))
}

type Comparison = (left: Value, right: Value) => boolean

/** The operators that compare two values; most of them are tests, too. */
export const COMPARISONS = {
  '==': isEqual,
  '!=': (left, right) => !isEqual(left, right),
  '<': (left, right) => compare(left, right) < 0,
  '<=': (left, right) => compare(left, right) <= 0,
  '>': (left, right) => compare(left, right) > 0,
  '>=': (left, right) => compare(left, right) >= 0,
  in: isIn,
  'not in': (left, right) => !isIn(left, right),
} satisfies Readonly<Record<string, Comparison>>

/** A chain of these, such as `1 < x < 5`, means that each of them holds. */
export const ORDERS: ReadonlySet<string> = new Set(['<', '<=', '>', '>='])

/** The operators of two values, except `and` and `or`, which don't always need both. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['~', (left, right) => constant(joined([textOf(left), textOf(right)], ''))],
  ['+', add],
  ['-', minus],
  ['*', multiply],
  ['/', divide],
  ['//', floorDivide],
  ['%', remainder],
  ['**', power],
  ...Object.entries(COMPARISONS).map(([name, holds]): [string, Operator] => [
    name,
    (left, right) => constant(holds(left, right)),
  ]),
])

/** @throws TypeError for values that the operator isn't for */
export const operate = (operator: string, left: Value, right: Value): Value =>
  (OPERATORS.get(operator) ?? refuse)(left, right)
