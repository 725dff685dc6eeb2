import { refuse } from '../codecs/refuse.js'

/** Refuses an empty name, at once: a span's unless told. */
export const nonEmptyName = (
  operator: string,
  name: unknown,
  parameter = 'name',
  expected = 'a name for the span',
): void => {
  if (typeof name !== 'string' || name.trim() === '') refuse(operator, parameter, expected, name)
}
