import { isError } from '../util/isError.js'
import { tried } from '../util/tried.js'

/** Whether a thrown value is an error whose name and message can be read, as a sink's reports do. */
export const isReadableError = (thrown: unknown): thrown is Error =>
  // Reading them throws for a revoked proxy, for a getter that throws, and for a symbol.
  tried(() => isError(thrown) && typeof `${thrown.name}: ${thrown.message}` === 'string') === true
