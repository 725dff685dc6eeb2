import { isError } from '../codecs/isError.js'
import { tried } from '../codecs/tried.js'

/** Whether a thrown value is an error of which everything that a sink tells can be read. */
export const isReadableError = (thrown: unknown): thrown is Error =>
  // It throws for a revoked proxy, a getter that throws, a symbol.
  tried(() => isError(thrown) && typeof `${thrown.name}: ${thrown.message}` === 'string') === true
