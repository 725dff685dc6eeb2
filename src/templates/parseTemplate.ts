import { jinja, type NodeOf } from './jinja.js'
import { withTestArguments } from './testArguments.js'
import { nodesOf } from './walkNodes.js'

/**
 * Parses a template, and makes of it what Jinja reads where the engine's parser reads something else: tests with
 * arguments, and `set [a, b] = …` as `set a, b = …`.
 */
export const parseTemplate = (source: string): NodeOf<'Program'> => {
  const program = jinja.parse(withTestArguments(jinja.tokenize(source)))
  for (const node of nodesOf(program)) {
    if (node.type === 'Set' && node.assignee.type === 'ArrayLiteral') node.assignee.type = 'TupleLiteral'
  }
  return program
}
