import { tried } from '../codecs/tried.js'

interface Warns {
  readonly process?: { readonly emitWarning?: (message: string, options: { readonly code: string }) => void }
}

/** Reports what must not disturb a pipeline: as a Node process warning with a code, elsewhere on the console. */
export const warn = (code: string, message: string): void => {
  // A test may have put a console of its own in place: there is nowhere else to tell it.
  if (!emitted(code, message)) tried(() => console.warn(`[${code}] ${message}`))
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
