import { Fields } from '../codecs/Fields.js'
import { refuse } from '../codecs/refuse.js'

const isCodec = (value: unknown): boolean =>
  Fields.is(value) && typeof value.decode === 'function' && typeof value.encode === 'function'

/** Refuses variables that are values: other clients take them there. @throws InvalidInput */
export const checkCodec = (operator: string, variables: unknown): void => {
  if (variables === undefined || isCodec(variables)) return
  refuse(operator, 'variables', "an io-ts codec; the values themselves are the operator's input", variables)
}
