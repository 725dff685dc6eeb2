import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from '#fp/Either'
import { compileTemplate } from '../templates/compileTemplate.js'

/**
 * Renders a Jinja2 template with Jinja's own defaults: white space is kept, a missing variable is empty.
 *
 * @returns what is wrong with the template, or with the variables for it
 */
export const renderTemplate = (
  template: string,
  variables: Readonly<Record<string, unknown>>,
): Either<string, string> => {
  try {
    return right(compileTemplate('Template', 'content', template).render(variables))
  } catch (error) {
    return left(error instanceof Error ? error.message : String(error))
  }
}
