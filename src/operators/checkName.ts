import { refuse } from '../codecs/refuse.js'

/** Refuses a blank name, and what isn't a text; a span's name unless told. @throws InvalidInput */
export const checkName = (
  operator: string,
  name: unknown,
  parameter = 'name',
  expected = 'a name for the span',
): void => {
  if (typeof name !== 'string' || name.trim() === '') refuse(operator, parameter, expected, name)
}
