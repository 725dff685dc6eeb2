import { FILTER_ALIASES, FILTERS } from './filters.js'
import { type Call, type Filter, type FilterBlock, type Identifier, jinja, type Node } from './jinja.js'
import { nodesOf } from './walkNodes.js'

const nameOf = (filter: Identifier | Call): Node => (filter.type === 'Identifier' ? filter : filter.callee)

const emptyCall = (name: string): Filter['filter'] => {
  const [filtered] = jinja.parse(jinja.tokenize(`{{ value | ${name}() }}`)).body
  if (filtered?.type !== 'FilterExpression') throw new TypeError(`No filter expression in a call of ${name}`)
  return filtered.filter
}

const adaptFilter = (node: Filter | FilterBlock): void => {
  const name = nameOf(node.filter)
  if (name.type !== 'Identifier') return
  name.value = FILTER_ALIASES.get(name.value) ?? name.value
  const form = FILTERS.get(name.value)?.arguments
  if (form === 'always' && node.filter.type === 'Identifier') node.filter = emptyCall(name.value)
  if (form === 'never' && node.filter.type === 'CallExpression') node.filter = name
}

/**
 * Makes the engine read what Jinja reads: `upper()` as `upper`, `default` as `default()`, other names of filters, and
 * `set [a, b] = …` as `set a, b = …`. Changes the nodes.
 */
export const adaptNodes = (program: Node): void => {
  for (const node of nodesOf(program)) {
    if (node.type === 'FilterExpression' || node.type === 'FilterStatement') adaptFilter(node)
    if (node.type === 'Set' && node.assignee.type === 'ArrayLiteral') node.assignee.type = 'TupleLiteral'
  }
}
