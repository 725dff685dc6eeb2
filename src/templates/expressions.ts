import { InvalidInput } from '../errors.js'
import { filterNamed } from './filters/filters.js'
import { itemAt } from './itemAt.js'
import type { Call, Identifier, Member, Node, NodeOf } from './jinja.js'
import { methodsOf } from './methodsOf.js'
import { ORDERS, operate } from './operators.js'
import { orInvalidInput } from './orInvalidInput.js'
import { applied, NO_ARGUMENTS } from './parameters.js'
import { type Scope, valueNamed } from './Scope.js'
import { sliceOf } from './sliceOf.js'
import { testOfFilter } from './testArguments.js'
import { testNamed } from './tests.js'
import type { Arguments, Value } from './Value.js'
import {
  type Callable,
  constant,
  fields,
  float,
  isCallable,
  isFields,
  isFloat,
  isMissing,
  isTrue,
  itemsOf,
  keyOf,
  kindOf,
  list,
  numberOf,
  textOf,
  tuple,
  UNDEFINED,
} from './values.js'

export type Evaluate = (node: Node, scope: Scope) => Value

/** Evaluates the expressions of a template. */
export interface Expressions {
  /** A value that can be shown: undefined in place of a function. */
  readonly evaluate: Evaluate
  /** Any value, a function included: for what is called, handed on or tested. */
  readonly evaluateAny: Evaluate
  /** What a call calls. @throws InvalidInput for what isn't a function */
  readonly callee: (call: Call, scope: Scope) => Callable
  readonly argumentsOf: (named: Identifier | Call, scope: Scope) => Arguments
}

/** An expression as text, for an error. */
const described = (node: Node): string => {
  if (node.type === 'Identifier') return node.value
  if (node.type !== 'MemberExpression') return '(expression)'
  const { object, property, computed } = node
  const name =
    property.type === 'Identifier' && !computed
      ? `.${property.value}`
      : property.type === 'IntegerLiteral' || property.type === 'StringLiteral'
        ? `[${JSON.stringify(property.value)}]`
        : '[…]'
  return described(object) + name
}

const nameOf = (named: Identifier | Call): string =>
  described(named.type === 'CallExpression' ? named.callee : named)

const isOrder = (node: Node): node is NodeOf<'BinaryExpression'> =>
  node.type === 'BinaryExpression' && ORDERS.has(node.operator.value)

const keywordsIn = (value: Value): ReadonlyMap<string, Value> => {
  if (isFields(value)) return value.value
  throw new TypeError(`${kindOf(value)} as keyword arguments`)
}

/**
 * Makes what evaluates the expressions of a template.
 *
 * @param subject - who was given the template: the first word of an error's message
 * @param template - which one
 */
