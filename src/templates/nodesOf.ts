import type { Node, Parameter } from './jinja.js'
import { targetOf, withSetFilters } from './setFilters.js'

const defaultsOf = (parameters: ReadonlyArray<Parameter>): ReadonlyArray<Node> =>
  parameters.flatMap((parameter) => (parameter.type === 'Identifier' ? [] : [parameter.value]))

/** What assigning to a target reads: nothing, except `namespace.attribute` and the filters of a block. */
const readsOfTarget = (target: Node): ReadonlyArray<Node> => {
  if (target.type === 'FilterExpression')
    return [...readsOfTarget(targetOf(target)), withSetFilters(target, { type: 'StringLiteral', value: '' })]
  return target.type === 'MemberExpression' ? [target.object] : []
}

const present = (...nodes: ReadonlyArray<Node | null | undefined>): ReadonlyArray<Node> =>
  nodes.filter((node) => node != null)

/** The nodes below one that are evaluated, so no names of filters, tests, attributes or assigned variables. */
export const childrenOf = (node: Node): ReadonlyArray<Node> => {
  switch (node.type) {
    case 'Program':
      return node.body
    case 'If':
      return [node.test, ...node.body, ...node.alternate]
    case 'For':
      return [node.iterable, ...node.body, ...node.defaultBlock]
    case 'Set':
      return [...readsOfTarget(node.assignee), ...present(node.value), ...node.body]
    case 'Macro':
      return [...defaultsOf(node.args), ...node.body]
    case 'CallStatement':
      return [node.call, ...defaultsOf(node.callerArgs ?? []), ...node.body]
    case 'FilterStatement':
      return [...node.body, ...(node.filter.type === 'CallExpression' ? node.filter.args : [])]
    case 'MemberExpression':
      return node.computed ? [node.object, node.property] : [node.object]
    case 'CallExpression':
      return [node.callee, ...node.args]
    case 'ArrayLiteral':
    case 'TupleLiteral':
      return node.value
    case 'ObjectLiteral':
      return [...node.value].flat()
    case 'BinaryExpression':
      return [node.left, node.right]
    case 'FilterExpression':
      return [node.operand, ...(node.filter.type === 'CallExpression' ? node.filter.args : [])]
    case 'SelectExpression':
      return [node.lhs, node.test]
    case 'TestExpression':
      return [node.operand]
    case 'UnaryExpression':
    case 'SpreadExpression':
    case 'KeywordSpreadExpression':
      return [node.argument]
    case 'SliceExpression':
      return present(node.start, node.stop, node.step)
    case 'KeywordArgumentExpression':
      return [node.value]
    case 'Ternary':
      return [node.condition, node.trueExpr, node.falseExpr]
    case 'Identifier':
    case 'IntegerLiteral':
    case 'FloatLiteral':
    case 'StringLiteral':
    case 'Comment':
    case 'Break':
    case 'Continue':
      return []
  }
}

/** A node and all below it. */
export const nodesOf = (node: Node): ReadonlyArray<Node> => [node, ...childrenOf(node).flatMap(nodesOf)]
