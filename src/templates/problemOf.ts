import { isNear } from '../util/isNear.js'
import { FILTERS } from './filters/filters.js'
import type { Call, Identifier, Node, SetBlock } from './jinja.js'
import { argumentsProblem } from './parameters.js'
import { targetOf } from './setFilters.js'
import { testOfFilter } from './testArguments.js'
import { TESTS } from './tests.js'
import type { Parameters } from './Value.js'

/** What a template should say, and what it says. */
export interface Problem {
  readonly expected: string
  readonly found: string
}

/** The name that was probably meant, or else all that there are. */
const known = (names: ReadonlyMap<string, unknown>, name: string): string => {
  const sorted = [...names.keys()].sort()
  const meant = sorted.find((one) => isNear(one, name))
  return meant === undefined ? `one of ${sorted.join(', ')}` : `${meant} instead`
}

/** A use of a filter or a test. */
interface Use {
  readonly name: string
  readonly args: ReadonlyArray<Node>
}

const useOf = (named: Identifier | Call): Use | undefined => {
  if (named.type === 'Identifier') return { name: named.value, args: [] }
  return named.callee.type === 'Identifier' ? { name: named.callee.value, args: named.args } : undefined
}

/** What is wrong with the arguments, as far as the template itself says how many there are and how they are named. */
const misuse = (parameters: Parameters, args: ReadonlyArray<Node>): string | undefined => {
  if (args.some(({ type }) => type === 'SpreadExpression' || type === 'KeywordSpreadExpression'))
    return undefined
  const keywords = args.flatMap((node) => (node.type === 'KeywordArgumentExpression' ? [node.key.value] : []))
  return argumentsProblem(parameters, { positional: args.length - keywords.length, keywords })
}

const testProblem = ({ name, args }: Use): Problem | undefined => {
  const test = TESTS.get(name)
  if (test === undefined) return { expected: known(TESTS, name), found: `unknown test ${name}` }
  const problem = misuse(test.parameters, args)
  return problem === undefined
    ? undefined
    : { expected: `the arguments of Jinja's test ${name}`, found: `test ${name} ${problem}` }
}

/** The filters that are given the name of a test, and how many arguments stand before it. */
const BEFORE_TEST: ReadonlyMap<string, number> = new Map([
  ['select', 0],
  ['reject', 0],
  ['selectattr', 1],
  ['rejectattr', 1],
])

const useIn = ({ args }: Use, place: number): Use | undefined => {
  const given = args[place]
  return given?.type === 'StringLiteral' ? { name: given.value, args: args.slice(place + 1) } : undefined
}

const filterProblem = (use: Use): Problem | undefined => {
  const { name, args } = use
  const filter = FILTERS.get(name)
  if (filter === undefined) return { expected: known(FILTERS, name), found: `unknown filter ${name}` }
  const problem = misuse(filter.parameters, args)
  if (problem !== undefined)
    return { expected: `the arguments of Jinja's filter ${name}`, found: `filter ${name} ${problem}` }
  const before = BEFORE_TEST.get(name)
  const test = before === undefined ? undefined : useIn(use, before)
  if (test !== undefined) return testProblem(test)
  if (name !== 'map') return undefined
  const mapped = useIn(use, 0)
  return mapped && filterProblem(mapped)
}

const filterOrTestProblem = (filter: Identifier | Call): Problem | undefined => {
  const use = useOf(filter)
  if (use === undefined) return { expected: known(FILTERS, ''), found: 'another expression' }
  const test = testOfFilter(use.name)
  return test === undefined ? filterProblem(use) : testProblem({ ...use, name: test.name })
}

const areNames = (target: Node): boolean =>
  target.type === 'Identifier' ||
  ((target.type === 'TupleLiteral' || target.type === 'ArrayLiteral') && target.value.every(areNames))

const isTarget = ({ assignee, value }: SetBlock): boolean => {
  const target = value === null ? targetOf(assignee) : assignee
  return areNames(target) || (target.type === 'MemberExpression' && !target.computed)
}

/**
 * What is wrong with a node that would be noticed only while rendering, or not at all: an unknown filter, test or
 * function, arguments that don't fit, a target that can't be assigned to.
 *
 * @param declared - the functions that the template knows
 */
export const problemOf = (node: Node, declared: ReadonlySet<string>): Problem | undefined => {
  switch (node.type) {
    case 'FilterExpression':
    case 'FilterStatement':
      return filterOrTestProblem(node.filter)
    case 'TestExpression':
      return testProblem({ name: node.test.value, args: [] })
    case 'CallExpression':
      return node.callee.type !== 'Identifier' || declared.has(node.callee.value)
        ? undefined
        : {
            expected: 'range, namespace or a macro of the template',
            found: `unknown function ${node.callee.value}`,
          }
    case 'For':
      return areNames(node.loopvar)
        ? undefined
        : { expected: 'loop variable names', found: 'another expression' }
    case 'Set':
      return isTarget(node) ? undefined : { expected: 'names to assign to', found: 'another expression' }
    default:
      return undefined
  }
}
