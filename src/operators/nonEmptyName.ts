import { refuse } from '../codecs/refuse.js'

/** Refuses a span without a name, at once. */
export const nonEmptyName = (operator: string, name: unknown): void => {
  if (typeof name !== 'string' || name.trim() === '') refuse(operator, 'name', 'a name for the span', name)
}
