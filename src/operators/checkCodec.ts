import { isCodec } from '../codecs/isCodec.js'
import { refuse } from '../codecs/refuse.js'
import { hasMethods } from '../util/hasMethods.js'

/** Refuses values in place of a codec: other clients take the variables themselves here. @throws InvalidInput */
export const checkCodec = (operator: string, variables: unknown): void => {
  if (variables === undefined || (isCodec(variables) && hasMethods(variables, 'encode'))) return
  refuse(operator, 'variables', "an io-ts codec (the values themselves are the operator's input)", variables)
}
