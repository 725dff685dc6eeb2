import { setImmediate } from 'node:timers/promises'

/** The messages of the warnings that come with a code, while something runs and in the turn after it. */
export const warningsOf = async (code: string, run: () => unknown): Promise<ReadonlyArray<string>> => {
  const messages: Array<string> = []
  const listen = (warning: Error & { readonly code?: string }): void => {
    if (warning.code === code) messages.push(warning.message)
  }
  process.on('warning', listen)
  try {
    await run()
    await setImmediate()
  } finally {
    process.off('warning', listen)
  }
  return messages
}
