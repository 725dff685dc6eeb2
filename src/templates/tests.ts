import { COMPARISONS, modulo } from './operators.js'
import { named } from './parameters.js'
import type { Applicable, Value } from './Value.js'
import {
  constant,
  isCallable,
  isFields,
  isFloat,
  isList,
  isMissing,
  isNull,
  isNumber,
  isObject,
  isText,
  numberOf,
  textOf,
  UNDEFINED,
} from './values.js'

type Test = Applicable<boolean>

const property = (holds: (value: Value) => boolean): Test => ({ parameters: [], apply: holds })

/** A test against another value; in Jinja, too, that parameter has no name of its own. */
const relation = (holds: (value: Value, other: Value) => boolean): Test => ({
  parameters: ['value'],
  apply: (value, { positional, keywords }) =>
    holds(value, positional[0] ?? keywords.get('value') ?? UNDEFINED),
})

const isTruthValue = (value: Value): boolean => typeof value.value === 'boolean'

const isInteger = (value: Value): boolean => value.type === 'integer'

const isSequence = (value: Value): boolean =>
  isText(value) || isList(value) || isObject(value) || isMissing(value)

const remainder = (value: Value, divisor: Value): number =>
  numberOf(modulo(constant(numberOf(value)), constant(numberOf(divisor))))

const isInCase = (convert: 'toLowerCase' | 'toUpperCase') => (value: Value) => {
  const text = textOf(value)
  // A text without letters of either case is neither.
  return text === text[convert]() && text.toLowerCase() !== text.toUpperCase()
}

const isSame = (value: Value, other: Value): boolean =>
  value === other ||
  (value.type === other.type && !isList(value) && !isFields(value) && value.value === other.value)

const under = (names: ReadonlyArray<string>, test: Test): ReadonlyArray<readonly [string, Test]> =>
  names.map((name) => [name, test])

/** Jinja's tests. */
export const TESTS: ReadonlyMap<string, Test> = new Map([
  ['boolean', property(isTruthValue)],
  ['callable', property(isCallable)],
  ['defined', property((value) => !isMissing(value))],
  ['undefined', property(isMissing)],
  ['none', property(isNull)],
  ['true', property(({ value }) => value === true)],
  ['false', property(({ value }) => value === false)],
  ['string', property(isText)],
  ['number', property(isNumber)],
  ['integer', property(isInteger)],
  ['float', property(isFloat)],
  ['iterable', property(isSequence)],
  ['sequence', property(isSequence)],
  ['mapping', property(isObject)],
  ['lower', property(isInCase('toLowerCase'))],
  ['upper', property(isInCase('toUpperCase'))],
  ['odd', property((value) => remainder(value, constant(2)) === 1)],
  ['even', property((value) => remainder(value, constant(2)) === 0)],
  ['divisibleby', relation((value, divisor) => remainder(value, divisor) === 0)],
  ['sameas', relation(isSame)],
  ['in', relation(COMPARISONS.in)],
  ...under(['eq', 'equalto', '=='], relation(COMPARISONS['=='])),
  ...under(['ne', '!='], relation(COMPARISONS['!='])),
  ...under(['lt', 'lessthan', '<'], relation(COMPARISONS['<'])),
  ...under(['le', '<='], relation(COMPARISONS['<='])),
  ...under(['gt', 'greaterthan', '>'], relation(COMPARISONS['>'])),
  ...under(['ge', '>='], relation(COMPARISONS['>='])),
])

/** @throws TypeError for an unknown test, and for arguments that don't fit */
export const testNamed = (name: string): Test['apply'] => named(TESTS, 'test', name)
