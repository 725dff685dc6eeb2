import { boundedText } from './bounds.js'
import type { Expressions } from './expressions.js'
import { namesOf, parameterNames } from './freeVariables.js'
import { isEqual } from './isEqual.js'
import type { CallStatement, For, Node, NodeOf, Parameter } from './jinja.js'
import { nodesOf } from './nodesOf.js'
import { argumentsProblem } from './parameters.js'
import { inside, type Scope } from './Scope.js'
import { targetOf, withSetFilters } from './setFilters.js'
import type { Filter, Value } from './Value.js'
import {
  type Callable,
  callable,
  constant,
  fields,
  isNamespace,
  isTrue,
  itemsOf,
  kindOf,
  list,
  textOf,
  UNDEFINED,
} from './values.js'

/** What a block has rendered, and the tag that left it before its end, if any. */
interface Rendered {
  readonly text: string
  readonly exit?: 'Break' | 'Continue'
}

const NOTHING: Rendered = { text: '' }

/** The name under which a macro finds the body of a `call`. */
const CALLER = 'caller'

/** Gives the names of a loop or a `set` their values. */
const bind = (scope: Scope, target: Node, value: Value): void => {
  if (target.type === 'Identifier') scope.names.set(target.value, value)
  if (target.type !== 'TupleLiteral' && target.type !== 'ArrayLiteral') return
  const items = itemsOf(value)
  if (items.length !== target.value.length)
    throw new TypeError(`${kindOf(value)} of length ${items.length} for ${target.value.length} names`)
  for (const [index, name] of target.value.entries()) bind(scope, name, items[index] ?? UNDEFINED)
}

/** What `loop` is in each iteration. Without `recursive`, every loop counts as the outermost. */
const loopOver = (items: ReadonlyArray<Value>): ((index: number) => Value) => {
  let before: Value | undefined
  const changed: Filter['apply'] = (_, { positional }) => {
    const now = list(positional)
    const isChanged = before === undefined || !isEqual(before, now)
    before = now
    return constant(isChanged)
  }
  return (index) => {
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
    const cycle: Filter['apply'] = (_, { positional }) => positional[index % positional.length] ?? UNDEFINED
    const methods = new Map([
      ['cycle', { parameters: ['+'], apply: cycle }],
      ['changed', { parameters: ['*'], apply: changed }],
    ])
    return { ...fields(Object.entries(own)), methods }
  }
}

const isLoop = (node: Node): boolean => node.type === 'Identifier' && node.value === 'loop'

/** The loops whose body reads `loop`, which costs more to make than the rest of an iteration. */
const loopsThatReadLoop = (program: Node): ReadonlySet<Node> =>
  new Set(nodesOf(program).filter((node) => node.type === 'For' && node.body.flatMap(nodesOf).some(isLoop)))

/**
 * The names that a macro reads and that are neither its parameters nor set by it before. With `caller`, `kwargs` or
 * `varargs` among them, it takes more than its parameters.
 */
const namesRead = (parameters: ReadonlyArray<Parameter>, body: ReadonlyArray<Node>): ReadonlySet<string> => {
  const own = new Set(parameterNames(parameters))
  const read = new Set<string>()
  for (const node of body.flatMap(nodesOf)) {
    if (node.type === 'Set') for (const name of namesOf(node.assignee)) own.add(name)
    if (node.type === 'For') for (const name of namesOf(node.loopvar)) own.add(name)
    if (node.type === 'Identifier' && !own.has(node.value)) read.add(node.value)
  }
  return read
}

/** The names read in each macro and in each body of a `call`, by its nodes. */
const readByMacros = (program: Node): ReadonlyMap<ReadonlyArray<Node>, ReadonlySet<string>> =>
  new Map(
    nodesOf(program).flatMap((node) => {
      if (node.type === 'Macro') return [[node.body, namesRead(node.args, node.body)]]
      return node.type === 'CallStatement' ? [[node.body, namesRead(node.callerArgs ?? [], node.body)]] : []
    }),
  )

/**
 * Makes a function that renders a template. Loops, macros and the bodies of `call` have a scope of their own.
 *
 * @param expressions - of the same template
 */
