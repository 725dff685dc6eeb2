import { InvalidInput } from '../errors.js'
import { filterNamed } from './filters/filters.js'
import { itemAt } from './itemAt.js'
import type { Call, Identifier, Member, Node, NodeOf, Scope, Value } from './jinja.js'
import { methodsOf } from './methods.js'
import { OPERATORS, ORDERS } from './operators.js'
import { orInvalidInput } from './orInvalidInput.js'
import { type Arguments, checkArguments, NO_ARGUMENTS } from './parameters.js'
import { sliceOf } from './sliceOf.js'
import { testOfFilter } from './testArguments.js'
import { testNamed } from './tests.js'
import {
  constant,
  fields,
  isCallable,
  isFields,
  isTrue,
  itemsOf,
  keyOf,
  kindOf,
  textOf,
  tuple,
} from './values.js'

export type Evaluate = (node: Node, scope: Scope) => Value

/** An expression as text, for an error. */
export const described = (node: Node): string => {
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

/**
 * Evaluates the expressions that the engine doesn't evaluate as Jinja does: filters, tests, methods, operators, tuples
 * and places in brackets. They are ours altogether; the engine has half of them, and takes the arguments of some without
 * heeding them.
 *
 * @param subject - who was given the template: the first word of an error's message
 * @param template - which one
 * @param evaluate - evaluates any expression
 * @returns a function of an expression, which gives `undefined` for those that are the engine's
 */
export const expressions = (
  subject: string,
  template: string,
  evaluate: Evaluate,
): ((node: Node, scope: Scope) => Value | undefined) => {
  const argumentsOf = (named: Identifier | Call, scope: Scope): Arguments => {
    if (named.type === 'Identifier') return NO_ARGUMENTS
    const keywords = new Map<string, Value>()
    const positional = named.args.flatMap((node) => {
      if (node.type === 'SpreadExpression') return itemsOf(evaluate(node.argument, scope))
      if (node.type === 'KeywordArgumentExpression') keywords.set(node.key.value, evaluate(node.value, scope))
      else if (node.type !== 'KeywordSpreadExpression') return [evaluate(node, scope)]
      else for (const [key, value] of fieldsGiven(evaluate(node.argument, scope))) keywords.set(key, value)
      return []
    })
    return { positional, keywords }
  }

  const fieldsGiven = (value: Value): ReadonlyMap<string, Value> => {
    if (isFields(value)) return value.value
    throw new TypeError(`${kindOf(value)} as keyword arguments`)
  }

  /** What can't be done with these values is an error that says which part of the template it was about. */
  const attempt = <T>(expected: string, run: () => T): T => orInvalidInput(subject, template, expected, run)

  const binary = (node: NodeOf<'BinaryExpression'>, scope: Scope): Value | undefined => {
    const { operator, left, right } = node
    const operate = OPERATORS.get(operator.value)
    if (operate === undefined) return undefined
    const apply = (one: Value): Value => {
      const other = evaluate(right, scope)
      return attempt(`values that the operator ${operator.value} takes`, () => operate(one, other))
    }
    if (!isOrder(node) || !isOrder(left)) return apply(evaluate(left, scope))
    const before = evaluate(left, scope)
    return isTrue(before) ? apply(evaluate(left.right, scope)) : before
  }

  const filtered = (value: Value, filter: Identifier | Call, scope: Scope): Value => {
    const name = nameOf(filter)
    const test = testOfFilter(name)
    if (test !== undefined) return tested(value, filter, test, scope)
    const args = argumentsOf(filter, scope)
    return attempt(`values that the filter ${name} takes`, () => filterNamed(name)(value, args))
  }

  const tested = (
    value: Value,
    test: Identifier | Call,
    { name, negate }: { readonly name: string; readonly negate: boolean },
    scope: Scope,
  ): Value => {
    const args = argumentsOf(test, scope)
    return attempt(`values that the test ${name} takes`, () =>
      constant(testNamed(name)(value, args) !== negate),
    )
  }

  const refuseCall = (callee: Node, expected: string, found: string): never => {
    throw new InvalidInput(subject, { path: described(callee), expected, found })
  }

  const checkCallee = (callee: Node, scope: Scope): undefined => {
    const value = evaluate(callee, scope)
    if (!isCallable(value)) refuseCall(callee, 'a function', kindOf(value))
  }

  /** `a.strip()` and `a['strip']()` are the same, also when the name is only known now. */
  const memberName = ({ property, computed }: Member, scope: Scope): string =>
    property.type === 'Identifier' && !computed ? property.value : textOf(evaluate(property, scope))

  const called = (node: NodeOf<'CallExpression'>, scope: Scope): Value | undefined => {
    const { callee } = node
    if (callee.type !== 'MemberExpression' || callee.property.type === 'SliceExpression')
      return checkCallee(callee, scope)
    const object = evaluate(callee.object, scope)
    const name = memberName(callee, scope)
    const methods = methodsOf(object)
    const method = methods.get(name)
    if (method !== undefined) {
      const args = argumentsOf(node, scope)
      return attempt(`values that the method ${name} takes`, () => {
        checkArguments(method.parameters, args)
        return method.apply(object, args)
      })
    }
    const field = isFields(object) ? object.value.get(name) : undefined
    if (field !== undefined && isCallable(field)) return undefined
    const known =
      methods.size === 0
        ? `no method, as ${kindOf(object)} has none`
        : `one of ${[...methods.keys()].sort().join(', ')}`
    return refuseCall(callee, known, callee.computed ? 'an unknown method' : `unknown method ${name}`)
  }

  const keyGiven = (node: Node, scope: Scope): string => {
    const value = evaluate(node, scope)
    const key = keyOf(value)
    if (key === undefined) throw new TypeError(`${kindOf(value)} as a key`)
    return key
  }

  const bound = (node: Node | undefined, scope: Scope): Value | undefined => node && evaluate(node, scope)

  const member = ({ object, property, computed }: Member, scope: Scope): Value => {
    const value = evaluate(object, scope)
    if (!computed && property.type === 'Identifier') return itemAt(value, constant(property.value))
    if (property.type !== 'SliceExpression') return itemAt(value, evaluate(property, scope))
    const start = bound(property.start, scope)
    const stop = bound(property.stop, scope)
    const step = bound(property.step, scope)
    return attempt('values that a slice takes', () => sliceOf(value, { start, stop, step }))
  }

  return (node, scope) => {
    switch (node.type) {
      case 'MemberExpression':
        return member(node, scope)
      case 'ObjectLiteral':
        return fields(
          Array.from(node.value, ([key, value]) => [keyGiven(key, scope), evaluate(value, scope)]),
        )
      case 'TupleLiteral':
        return tuple(node.value.map((item) => evaluate(item, scope)))
      case 'BinaryExpression':
        return binary(node, scope)
      case 'FilterExpression':
        return filtered(evaluate(node.operand, scope), node.filter, scope)
      case 'TestExpression':
        return tested(
          evaluate(node.operand, scope),
          node.test,
          { name: node.test.value, negate: node.negate },
          scope,
        )
      case 'CallExpression':
        return called(node, scope)
      case 'CallStatement':
        return checkCallee(node.call.callee, scope)
      default:
        return undefined
    }
  }
}
