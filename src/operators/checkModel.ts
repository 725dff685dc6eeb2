import { nonEmptyName } from './nonEmptyName.js'

/** Refuses a model without a name, if one is given. @throws InvalidInput */
export const checkModel = (operator: string, model: unknown): void => {
  if (model !== undefined) nonEmptyName(operator, model, 'model', 'the name of a model')
}
