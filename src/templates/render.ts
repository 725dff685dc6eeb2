import { InvalidInput } from '../errors.js'
import { described, expressions } from './expressions.js'
import { scopeOf } from './globals.js'
import { jinja, type Node, type Scope, type Value } from './jinja.js'
import { orInvalidInput } from './orInvalidInput.js'
import { statements } from './statements.js'
import { isCallable, isMissing, textOf, UNDEFINED } from './values.js'
import { nodesOf } from './walkNodes.js'

/** Where in a template values are treated as Jinja does, and the engine doesn't. */
interface Places {
  /** What an attribute is read of: an error when it is missing. */
  readonly bases: ReadonlySet<Node>
  /** The loops that are asked where they are: `loop` costs more than a turn does. */
  readonly loops: ReadonlySet<Node>
  /** Where a function may stand; elsewhere it would show its source. */
  readonly callables: ReadonlySet<Node>
}

/** Where a macro or `caller` may be given on, or asked for; not a method of a value, which is of use when called only. */
const callablesBelow = (node: Node): ReadonlyArray<Node> => {
  switch (node.type) {
    case 'CallExpression':
      return node.args
    case 'KeywordArgumentExpression':
      return [node.value]
    case 'TestExpression':
      return [node.operand]
    case 'Set':
      return node.value === null ? [] : [node.value]
    case 'If':
    case 'SelectExpression':
      return [node.test]
    case 'Ternary':
      return [node.condition]
    case 'UnaryExpression':
      return [node.argument]
    case 'BinaryExpression':
      return ['and', 'or'].includes(node.operator.value) ? [node.left, node.right] : []
    default:
      return []
  }
}

const calledIn = (node: Node): ReadonlyArray<Node> => (node.type === 'CallExpression' ? [node.callee] : [])

const isLoop = (node: Node): boolean => node.type === 'Identifier' && node.value === 'loop'

const placesIn = (program: Node): Places => {
  const nodes = nodesOf(program)
  return {
    bases: new Set(nodes.flatMap((node) => (node.type === 'MemberExpression' ? [node.object] : []))),
    loops: new Set(nodes.filter((node) => node.type === 'For' && node.body.flatMap(nodesOf).some(isLoop))),
    callables: new Set([
      ...nodes.flatMap(callablesBelow).filter(({ type }) => type !== 'MemberExpression'),
      ...nodes.flatMap(calledIn),
    ]),
  }
}

/**
 * Makes a function that renders a parsed template.
 *
 * @param subject - who was given the template: the first word of an error's message
 * @param name - which template
 * @returns a function of plain values; it throws `InvalidInput` for an attribute of a missing value, and for whatever
 * else the template can't do with these values
 */
export const renderer = (
  subject: string,
  name: string,
  program: Node,
): ((values: Readonly<Record<string, unknown>>) => string) => {
  const { bases, loops, callables } = placesIn(program)

  const asInJinja = (node: Node, value: Value): Value => {
    if (isMissing(value) && bases.has(node)) {
      throw new InvalidInput(subject, {
        path: described(node),
        expected: `a value, because ${name} reads an attribute of it`,
        found: 'undefined',
      })
    }
    return isCallable(value) && !callables.has(node) ? UNDEFINED : value
  }

  return (values) => {
    const interpreter = new jinja.Interpreter(scopeOf(values))
    const engine = interpreter.evaluate.bind(interpreter)
    const evaluate = (node: Node, scope: Scope): Value =>
      asInJinja(node, statement(node, scope) ?? expression(node, scope) ?? engine(node, scope))
    const statement = statements(evaluate, engine, loops)
    const expression = expressions(subject, name, evaluate)
    // The engine calls its own method for every node, so this is where each value passes.
    interpreter.evaluate = evaluate
    return orInvalidInput(subject, name, 'values that it can be rendered with', () =>
      textOf(interpreter.run(program)),
    )
  }
}
