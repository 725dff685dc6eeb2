import { GLOBALS } from './globals.js'
import type { Node, Parameter } from './jinja.js'
import { childrenOf, nodesOf } from './nodesOf.js'

/** The names that a `set` or a loop gives values to, those in a tuple included. */
export const namesOf = (target: Node): ReadonlyArray<string> => {
  switch (target.type) {
    case 'Identifier':
      return [target.value]
    case 'TupleLiteral':
    case 'ArrayLiteral':
      return target.value.flatMap(namesOf)
    case 'FilterExpression':
      return namesOf(target.operand)
    default:
      return []
  }
}

export const parameterNames = (parameters: ReadonlyArray<Parameter> | null): ReadonlyArray<string> =>
  (parameters ?? []).map((parameter) =>
    parameter.type === 'Identifier' ? parameter.value : parameter.key.value,
  )

const IN_MACRO = ['varargs', 'kwargs', 'caller']

/** The names that a node declares, for what lies below it or after it. */
export const declaredBy = (node: Node): ReadonlyArray<string> => {
  switch (node.type) {
    case 'Set':
      return namesOf(node.assignee)
    case 'For':
      return ['loop', ...namesOf(node.loopvar)]
    case 'Macro':
      return [node.name.value, ...IN_MACRO, ...parameterNames(node.args)]
    case 'CallStatement':
      return [...IN_MACRO, ...parameterNames(node.callerArgs)]
    default:
      return []
  }
}

type Bound = ReadonlySet<string>

const and = (bound: Bound, names: ReadonlyArray<string>): Bound => new Set([...bound, ...names])

const reads = (node: Node, bound: Bound): ReadonlyArray<string> => {
  const all = (nodes: ReadonlyArray<Node>, visible: Bound): ReadonlyArray<string> =>
    nodes.flatMap((child) => reads(child, visible))
  switch (node.type) {
    case 'Identifier':
      return bound.has(node.value) ? [] : [node.value]
    case 'For': {
      const within = and(bound, declaredBy(node))
      const { iterable, body, defaultBlock } = node
      const source =
        iterable.type === 'SelectExpression'
          ? [...reads(iterable.lhs, bound), ...reads(iterable.test, within)]
          : reads(iterable, bound)
      return [...source, ...all(body, within), ...all(defaultBlock, bound)]
    }
    case 'Macro':
      return all(childrenOf(node), and(bound, declaredBy(node)))
    case 'CallStatement':
      return [...reads(node.call, bound), ...all(childrenOf(node).slice(1), and(bound, declaredBy(node)))]
    default:
      return all(childrenOf(node), bound)
  }
}

/** Names given by a `set` or a macro count as assigned in the whole template, even before that. */
const assignedNames = (program: Node): ReadonlyArray<string> =>
  nodesOf(program).flatMap((node) => {
    if (node.type === 'Set') return namesOf(node.assignee)
    return node.type === 'Macro' ? [node.name.value] : []
  })

/** The names that a template reads but gives no value itself: its inputs, in alphabetical order. */
export const freeVariables = (program: Node): ReadonlyArray<string> =>
  [...new Set(reads(program, and(new Set(GLOBALS.keys()), assignedNames(program))))].sort()
