import { checkTags } from './checkTags.js'
import { expressions } from './expressions.js'
import { freeVariables } from './freeVariables.js'
import { scopeOf } from './globals.js'
import { orInvalidInput } from './orInvalidInput.js'
import { parseTags } from './parseTags.js'
import { scanTags } from './scanTags.js'
import { statements } from './statements.js'

/** A template that is ready to be rendered any number of times. */
export interface Template {
  /** The names that it reads but doesn't set itself, in alphabetical order. */
  readonly variables: ReadonlyArray<string>
  /**
   * Renders it. Missing variables are empty.
   *
   * @throws InvalidInput for an attribute of a missing value or an unknown method (`path` names both), and for whatever else
   * it can't do with these values
   */
  readonly render: (values: Readonly<Record<string, unknown>>) => string
}

/**
 * Compiles a Jinja template, with Jinja's own defaults: nothing is escaped, one newline at the end is dropped, and no other
 * white space is touched unless a minus sign asks for it.
 *
 * `if`, `for` (with `break` and `continue`, without `recursive`), `set`, `macro`, `call`, `filter` and `raw` work; `with`
 * doesn't, nor do templates that include or extend others. A `filter` block takes one filter, and a number no exponent.
 *
 * Filters and tests are Jinja's, except the filters `attr`, `pprint`, `random`, `urlize` and `xmlattr` and the tests
 * `escaped`, `filter` and `test`; values have those of Python's methods that templates call. All give the same as in Python,
 * except that `tojson` escapes nothing for HTML and keeps the order of keys, and that `escape` escapes again what was made
 * (by `upper`, `+`) from an escaped text. Booleans, lists and objects are shown as JSON. What a number in the template makes
 * too large (ten million characters, a hundred thousand items) is refused.
 *
 * Values are data: they are never read as templates, and of their JavaScript objects only their own fields can be reached.
 *
 * @param subject - who was given the template: the first word of an error's message
 * @param name - which template, for errors
 * @param source - its text
 * @throws InvalidInput with the template's name, line and column: a syntax error, a block that isn't closed, an unknown
 * tag, filter, test or function, and a filter or test whose arguments don't fit, even where `map` or `select` names it
 *
 * @see https://jinja.palletsprojects.com/en/stable/templates/
 */
export const compileTemplate = (subject: string, name: string, source: string): Template => {
  const text = source.replace(/\r\n?/g, '\n')
  const template = { subject, name, text }
  // A correct template that still fails is too long for the stack: thousands of `elif`, or of terms in one sum.
  return orInvalidInput(subject, name, 'a template that can be compiled', () => {
    const tags = scanTags(template)
    checkTags(template, tags)
    const program = parseTags(tags)
    const run = statements(expressions(subject, name), program)
    return {
      variables: freeVariables(program),
      render: (values) =>
        orInvalidInput(subject, name, 'values that it can be rendered with', () => run(scopeOf(values))),
    }
  })
}
