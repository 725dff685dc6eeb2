import { jinja, type NodeOf, type Token } from './jinja.js'
import type { Tag } from './scanTags.js'
import { withTestArguments } from './testArguments.js'

/** The only minus of `{#-#}` counts as its beginning. */
const endsWithMinus = ({ source }: Tag): boolean => source.at(-3) === '-' && source.length > 5

/** A text without the blanks that a minus sign in the tag before or after it drops, or a newline at the template's end. */
const withoutBlanks = ({ source }: Tag, before: Tag | undefined, after: Tag | undefined): string => {
  const text = after === undefined ? source.replace(/\n$/, '') : source
  const start = before !== undefined && endsWithMinus(before) ? text.trimStart() : text
  return after?.source.at(2) === '-' ? start.trimEnd() : start
}

/** Texts become tokens here, because the tokenizer takes time quadratic in the number of blanks in a row. */
const tokensOf = (tags: ReadonlyArray<Tag>): ReadonlyArray<Token> =>
  tags.flatMap((tag, index) =>
    tag.kind === 'text'
      ? [{ type: 'Text', value: withoutBlanks(tag, tags[index - 1], tags[index + 1]) }]
      : jinja.tokenize(tag.source),
  )

/** Parses a template. Tests with arguments, which the parser doesn't know, become filters. */
export const parseTags = (tags: ReadonlyArray<Tag>): NodeOf<'Program'> =>
  jinja.parse(withTestArguments(tokensOf(tags)))
