import { refuse } from '../codecs/refuse.js'

/** Refuses anything but a text that isn't blank. By default the message is about a span's name. @throws InvalidInput */
export const checkName = (
  operator: string,
  name: unknown,
  parameter = 'name',
  expected = 'a name for the span',
): void => {
  if (typeof name !== 'string' || name.trim() === '') refuse(operator, parameter, expected, name)
}