export const expressions = (subject: string, template: string): Expressions => {
  const evaluate: Evaluate = (node, scope) => {
    const value = evaluateAny(node, scope)
    return isCallable(value) ? UNDEFINED : value
  }

  const argumentsOf = (named: Identifier | Call, scope: Scope): Arguments => {
    if (named.type === 'Identifier') return NO_ARGUMENTS
    const keywords = new Map<string, Value>()
    const give = (key: string, value: Value): void => {
      if (keywords.has(key)) throw new TypeError(`a call with ${key} given twice`)
      keywords.set(key, value)
    }
    const positional = named.args.flatMap((node) => {
      if (node.type === 'SpreadExpression') return itemsOf(evaluate(node.argument, scope))
      if (node.type === 'KeywordArgumentExpression') give(node.key.value, evaluateAny(node.value, scope))
      else if (node.type !== 'KeywordSpreadExpression') return [evaluateAny(node, scope)]
      else for (const [key, value] of keywordsIn(evaluate(node.argument, scope))) give(key, value)
      return []
    })
    return { positional, keywords }
  }

  /** What can't be done with these values is an error that names the template. */
  const attempt = <T>(expected: string, run: () => T): T => orInvalidInput(subject, template, expected, run)

  const unary = ({ operator, argument }: NodeOf<'UnaryExpression'>, scope: Scope): Value => {
    const value = evaluateAny(argument, scope)
    if (operator.value === 'not') return constant(!isTrue(value))
    return attempt(`values that the operator ${operator.value} accepts`, () => {
      const number = operator.value === '-' ? -numberOf(value) : numberOf(value)
      return isFloat(value) ? float(number) : constant(number)
    })
  }

  const binary = (node: NodeOf<'BinaryExpression'>, scope: Scope): Value => {
    const { operator, left, right } = node
    const name = operator.value
    if (name === 'and' || name === 'or') {
      const first = evaluateAny(left, scope)
      return isTrue(first) === (name === 'and') ? evaluateAny(right, scope) : first
    }
    const apply = (one: Value): Value => {
      const other = evaluate(right, scope)
      return attempt(`values that the operator ${name} accepts`, () => operate(name, one, other))
    }
    if (!isOrder(node) || !isOrder(left)) return apply(evaluate(left, scope))
    const before = evaluate(left, scope)
    return isTrue(before) ? apply(evaluate(left.right, scope)) : before
  }

  const filtered = (value: Value, filter: Identifier | Call, scope: Scope): Value => {
    const name = nameOf(filter)
    const args = argumentsOf(filter, scope)
    const test = testOfFilter(name)
    if (test !== undefined) return tested(value, test.name, test.negate, args)
    return attempt(`values that the filter ${name} accepts`, () => filterNamed(name)(value, args))
  }

  const tested = (value: Value, name: string, negate: boolean, args: Arguments): Value =>
    attempt(`values that the test ${name} accepts`, () => constant(testNamed(name)(value, args) !== negate))

  const refuseCall = (callee: Node, expected: string, found: string): never => {
    throw new InvalidInput(subject, { path: described(callee), expected, found })
  }

  const callee = ({ callee: node }: Call, scope: Scope): Callable => {
    const value = evaluateAny(node, scope)
    return isCallable(value) ? value : refuseCall(node, 'a function', kindOf(value))
  }

  /** What an attribute or an item is read from. */
  const baseOf = ({ object }: Member, scope: Scope): Value => {
    const value = evaluateAny(object, scope)
    if (!isMissing(value)) return value
    throw new InvalidInput(subject, {
      path: described(object),
      expected: `a value, because ${template} reads an attribute of it`,
      found: 'undefined',
    })
  }

  const member = (node: Member, scope: Scope): Value => {
    const { property } = node
    const value = baseOf(node, scope)
    if (property.type !== 'SliceExpression') return itemAt(value, keyRead(node, scope))
    const start = bound(property.start, scope)
    const stop = bound(property.stop, scope)
    const step = bound(property.step, scope)
    return attempt('values that a slice accepts', () => sliceOf(value, { start, stop, step }))
  }

  const bound = (node: Node | undefined, scope: Scope): Value | undefined => node && evaluate(node, scope)

  /** `a.strip` and `a['strip']` are the same, even when the name is known only now. */
  const keyRead = ({ property, computed }: Member, scope: Scope): Value =>
    property.type === 'Identifier' && !computed ? constant(property.value) : evaluate(property, scope)

  const called = (node: Call, scope: Scope): Value => {
    const { callee: named } = node
    if (named.type !== 'MemberExpression' || named.property.type === 'SliceExpression')
      return callee(node, scope).value(argumentsOf(node, scope))
    const object = baseOf(named, scope)
    const key = keyRead(named, scope)
    const name = textOf(key)
    const methods = methodsOf(object)
    const method = methods.get(name)
    if (method !== undefined) {
      const args = argumentsOf(node, scope)
      return attempt(`values that the method ${name} accepts`, () => applied(method, object, args))
    }
    const item = itemAt(object, key)
    if (isCallable(item)) return item.value(argumentsOf(node, scope))
    const known =
      methods.size === 0
        ? `no method, as ${kindOf(object)} has none`
        : `one of ${[...methods.keys()].sort().join(', ')}`
    return refuseCall(named, known, named.computed ? 'an unknown method' : `unknown method ${name}`)
  }

  const keyGiven = (node: Node, scope: Scope): string => {
    const value = evaluate(node, scope)
    const key = keyOf(value)
    if (key === undefined) throw new TypeError(`${kindOf(value)} as a key`)
    return key
  }

  const evaluateAny: Evaluate = (node, scope) => {
    switch (node.type) {
      case 'Identifier':
        return valueNamed(node.value, scope)
      case 'StringLiteral':
      case 'IntegerLiteral':
        return constant(node.value)
      case 'FloatLiteral':
        return float(node.value)
      case 'ArrayLiteral':
        return list(node.value.map((item) => evaluate(item, scope)))
      case 'TupleLiteral':
        return tuple(node.value.map((item) => evaluate(item, scope)))
      case 'ObjectLiteral':
        return fields(
          Array.from(node.value, ([key, value]) => [keyGiven(key, scope), evaluate(value, scope)]),
        )
      case 'MemberExpression':
        return member(node, scope)
      case 'UnaryExpression':
        return unary(node, scope)
      case 'BinaryExpression':
        return binary(node, scope)
      case 'Ternary':
        return evaluateAny(isTrue(evaluateAny(node.condition, scope)) ? node.trueExpr : node.falseExpr, scope)
      case 'SelectExpression':
        return isTrue(evaluateAny(node.test, scope)) ? evaluateAny(node.lhs, scope) : UNDEFINED
      case 'FilterExpression':
        return filtered(evaluate(node.operand, scope), node.filter, scope)
      case 'TestExpression':
        return tested(evaluateAny(node.operand, scope), node.test.value, node.negate, NO_ARGUMENTS)
      case 'CallExpression':
        return called(node, scope)
      default:
        throw new TypeError(`${node.type} where an expression is needed`)
    }
  }

  return { evaluate, evaluateAny, callee, argumentsOf }
}
