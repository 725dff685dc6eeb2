import { tried } from '../codecs/tried.js'
import { isWorkers } from './isWorkers.js'

interface Warns {
  readonly process?: { readonly emitWarning?: (message: string, options: { readonly code: string }) => void }
}

/** Reports what must not disturb a pipeline: as a Node process warning with a code, elsewhere on the console. */
export const warn = (code: string, message: string): void => {
  // A test may have put a console of its own in place: there is nowhere else to tell it.
  // And Cloudflare's Workers have a `process` that emits warnings, and prints none.
  if (!emitted(code, message) || isWorkers()) tried(() => console.warn(`[${code}] ${message}`))
}

const emitted = (code: string, message: string): boolean => {
  const { process } = globalThis as Warns
  if (process?.emitWarning === undefined) return false
  try {
    process.emitWarning(message, { code })
    return true
  } catch {
    // Some runtimes have such a function and throw when it is called.
    return false
  }
}
