import { InvalidInput } from '../errors.js'
import { isError } from '../util/isError.js'
import { declaredBy } from './freeVariables.js'
import { GLOBALS } from './globals.js'
import { jinja, type Node } from './jinja.js'
import { nodesOf } from './nodesOf.js'
import { parseTags } from './parseTags.js'
import { type Problem, problemOf } from './problemOf.js'
import type { Tag } from './scanTags.js'
import { type TemplateSource, templateError } from './TemplateSource.js'

const CLOSING: ReadonlyMap<string, string> = new Map([
  ['if', 'endif'],
  ['for', 'endfor'],
  ['macro', 'endmacro'],
  ['call', 'endcall'],
  ['filter', 'endfilter'],
  ['set', 'endset'],
])

/** Tags of a single word. */
const BARE: ReadonlySet<string> = new Set(['else', 'break', 'continue', ...CLOSING.values()])

/** Far more than anybody writes, and far less than the stack holds. */
const MAX_DEPTH = 200

const KNOWN_TAGS = 'if, for, set, macro, call, filter, raw, break or continue'

interface Open {
  readonly word: string
  readonly start: number
  /** Whether an `else` was seen, after which neither another nor an `elif` may follow. */
  readonly hasElse: boolean
}

/** Whether a `set` is closed by an `endset`: it is, unless it has an equals sign outside brackets. */
const isSetBlock = (tokens: ReadonlyArray<{ readonly type: string }>): boolean => {
  let depth = 0
  for (const { type } of tokens) {
    if (type.startsWith('Open')) depth += 1
    if (type.startsWith('Close')) depth -= 1
    // The tag itself is the first thing that opens.
    if (type === 'Equals' && depth === 1) return false
  }
  return true
}

const opens = (tag: Tag): boolean =>
  CLOSING.has(tag.word ?? '') && (tag.word !== 'set' || isSetBlock(jinja.tokenize(tag.source)))

/** A tag as a template of its own. */
const standalone = (tag: Tag): Tag => {
  const { word = '', source } = tag
  if (word === 'elif') return { ...tag, source: `{% if 1 %}${source}{% endif %}` }
  return opens(tag) ? { ...tag, source: `${source}{% ${CLOSING.get(word)} %}` } : tag
}

// One of the parser's messages shows a placeholder's code instead of its value.
const SLIP = /, got \$\{.*?\} instead\./

const reasonOf = (cause: unknown): string =>
  // The parser throws a bare TypeError when it runs past the end of a tag.
  isError(cause) && !(cause instanceof TypeError)
    ? cause.message
        .replace(/^Parser Error: /, '')
        .replace(SLIP, '')
        .replace(/\.$/, '')
    : 'an unfinished tag'

/** Keeps track of the open blocks, and refuses a tag that is out of place. */
const place = (source: TemplateSource, open: ReadonlyArray<Open>, tag: Tag): ReadonlyArray<Open> => {
  const { word = '', start } = tag
  const inner = open.at(-1)
  const refuse = (expected: string, found = `{% ${word} %}`): InvalidInput =>
    templateError(source, start, { expected, found })
  if (word === 'else' || word === 'elif') {
    const fits = inner?.word === 'if' || (inner?.word === 'for' && word === 'else')
    if (inner === undefined || !fits || inner.hasElse) throw refuse('an open if before it')
    return word === 'elif' ? open : [...open.slice(0, -1), { ...inner, hasElse: true }]
  }
  if (word === 'break' || word === 'continue') {
    const around = open.findLast((block) => ['for', 'macro', 'call'].includes(block.word))
    if (around?.word !== 'for') throw refuse('a loop around it')
    return open
  }
  if (BARE.has(word)) {
    if (inner === undefined || CLOSING.get(inner.word) !== word) {
      throw refuse(inner === undefined ? 'an open block to close' : `{% ${CLOSING.get(inner.word)} %}`)
    }
    return open.slice(0, -1)
  }
  if (!CLOSING.has(word)) {
    throw refuse(KNOWN_TAGS, word === '' ? 'a tag without a name' : `{% ${word} %}`)
  }
  if (!opens(tag)) return open
  if (open.length >= MAX_DEPTH) throw refuse(`at most ${MAX_DEPTH} nested blocks`, 'more')
  return [...open, { word, start, hasElse: false }]
}

const isSingleWord = ({ source }: Tag): boolean => /^\{%-?\s*\w+\s*-?%\}$/.test(source)

/**
 * Checks the tags of a template one by one, so that what is wrong is found in its place, and when the template is compiled
 * rather than when it is rendered.
 *
 * @throws InvalidInput with line and column: a syntax error, a block that isn't closed, an unknown tag, filter, test or
 * function
 */
export const checkTags = (source: TemplateSource, tags: ReadonlyArray<Tag>): void => {
  let open: ReadonlyArray<Open> = []
  const programs: Array<readonly [Tag, Node]> = []
  for (const tag of tags) {
    if (tag.kind === 'text' || tag.kind === 'comment') continue
    const isBare = BARE.has(tag.word ?? '')
    if (tag.kind === 'statement') {
      if (isBare && !isSingleWord(tag)) {
        throw templateError(source, tag.start, { expected: `{% ${tag.word} %}`, found: 'more than that' })
      }
      const before = open
      open = attempt(source, tag, () => place(source, before, tag))
    }
    if (!isBare) programs.push([tag, attempt(source, tag, () => parseTags([standalone(tag)]))])
  }
  const left = open.at(-1)
  if (left !== undefined) {
    throw templateError(source, left.start, {
      expected: `a closing {% ${CLOSING.get(left.word)} %}`,
      found: 'the end of the template',
    })
  }
  const nodes = programs.flatMap(([tag, program]) => nodesOf(program).map((node) => [tag, node] as const))
  const declared = new Set([...GLOBALS.keys(), ...nodes.flatMap(([, node]) => declaredBy(node))])
  for (const [tag, node] of nodes) {
    const problem = problemOf(node, declared)
    if (problem !== undefined) throw templateError(source, tag.start, problem)
  }
}

const RECURSIVE = /\srecursive\s*-?%\}$/

/** What Jinja has but the parser lacks, when its own message wouldn't say so. */
const unsupported = ({ word, source }: Tag, found: string): Problem | undefined => {
  if (word === 'for' && RECURSIVE.test(source))
    return { expected: 'a loop without recursive', found: 'recursive' }
  if (word === 'filter' && found.includes('Pipe'))
    return { expected: 'one filter for a block', found: 'a second filter' }
  return undefined
}

/** Whatever the parser throws is an error at this tag. */
const attempt = <T>(source: TemplateSource, tag: Tag, run: () => T): T => {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof InvalidInput) throw cause
    const found = reasonOf(cause)
    throw templateError(source, tag.start, {
      expected: 'a Jinja tag',
      found,
      ...unsupported(tag, found),
      cause,
    })
  }
}
