import type { Token } from './jinja.js'
import { TESTS } from './tests.js'

/** What an argument without parentheses may begin with. */
const STARTS: ReadonlySet<string> = new Set([
  'Identifier',
  'NumericLiteral',
  'StringLiteral',
  'OpenSquareBracket',
  'OpenCurlyBracket',
])

const isWord = (token: Token | undefined, word: string): boolean =>
  token?.type === 'Identifier' && token.value === word

/** The place after a bracket and what it encloses; without a bracket, after one token. */
const afterGroup = (tokens: ReadonlyArray<Token>, from: number): number => {
  let depth = 0
  for (let at = from; at < tokens.length; at += 1) {
    if (tokens[at]?.type.startsWith('Open')) depth += 1
    if (tokens[at]?.type.startsWith('Close')) depth -= 1
    if (depth <= 0) return at + 1
  }
  return tokens.length
}

/** The place after an argument: a value with the attributes and calls that follow it. */
const afterArgument = (tokens: ReadonlyArray<Token>, from: number): number => {
  let at = afterGroup(tokens, from)
  for (;;) {
    const type = tokens[at]?.type ?? ''
    if (type === 'Dot') at += 2
    else if (type === 'OpenParen' || type === 'OpenSquareBracket') at = afterGroup(tokens, at)
    else return at
  }
}

const TEST = /^is (not )?(.+)$/

/** Reads the name that `withTestArguments` gives a test as a filter; no template can name a filter like that. */
export const testOfFilter = (
  filter: string,
): { readonly name: string; readonly negate: boolean } | undefined => {
  const [, not, name] = TEST.exec(filter) ?? []
  return name === undefined ? undefined : { name, negate: not !== undefined }
}

/**
 * Rewrites tests that have arguments, `x is divisibleby(2)` and `x is in names`, as filters named `is divisibleby` and
 * `is in`: the parser takes arguments only for filters, which bind as tightly.
 */
export const withTestArguments = (tokens: ReadonlyArray<Token>): ReadonlyArray<Token> => {
  const written: Array<Token> = []
  /** Where a closing parenthesis has to be inserted. */
  const closings = new Set<number>()
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token === undefined) break
    if (closings.has(at)) written.push({ type: 'CloseParen', value: ')' })
    const place = isWord(tokens[at + 1], 'not') ? at + 2 : at + 1
    const name = tokens[place]
    const next = tokens[place + 1]
    const isTest = isWord(token, 'is') && tokens[at - 1]?.type !== 'Dot' && name?.type === 'Identifier'
    const isBare = STARTS.has(next?.type ?? '') && TESTS.get(name?.value ?? '')?.parameters.length === 1
    if (!isTest || !(isBare || next?.type === 'OpenParen')) {
      written.push(token)
      continue
    }
    const value = place === at + 2 ? `is not ${name.value}` : `is ${name.value}`
    written.push({ type: 'Pipe', value: '|' }, { type: 'Identifier', value })
    if (isBare) {
      written.push({ type: 'OpenParen', value: '(' })
      closings.add(afterArgument(tokens, place + 1))
    }
    at = place
  }
  return written
}
