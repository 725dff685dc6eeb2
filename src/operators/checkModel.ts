import { checkName } from './checkName.js'

/** Refuses a model that isn't a name; `undefined` passes. @throws InvalidInput */
export const checkModel = (operator: string, model: unknown): void => {
  if (model !== undefined) checkName(operator, model, 'model', 'the name of a model')
}