export const statements = (
  { argumentsOf, callee, evaluate, evaluateAny }: Expressions,
  program: NodeOf<'Program'>,
): ((scope: Scope) => string) => {
  const loops = loopsThatReadLoop(program)
  const reads = readByMacros(program)

  const block = (nodes: ReadonlyArray<Node>, scope: Scope): Rendered => {
    let text = ''
    for (const node of nodes) {
      const rendered = statement(node, scope)
      text += rendered.text
      if (rendered.exit !== undefined) return { text, exit: rendered.exit }
    }
    return { text }
  }

  /** What a block's content becomes. When the block is left early, its content is lost, as in Jinja. */
  const filled = (body: ReadonlyArray<Node>, scope: Scope, fill: (content: Node) => Rendered): Rendered => {
    const { text, exit } = block(body, inside(scope))
    boundedText(text.length)
    return exit === undefined ? fill({ type: 'StringLiteral', value: text }) : { text: '', exit }
  }

  const assign = (target: Node, value: Value, scope: Scope): void => {
    if (target.type !== 'MemberExpression') return bind(scope, target, value)
    const { object, property } = target
    const namespace = evaluate(object, scope)
    if (!isNamespace(namespace) || property.type !== 'Identifier')
      throw new TypeError(`an attribute set on ${kindOf(namespace)}, which is not a namespace`)
    namespace.value.set(property.value, value)
  }

  const loop = (node: For, scope: Scope): string => {
    const { iterable, loopvar, body, defaultBlock } = node
    const [source, test] = iterable.type === 'SelectExpression' ? [iterable.lhs, iterable.test] : [iterable]
    const scopeFor = (item: Value): Scope => {
      const own = inside(scope)
      bind(own, loopvar, item)
      return own
    }
    const all = itemsOf(evaluate(source, scope))
    const items = test === undefined ? all : all.filter((item) => isTrue(evaluateAny(test, scopeFor(item))))
    const place = loops.has(node) ? loopOver(items) : undefined
    let text = ''
    let hasEnded = false
    for (const [index, item] of items.entries()) {
      const own = scopeFor(item)
      if (place !== undefined) own.names.set('loop', place(index))
      const rendered = block(body, own)
      text += rendered.text
      if (rendered.exit === 'Break') break
      if (rendered.exit === undefined) hasEnded = true
    }
    // As in Jinja, `else` also runs when every iteration was left early.
    return hasEnded ? text : text + block(defaultBlock, inside(scope)).text
  }

  /** A function that sees the names visible where it is defined, not those of its caller. */
  const macro = (
    name: string,
    parameters: ReadonlyArray<Parameter>,
    body: ReadonlyArray<Node>,
    scope: Scope,
  ): Callable => {
    const names = parameterNames(parameters)
    const optional = names.map((parameter) => `${parameter}?`)
    const read = (more: string): boolean => reads.get(body)?.has(more) === true
    return callable(({ positional, keywords }) => {
      const problem = argumentsProblem(optional, {
        positional: read('varargs') ? Math.min(positional.length, names.length) : positional.length,
        keywords: read('kwargs') ? [] : [...keywords.keys()].filter((key) => key !== CALLER),
      })
      if (keywords.has(CALLER) && !read(CALLER) && !read('kwargs'))
        throw new TypeError(`a call of ${name} with a body that it does not use`)
      if (problem !== undefined) throw new TypeError(`a call of ${name} ${problem}`)
      const own = inside(scope)
      for (const [index, parameter] of names.entries())
        own.names.set(parameter, positional[index] ?? keywords.get(parameter) ?? UNDEFINED)
      const open = new Set([CALLER, ...names.slice(positional.length)])
      if (read('kwargs')) own.names.set('kwargs', fields([...keywords].filter(([key]) => !open.has(key))))
      if (read('varargs')) own.names.set('varargs', list(positional.slice(names.length)))
      // The body of a `call` itself sees the `caller` of the macro around it.
      if (read(CALLER) && name !== CALLER) own.names.set(CALLER, keywords.get(CALLER) ?? UNDEFINED)
      for (const parameter of parameters.slice(positional.length)) {
        if (parameter.type === 'Identifier' || keywords.has(parameter.key.value)) continue
        own.names.set(parameter.key.value, evaluateAny(parameter.value, own))
      }
      const { text } = block(body, own)
      boundedText(text.length)
      return constant(text)
    })
  }

  const callWithBody = ({ body, call, callerArgs }: CallStatement, scope: Scope): Value => {
    const called = callee(call, scope)
    const { positional, keywords } = argumentsOf(call, scope)
    const caller = macro(CALLER, callerArgs ?? [], body, scope)
    return called.value({ positional, keywords: new Map([...keywords, [CALLER, caller]]) })
  }

  const statement = (node: Node, scope: Scope): Rendered => {
    switch (node.type) {
      case 'Comment':
        return NOTHING
      case 'Break':
      case 'Continue':
        return { text: '', exit: node.type }
      case 'If':
        return block(isTrue(evaluateAny(node.test, scope)) ? node.body : node.alternate, scope)
      case 'For':
        return { text: loop(node, scope) }
      case 'Macro':
        scope.names.set(node.name.value, macro(node.name.value, node.args, node.body, scope))
        return NOTHING
      case 'CallStatement':
        return { text: textOf(callWithBody(node, scope)) }
      case 'FilterStatement':
        return filled(node.body, scope, (operand) =>
          statement({ type: 'FilterExpression', operand, filter: node.filter }, scope),
        )
      case 'Set': {
        const { assignee, body, value } = node
        if (value === null)
          return filled(body, scope, (content) => {
            assign(targetOf(assignee), evaluate(withSetFilters(assignee, content), scope), scope)
            return NOTHING
          })
        assign(assignee, evaluateAny(value, scope), scope)
        return NOTHING
      }
      default:
        return { text: textOf(evaluate(node, scope)) }
    }
  }

  return (scope) => block(program.body, scope).text
}
