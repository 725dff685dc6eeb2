import { type TemplateSource, templateError } from './TemplateSource.js'

/** A piece of a template between two offsets. */
export interface Tag {
  readonly kind: 'text' | 'comment' | 'expression' | 'statement'
  readonly start: number
  /** The piece as the parser reads it. */
  readonly source: string
  /** A statement's first word. */
  readonly word?: string
}

type Kind = Exclude<Tag['kind'], 'text'>

const KINDS: Readonly<Record<string, readonly [Kind, string]>> = {
  '{{': ['expression', '}}'],
  '{%': ['statement', '%}'],
  '{#': ['comment', '#}'],
}

const OPENING = /\{[{%#]/g
const STATEMENT = /^\{%[-+]?\s*(\w*)/
const RAW = /^\{%([-+]?)\s*raw\s*([-+]?)%\}$/
const ENDRAW = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g

const matchFrom = (pattern: RegExp, text: string, from: number): RegExpExecArray | null => {
  pattern.lastIndex = from
  return pattern.exec(text)
}

const endOfString = (text: string, from: number): number => {
  const quote = text[from]
  let at = from + 1
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1
  return at
}

/** Where a tag closes: not inside a string, and for `}}` not inside an object. */
const endOfTag = (text: string, from: number, kind: Kind, closing: string): number => {
  if (kind === 'comment') return text.indexOf(closing, from)
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const character = text[at]
    if (depth === 0 && text.startsWith(closing, at)) return at
    if (character === '"' || character === "'") at = endOfString(text, at)
    else if (kind === 'expression' && character === '{') depth += 1
    else if (kind === 'expression' && character === '}') depth -= 1
  }
  return -1
}

/** Escapes braces: the tokenizer takes some tags out of a template before it looks for strings. */
const withoutBraces = (literal: string): string =>
  literal.replace(/\\.|\{/gs, (match) => (match === '{' ? '\\x7b' : match))

/** The content of a raw block as an expression, because the parser knows no raw blocks. */
const rawExpression = (
  content: string,
  [, before, afterRaw]: RegExpExecArray,
  [, beforeEndraw, after]: RegExpExecArray,
): string => {
  const start = afterRaw === '-' ? content.trimStart() : content
  const kept = beforeEndraw === '-' ? start.trimEnd() : start
  const literal = withoutBraces(JSON.stringify(kept))
  return `{{${before === '-' ? '-' : ''} ${literal} ${after === '-' ? '-' : ''}}}`
}

/** Drops the plus sign that turns off block trimming: it is off anyway, and the parser can't read the sign. */
const withoutPlus = (tag: string): string => tag.replace(/^\{%\+/, '{%').replace(/\+%\}$/, '%}')

const STRING_OR_NUMBER = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\b\d+(?:_\d+)+/gs

/** Rewrites what the parser would misread: `1_000`, which is 1000, and tags in strings. */
const withPlainLiterals = (tag: string): string =>
  tag.replace(STRING_OR_NUMBER, (match) =>
    /^\d/.test(match) ? match.replaceAll('_', '') : withoutBraces(match),
  )

/**
 * Splits a template into text and tags.
 *
 * @throws InvalidInput with line and column, for a tag or raw block that isn't closed
 */
export const scanTags = (source: TemplateSource): ReadonlyArray<Tag> => {
  const { text } = source
  const tags: Array<Tag> = []
  const unclosed = (start: number, closing: string) =>
    templateError(source, start, { expected: `a closing ${closing}`, found: 'the end of the template' })
  let at = 0
  while (at < text.length) {
    const start = matchFrom(OPENING, text, at)?.index ?? text.length
    if (start > at) tags.push({ kind: 'text', start: at, source: text.slice(at, start) })
    if (start === text.length) break
    const [kind, closing] = KINDS[text.slice(start, start + 2)] ?? ['comment', '#}']
    const end = endOfTag(text, start + 2, kind, closing)
    if (end === -1) throw unclosed(start, closing)
    at = end + 2
    const tag = text.slice(start, at)
    const raw = kind === 'statement' ? RAW.exec(tag) : null
    if (raw === null) {
      const read = kind === 'comment' ? tag : withPlainLiterals(withoutPlus(tag))
      const word = kind === 'statement' ? { word: STATEMENT.exec(tag)?.[1] ?? '' } : {}
      tags.push({ kind, start, source: read, ...word })
      continue
    }
    const endraw = matchFrom(ENDRAW, text, at)
    if (endraw === null) throw unclosed(start, '{% endraw %}')
    const content = text.slice(at, endraw.index)
    at = endraw.index + endraw[0].length
    tags.push({ kind: 'expression', start, source: rawExpression(content, raw, endraw) })
  }
  return tags
}
