import { InvalidInput } from '../errors.js'

/** A template's text, and what its errors call it. */
export interface TemplateSource {
  /** Who was given the template: the first word of an error's message. */
  readonly subject: string
  /** Which template: `template`, `template[1].content`. */
  readonly name: string
  /** Its text, with `\n` for every kind of line break, as in Jinja. */
  readonly text: string
}

/** The error of a template that can't be used, with line and column, both from 1, of the tag that is wrong. */
export const templateError = (
  { subject, name, text }: TemplateSource,
  offset: number,
  problem: { readonly expected: string; readonly found: string; readonly cause?: unknown },
): InvalidInput => {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  return new InvalidInput(subject, { ...problem, path: `${name}:${line}:${column}` })
}
