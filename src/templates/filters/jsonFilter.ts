import { flagArgument } from '../arguments.js'
import { repeated } from '../bounds.js'
import type { Value } from '../jinja.js'
import { filter } from '../parameters.js'
import { constant, given, integerOf, isList, isText, textOf } from '../values.js'
import { toJson } from './json.js'

const indentOf = (argument: Value | undefined): string | undefined => {
  const indent = given(argument)
  if (indent === undefined) return undefined
  return isText(indent) ? indent.value : repeated(' ', integerOf(indent))
}

const separatorsOf = (argument: Value | undefined, indented: boolean): readonly [string, string] => {
  const separators = given(argument)
  if (separators === undefined) return [indented ? ',' : ', ', ': ']
  const [item, key, ...more] = isList(separators) ? separators.value.map(textOf) : []
  if (item === undefined || key === undefined || more.length > 0)
    throw new TypeError('separators that are no two texts')
  return [item, key]
}

export const jsonFilter = filter(
  ['indent?', 'ensure_ascii?', 'sort_keys?', 'separators?'],
  (value, indentArgument, ensureAscii, sortKeys, separators) => {
    const indent = indentOf(indentArgument)
    return constant(
      toJson(value, {
        indent,
        ensureAscii: flagArgument(ensureAscii),
        sortKeys: flagArgument(sortKeys),
        separators: separatorsOf(separators, indent !== undefined),
      }),
    )
  },
)
