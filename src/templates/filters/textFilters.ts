import { flagArgument, integerArgument, textArgument } from '../arguments.js'
import { boundedText, joined, repeated } from '../bounds.js'
import { filter } from '../parameters.js'
import { strip } from '../strip.js'
import type { Arguments, Filter, Value } from '../Value.js'
import { constant, given, isFields, isList, isText, itemsOf, markup, textOf } from '../values.js'
import { printf } from './printf.js'
import { wrapLine } from './wrapLine.js'

/** What Python's `splitlines` splits at, besides a carriage return with a newline. */
const LINE_BREAKS = '\\n-\\r\\x1c-\\x1e\\x85\\u2028\\u2029'

const LINE_BREAK = new RegExp(`\\r\\n|[${LINE_BREAKS}]`, 'u')

/** The lines of a text; a line break at its end ends the last one. */
export const linesOf = (text: string): ReadonlyArray<string> => {
  const lines = text.split(LINE_BREAK)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** With the first letter in upper case, and the rest in lower case. */
export const capitalised = (text: string): string => {
  const [first = ''] = text
  return first.toUpperCase() + text.slice(first.length).toLowerCase()
}

export const replaced = (text: string, old: string, wanted: string, count: number): string => {
  const parts = old === '' ? ['', ...Array.from(text), ''] : text.split(old)
  const end = count < 0 ? parts.length : count + 1
  return joined([joined(parts.slice(0, end), wanted), ...parts.slice(end)], old)
}

/** In the middle of this many characters; an odd space goes where Python puts it. */
const centered = (text: string, width: number): string => {
  const margin = Math.max(0, boundedText(width) - Array.from(text).length)
  const left = Math.floor(margin / 2) + (margin & width & 1)
  return ' '.repeat(left) + text + ' '.repeat(margin - left)
}

const titled = (text: string): string =>
  text
    .split(/([-\s({[<]+)/u)
    .map(capitalised)
    .join('')

const indented = (
  text: string,
  margin: string,
  { first, blank }: { readonly first: boolean; readonly blank: boolean },
): string => {
  const [start = '', ...rest] = linesOf(`${text}\n`)
  const isIndented = (line: string): boolean => blank || line !== ''
  boundedText(margin.length * rest.filter(isIndented).length)
  const lines = rest.map((line) => (isIndented(line) ? margin + line : line))
  return joined([(first ? margin : '') + start, ...lines], '\n')
}

const truncated = (
  text: string,
  length: number,
  { words, end, leeway }: { readonly words: boolean; readonly end: string; readonly leeway: number },
): string => {
  const characters = Array.from(text)
  const space = length - Array.from(end).length
  if (space < 0 || leeway < 0) throw new RangeError('a length shorter than the text added at the end')
  if (characters.length <= length + leeway) return text
  const start = characters.slice(0, space).join('')
  const gap = start.lastIndexOf(' ')
  return (words && gap !== -1 ? start.slice(0, gap) : start) + end
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ["'", '&#39;'],
  ['"', '&#34;'],
])

const escaped = (text: string): string =>
  text.replace(/[&<>'"]/g, (character) => ESCAPES.get(character) ?? character)

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', '\u00a0'],
])

const isCharacter = (point: number): boolean =>
  point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)

const unescaped = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w+));/g, (entity, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES.get(name) ?? entity
    const point = Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10)
    return isCharacter(point) ? String.fromCodePoint(point) : '\ufffd'
  })

/** A text without the marks and what stands between them; a mark that isn't closed stays. */
const without = (text: string, open: string, close: string): string => {
  const kept: Array<string> = []
  let at = 0
  for (;;) {
    const start = text.indexOf(open, at)
    const end = start === -1 ? -1 : text.indexOf(close, start)
    if (end === -1) return kept.join('') + text.slice(at)
    kept.push(text.slice(at, start))
    at = end + close.length
  }
}

