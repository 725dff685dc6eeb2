interface Warns {
  readonly process?: { readonly emitWarning?: (message: string, options: { readonly code: string }) => void }
}

/** Reports what must not disturb a pipeline: as a Node process warning with a code, elsewhere on the console. */
export const warn = (code: string, message: string): void => {
  const { process } = globalThis as Warns
  if (process?.emitWarning === undefined) console.warn(`[${code}] ${message}`)
  else process.emitWarning(message, { code })
}
