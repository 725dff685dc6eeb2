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

const identifier = (value: string): Identifier => ({ type: 'Identifier', value })

/** `join(', ', attribute='name')`: the engine knows the attribute for `map` only, and the separator by its place. */
const adaptJoin = (node: Filter): void => {
  const { filter } = node
  if (filter.type !== 'CallExpression' || filter.args.some(({ type }) => type.endsWith('SpreadExpression')))
    return
  const [first, second] = filter.args.filter(({ type }) => type !== 'KeywordArgumentExpression')
  const named = (name: string): Node | undefined =>
    filter.args.flatMap((argument) =>
      argument.type === 'KeywordArgumentExpression' && argument.key.value === name ? [argument.value] : [],
    )[0]
  const separator = first ?? named('d')
  const attribute = second ?? named('attribute')
  node.filter = { ...filter, type: filter.type, args: separator === undefined ? [] : [separator] }
  if (attribute === undefined) return
  const key = identifier('attribute')
  const args = [{ type: 'KeywordArgumentExpression', key, value: attribute } as const]
  const map: Call = { type: 'CallExpression', callee: identifier('map'), args }
  node.operand = { type: 'FilterExpression', operand: node.operand, filter: map }
}

const adaptOperand = (node: Filter): void => {
  const name = nameOf(node.filter)
  if (name.type !== 'Identifier') return
  if (name.value === 'join') adaptJoin(node)
  // The engine leaves all characters but the first as they are.
  if (name.value === 'capitalize')
    node.operand = { type: 'FilterExpression', operand: node.operand, filter: identifier('lower') }
}

/**
 * Makes the engine read what Jinja reads: `upper()` as `upper`, `default` as `default()`, other names of filters, the
 * arguments of `join`, `capitalize` as what also lowers the rest, and `set [a, b] = …` as `set a, b = …`. Changes the
 * nodes.
 */
export const adaptNodes = (program: Node): void => {
  for (const node of nodesOf(program)) {
    if (node.type === 'FilterExpression' || node.type === 'FilterStatement') adaptFilter(node)
    if (node.type === 'FilterExpression') adaptOperand(node)
    if (node.type === 'Set' && node.assignee.type === 'ArrayLiteral') node.assignee.type = 'TupleLiteral'
  }
}
