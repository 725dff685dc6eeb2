import { boundedText, joined, repeated } from '../bounds.js'
import type { Value } from '../jinja.js'
import { isCallable, isFields, isFloat, isList } from '../values.js'

export interface JsonOptions {
  readonly indent: string | undefined
  readonly ensureAscii: boolean
  readonly sortKeys: boolean
  readonly separators: readonly [item: string, key: string]
}

/**
 * Writes a value as JSON in Python's manner: `", "` and `": "` between things, and a float keeps its point. Unlike
 * Jinja's own it escapes nothing for HTML and leaves keys in their order, as the templates of models expect it.
 */
export const toJson = (value: Value, { indent, ensureAscii, sortKeys, separators }: JsonOptions): string => {
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
    if (isFloat(current) && Number.isFinite(current.value)) return current.toString()
    return JSON.stringify(current.value ?? null)
  }
  const written = write(value, 0)
  boundedText(written.length)
  return written
}
