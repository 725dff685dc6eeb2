import { tried } from '../util/tried.js'
import { isWorkers } from './isWorkers.js'

interface Warns {
  readonly process?: { readonly emitWarning?: (message: string, options: { readonly code: string }) => void }
}

/** Warns of what must not disturb a pipeline: by a process warning with a code on Node, elsewhere on the console. */
export const warn = (code: string, message: string): void => {
  // On Cloudflare Workers `process` emits warnings, but prints none. And a console may throw, such as a test's own: then there
  // is nowhere left to warn.
  if (!emitted(code, message) || isWorkers()) tried(() => console.warn(`[${code}] ${message}`))
}

const emitted = (code: string, message: string): boolean => {
  const { process } = globalThis as Warns
  if (process?.emitWarning === undefined) return false
  try {
    process.emitWarning(message, { code })
    return true
  } catch {
    // Some runtimes have such a function, but it throws.
    return false
  }
}
