import { isError } from '../codecs/isError.js'

/** Whether a thrown value is an error of which everything that a sink tells can be read. */
export const isReadableError = (thrown: unknown): thrown is Error => {
  try {
    return isError(thrown) && typeof `${thrown.name}: ${thrown.message}` === 'string'
  } catch {
    // A revoked proxy, a getter that throws, a symbol.
    return false
  }
}
