import { refuse } from '../codecs/refuse.js'

/** Refuses anything but an operator. @throws InvalidInput that names the parameter */
export const checkOperator = (subject: string, parameter: string, operator: unknown): void => {
  if (typeof operator !== 'function') refuse(subject, parameter, 'an operator', operator)
}
