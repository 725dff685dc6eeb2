import { flagArgument } from '../arguments.js'
import { boundedText, joined, repeated } from '../bounds.js'
import { filter } from '../parameters.js'
import type { Value } from '../Value.js'
import {
  constant,
  given,
  integerOf,
  isCallable,
  isFields,
  isFloat,
  isList,
  isText,
  textOf,
} from '../values.js'

interface JsonOptions {
  readonly indent: string | undefined
  readonly ensureAscii: boolean
  readonly sortKeys: boolean
  readonly separators: readonly [item: string, key: string]
}

/**
 * Writes a value as JSON in Python's manner: `", "` and `": "` between things, and a float keeps its point. Unlike
 * Jinja's own it escapes nothing for HTML and leaves keys in their order, as the templates of models expect it.
 */
const toJson = (value: Value, { indent, ensureAscii, sortKeys, separators }: JsonOptions): string => {
  const [itemSeparator, keySeparator] = separators
  const text = (content: string): string => {
    const quoted = JSON.stringify(content)
    if (!ensureAscii) return quoted
    return quoted.replace(
      /[\x7f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  }
  const enclosed = (
    parts: ReadonlyArray<string>,
    [open, close]: readonly [string, string],
    depth: number,
  ) => {
    if (indent === undefined || parts.length === 0) return open + joined(parts, itemSeparator) + close
    const margin = `\n${repeated(indent, depth)}`
    return open + margin + indent + joined(parts, itemSeparator + margin + indent) + margin + close
  }
  const write = (current: Value, depth: number): string => {
    if (isCallable(current)) throw new TypeError('a function')
    if (isList(current)) {
      return enclosed(
        current.value.map((item) => write(item, depth + 1)),
        ['[', ']'],
        depth,
      )
    }
    if (isFields(current)) {
      const fields = [...current.value]
      const ordered = sortKeys ? fields.sort(([one], [other]) => (one < other ? -1 : 1)) : fields
      return enclosed(
        ordered.map(([key, field]) => text(key) + keySeparator + write(field, depth + 1)),
        ['{', '}'],
        depth,
      )
    }
    if (typeof current.value === 'string') return text(current.value)
    if (isFloat(current) && Number.isFinite(current.value)) return textOf(current)
    return JSON.stringify(current.value ?? null)
  }
  const written = write(value, 0)
  boundedText(written.length)
  return written
}

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
    throw new TypeError('separators other than two strings')
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
