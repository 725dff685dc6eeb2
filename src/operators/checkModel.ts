import { checkName } from './checkName.js'

/** Refuses a model without a name, if one is given. @throws InvalidInput */
export const checkModel = (operator: string, model: unknown): void => {
  if (model !== undefined) checkName(operator, model, 'model', 'the name of a model')
}
