import { InvalidInput } from '../errors.js'
import { FILTERS } from './filters.js'
import { isEqual } from './isEqual.js'
import { jinja, type Node, type Scope, type Value } from './jinja.js'
import { nodesOf } from './walkNodes.js'

/** Jinja's sandbox has the same limit. */
const MAX_RANGE = 100_000

const range = (...bounds: ReadonlyArray<unknown>): ReadonlyArray<number> => {
  const [first, second, step = 1] = bounds.map(Number)
  if (
    first === undefined ||
    bounds.length > 3 ||
    bounds.some((bound) => !Number.isInteger(bound)) ||
    step === 0
  ) {
    throw new RangeError('range() with other arguments than one to three integers, the last one not 0')
  }
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > MAX_RANGE) throw new RangeError(`range() of more than ${MAX_RANGE} numbers`)
  return Array.from({ length }, (_, index) => start + index * step)
}

const LITERALS = { true: true, True: true, false: false, False: false, none: null, None: null }

const scopeOf = (values: Readonly<Record<string, unknown>>, parent?: Scope): Scope => {
  const scope = new jinja.Environment(parent)
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || Object.hasOwn(LITERALS, name)) continue
    scope.variables.delete(name)
    scope.set(name, value)
  }
  return scope
}

const constant = (value: unknown): Value => new jinja.Environment().set('value', value)

const GLOBAL_SCOPE = ((): Scope => {
  const scope = new jinja.Environment()
  for (const [name, value] of Object.entries({ ...LITERALS, range })) scope.set(name, value)
  return scope
})()

const UNDEFINED = constant(undefined)

const isMissing = ({ type }: Value): boolean => type === 'UndefinedValue'

/** As it is rendered. */
const textOf = (value: Value): string =>
  isMissing(value) || value.type === 'NullValue' ? '' : value.toString()

/** Operators that the engine sees as JavaScript does. */
const OPERATORS: ReadonlyMap<string, (left: Value, right: Value) => unknown> = new Map([
  ['~', (left: Value, right: Value): unknown => textOf(left) + textOf(right)],
  ['==', isEqual],
  ['!=', (left: Value, right: Value): unknown => !isEqual(left, right)],
])

const isList = (value: Value): value is Value & { readonly value: ReadonlyArray<Value> } =>
  Array.isArray(value.value)

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

/** Where in a template values are treated as Jinja does, and the engine doesn't. */
interface Places {
  /** What an attribute is read of: an error when it is missing. */
  readonly bases: ReadonlySet<Node>
  /** What a loop runs over: nothing when it is missing, the characters when it is text. */
  readonly loops: ReadonlySet<Node>
  /** What a filter works on: empty when it is missing. */
  readonly operands: ReadonlyMap<Node, Value>
  /** What is joined: each item as it is rendered. */
  readonly joined: ReadonlySet<Node>
  /** Where a function may stand; elsewhere it would show its source. */
  readonly callables: ReadonlySet<Node>
}

const EMPTY: Readonly<Record<'text' | 'list' | 'object', () => Value>> = {
  text: () => constant(''),
  list: () => constant([]),
  object: () => constant({}),
}

const filterName = (filter: Node): string | undefined => {
  const name = filter.type === 'CallExpression' ? filter.callee : filter
  return name.type === 'Identifier' ? name.value : undefined
}

const emptyFor = (filter: Node): Value | undefined => {
  const missing = FILTERS.get(filterName(filter) ?? '')?.missing
  return missing === undefined || missing === 'itself' ? undefined : EMPTY[missing]()
}

const callablesBelow = (node: Node): ReadonlyArray<Node> => {
  switch (node.type) {
    case 'CallExpression':
      return [node.callee, ...node.args]
    case 'KeywordArgumentExpression':
      return [node.value]
    case 'TestExpression':
      return [node.operand]
    case 'Set':
      return node.value === null ? [] : [node.value]
    default:
      return []
  }
}

const placesIn = (program: Node): Places => {
  const nodes = nodesOf(program)
  return {
    bases: new Set(nodes.flatMap((node) => (node.type === 'MemberExpression' ? [node.object] : []))),
    loops: new Set(
      nodes.flatMap((node) => {
        if (node.type !== 'For') return []
        return [node.iterable.type === 'SelectExpression' ? node.iterable.lhs : node.iterable]
      }),
    ),
    operands: new Map(
      nodes.flatMap((node) => {
        const empty = node.type === 'FilterExpression' ? emptyFor(node.filter) : undefined
        return node.type === 'FilterExpression' && empty !== undefined ? [[node.operand, empty] as const] : []
      }),
    ),
    joined: new Set(
      nodes.flatMap((node) =>
        node.type === 'FilterExpression' && filterName(node.filter) === 'join' ? [node.operand] : [],
      ),
    ),
    callables: new Set(nodes.flatMap(callablesBelow)),
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
  const { bases, loops, operands, joined, callables } = placesIn(program)

  const asInJinja = (node: Node, value: Value): Value => {
    if (isMissing(value)) {
      if (bases.has(node)) {
        throw new InvalidInput(subject, {
          path: described(node),
          expected: `a value, because ${name} reads an attribute of it`,
          found: 'undefined',
        })
      }
      return loops.has(node) ? EMPTY.list() : (operands.get(node) ?? value)
    }
    if (joined.has(node) && isList(value)) return constant(value.value.map(textOf))
    if (value.type === 'StringValue' && loops.has(node)) return constant(Array.from(String(value.value)))
    return value.type === 'FunctionValue' && !callables.has(node) ? UNDEFINED : value
  }

  return (values) => {
    const interpreter = new jinja.Interpreter(scopeOf(values, GLOBAL_SCOPE))
    const evaluate = interpreter.evaluate.bind(interpreter)
    // The engine calls its own method for every node, so this is where each value passes.
    interpreter.evaluate = (node, scope) => {
      if (node === undefined) return UNDEFINED
      const operate = node.type === 'BinaryExpression' ? OPERATORS.get(node.operator.value) : undefined
      if (node.type === 'BinaryExpression' && operate !== undefined) {
        const [left = UNDEFINED, right = UNDEFINED] = [node.left, node.right].map((side) =>
          interpreter.evaluate(side, scope),
        )
        return constant(operate(left, right))
      }
      return asInJinja(node, evaluate(node, scope) ?? UNDEFINED)
    }
    try {
      return textOf(interpreter.run(program))
    } catch (cause) {
      if (cause instanceof InvalidInput) throw cause
      throw new InvalidInput(subject, {
        path: name,
        expected: 'values that it can be rendered with',
        found: cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause),
        cause,
      })
    }
  }
}