const withoutTags = (text: string): string =>
  unescaped(
    without(without(text, '<!--', '-->'), '<', '>')
      .split(/\s+/u)
      .filter((word) => word !== '')
      .join(' '),
  )

const quoted = (text: string, spared: RegExp): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(spared, (code) => (code === '%2F' ? '/' : '+'))

const urlEncoded = (value: Value): string => {
  const pairs: ReadonlyArray<ReadonlyArray<Value>> | undefined = isFields(value)
    ? [...value.value].map(([name, field]) => [constant(name), field])
    : isList(value)
      ? value.value.map(itemsOf)
      : undefined
  if (pairs === undefined) return quoted(textOf(value), /%2F/g)
  return pairs.map((pair) => pair.map((part) => quoted(textOf(part), /%20/g)).join('=')).join('&')
}

const formatted = (text: string, args: Arguments): string => {
  if (args.positional.length > 0 && args.keywords.size > 0)
    throw new TypeError('named and unnamed values together')
  return printf(text, args)
}

const wrapped = (
  text: string,
  ...[width, breakLong, between, breakOnHyphens]: ReadonlyArray<Value | undefined>
) => {
  const options = {
    width: integerArgument(width, 79),
    breakLongWords: flagArgument(breakLong, true),
    breakOnHyphens: flagArgument(breakOnHyphens, true),
  }
  const separator = textArgument(between, '\n')
  return joined(
    linesOf(text).map((line) => joined(wrapLine(line, options), separator)),
    separator,
  )
}

/** A filter or a method that takes a text, or any other value as it is rendered. */
export const textFilter = (
  parameters: ReadonlyArray<string>,
  apply: (text: string, ...args: ReadonlyArray<Value | undefined>) => unknown,
): Filter => filter(parameters, (value, ...args) => constant(apply(textOf(value), ...args)))

const escapeFilter = filter([], (value) => (value.isMarkup ? value : markup(escaped(textOf(value)))))

export const TEXT_FILTERS: Readonly<Record<string, Filter>> = {
  string: textFilter([], (text) => text),
  upper: textFilter([], (text) => text.toUpperCase()),
  lower: textFilter([], (text) => text.toLowerCase()),
  title: textFilter([], titled),
  capitalize: textFilter([], capitalised),
  trim: textFilter(['chars?'], (text, characters) =>
    strip(text, given(characters) && textArgument(characters, ''), 'both'),
  ),
  replace: textFilter(['old', 'new', 'count?'], (text, old, wanted, count) =>
    replaced(text, textArgument(old, ''), textArgument(wanted, ''), integerArgument(count, -1)),
  ),
  indent: textFilter(['width?', 'first?', 'blank?'], (text, width, first, blank) => {
    const margin =
      width !== undefined && isText(width) ? width.value : repeated(' ', integerArgument(width, 4))
    return indented(text, margin, { first: flagArgument(first), blank: flagArgument(blank) })
  }),
  center: textFilter(['width?'], (text, width) => centered(text, integerArgument(width, 80))),
  truncate: textFilter(['length?', 'killwords?', 'end?', 'leeway?'], (text, length, killwords, end, leeway) =>
    truncated(text, integerArgument(length, 255), {
      words: !flagArgument(killwords),
      end: textArgument(end, '...'),
      leeway: integerArgument(leeway, 5),
    }),
  ),
  wordcount: filter([], (value) => constant(textOf(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
  wordwrap: textFilter(['width?', 'break_long_words?', 'wrapstring?', 'break_on_hyphens?'], wrapped),
  format: { parameters: ['*'], apply: (value, args) => constant(formatted(textOf(value), args)) },
  escape: escapeFilter,
  e: escapeFilter,
  forceescape: filter([], (value) => markup(escaped(textOf(value)))),
  safe: filter([], (value) => markup(textOf(value))),
  striptags: textFilter([], withoutTags),
  urlencode: filter([], (value) => constant(urlEncoded(value))),
}
