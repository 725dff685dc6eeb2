import type { Evaluate } from './expressions.js'
import { isEqual } from './isEqual.js'
import { type For, jinja, type Macro, type Node, type Scope, type Value } from './jinja.js'
import { withMethods } from './methods.js'
import type { Filter } from './parameters.js'
import { targetOf, withSetFilters } from './setFilters.js'
import { constant, fields, isCallable, isTrue, itemsOf, kindOf, list, textOf, UNDEFINED } from './values.js'

/** What a block has rendered, and the tag that left it before its end. */
interface Rendered {
  readonly text: string
  readonly left?: 'Break' | 'Continue'
}

const inside = (scope: Scope): Scope => {
  const own = new jinja.Environment(scope)
  // The engine declares this global in every scope, where it hides a variable of that name.
  own.variables.delete('namespace')
  return own
}

/** Gives the names of a loop or a `set` their values. */
const bind = (scope: Scope, target: Node, value: Value): void => {
  if (target.type === 'Identifier') scope.variables.set(target.value, value)
  if (target.type !== 'TupleLiteral' && target.type !== 'ArrayLiteral') return
  const items = itemsOf(value)
  if (items.length !== target.value.length)
    throw new TypeError(`${kindOf(value)} of ${items.length} for ${target.value.length} names`)
  for (const [index, name] of target.value.entries()) bind(scope, name, items[index] ?? UNDEFINED)
}

const loopMethods = (index: () => number): ReadonlyMap<string, Filter> => {
  let before: Value | undefined
  return new Map([
    [
      'cycle',
      {
        parameters: ['+'],
        apply: (_, { positional }) => positional[index() % positional.length] ?? UNDEFINED,
      },
    ],
    [
      'changed',
      {
        parameters: ['*'],
        apply: (_, { positional }) => {
          const now = list(positional)
          const changed = before === undefined || !isEqual(before, now)
          before = now
          return constant(changed)
        },
      },
    ],
  ])
}

/** What `loop` is in each turn; without `recursive`, every loop is the outermost. */
const loopOver = (items: ReadonlyArray<Value>): ((index: number) => Value) => {
  let turn = 0
  const methods = loopMethods(() => turn)
  return (index) => {
    turn = index
    const left = items.length - index
    const own = {
      index: constant(index + 1),
      index0: constant(index),
      revindex: constant(left),
      revindex0: constant(left - 1),
      first: constant(index === 0),
      last: constant(left === 1),
      length: constant(items.length),
      depth: constant(1),
      depth0: constant(0),
      previtem: items[index - 1] ?? UNDEFINED,
      nextitem: items[index + 1] ?? UNDEFINED,
    }
    return withMethods(fields(Object.entries(own)), methods)
  }
}

/**
 * Evaluates the statements that the engine doesn't evaluate as Jinja does. In the engine, what is set in one turn of a
 * loop is there in the next; what a turn rendered before it was left by `break` or `continue` is lost; and a macro sees
 * the names of whoever calls it.
 *
 * @param evaluate - evaluates any node
 * @param engine - evaluates one as the engine does
 * @param loops - those that have to know where they are
 * @returns a function of a node, which gives `undefined` for those that are not its own
 */
export const statements = (
  evaluate: Evaluate,
  engine: Evaluate,
  loops: ReadonlySet<Node>,
): ((node: Node, scope: Scope) => Value | undefined) => {
  const block = (nodes: ReadonlyArray<Node>, scope: Scope): Rendered => {
    let text = ''
    for (const node of nodes) {
      const rendered = statement(node, scope) ?? { text: textOf(evaluate(node, scope)) }
      text += rendered.text
      if (rendered.left !== undefined) return { text, left: rendered.left }
    }
    return { text }
  }

  /** What stands in place of a block's content; where the block is left, its content is lost in Jinja, too. */
  const filled = (body: ReadonlyArray<Node>, scope: Scope, fill: (content: Node) => Value): Rendered => {
    const { text, left } = block(body, inside(scope))
    if (left !== undefined) return { text: '', left }
    return { text: textOf(fill({ type: 'StringLiteral', value: text })) }
  }

  const assign = (assignee: Node, value: Node, scope: Scope): Value => {
    // `set namespace.field = …` is the engine's.
    if (assignee.type === 'MemberExpression') engine({ type: 'Set', assignee, value, body: [] }, scope)
    else bind(scope, assignee, evaluate(value, scope))
    return UNDEFINED
  }

  const loop = (node: For, scope: Scope): string => {
    const { iterable, loopvar, body, defaultBlock } = node
    const [source, test] = iterable.type === 'SelectExpression' ? [iterable.lhs, iterable.test] : [iterable]
    const turn = (item: Value): Scope => {
      const own = inside(scope)
      bind(own, loopvar, item)
      return own
    }
    const all = itemsOf(evaluate(source, scope))
    const items = test === undefined ? all : all.filter((item) => isTrue(evaluate(test, turn(item))))
    const place = loops.has(node) ? loopOver(items) : undefined
    let text = ''
    let isEnded = false
    for (const [index, item] of items.entries()) {
      const own = turn(item)
      if (place !== undefined) own.variables.set('loop', place(index))
      const rendered = block(body, own)
      text += rendered.text
      if (rendered.left === 'Break') break
      if (rendered.left === undefined) isEnded = true
    }
    // In Jinja, too, a loop without a turn that came to its end counts as one without any.
    return isEnded ? text : text + block(defaultBlock, inside(scope)).text
  }

  const define = (node: Macro, scope: Scope): Rendered => {
    engine(node, scope)
    const macro = scope.variables.get(node.name.value)
    if (macro !== undefined && isCallable(macro)) {
      const call = macro.value
      Object.assign(macro, {
        value: (args: ReadonlyArray<Value>, from: Scope) => {
          const own = inside(scope)
          const caller = from.variables.get('caller')
          if (caller !== undefined) own.variables.set('caller', caller)
          return call(args, own)
        },
      })
    }
    return { text: '' }
  }

  const statement = (node: Node, scope: Scope): Rendered | undefined => {
    switch (node.type) {
      case 'Break':
      case 'Continue':
        return { text: '', left: node.type }
      case 'If':
        return block(isTrue(evaluate(node.test, scope)) ? node.body : node.alternate, scope)
      case 'For':
        return { text: loop(node, scope) }
      case 'Macro':
        return define(node, scope)
      case 'FilterStatement':
        return filled(node.body, scope, (operand) =>
          evaluate({ type: 'FilterExpression', operand, filter: node.filter }, scope),
        )
      case 'Set': {
        const { assignee, body, value } = node
        if (value !== null) return { text: textOf(assign(assignee, value, scope)) }
        return filled(body, scope, (content) =>
          assign(targetOf(assignee), withSetFilters(assignee, content), scope),
        )
      }
      default:
        return undefined
    }
  }

  return (node, scope) => {
    const rendered = statement(node, scope)
    return rendered && constant(rendered.text)
  }
}
