interface Emits {
  readonly process?: { readonly emit?: (event: 'warning', warning: Error) => unknown }
}

/** Reports like `warn`, but synchronously: a process that is ending has no next tick in which to print a warning. */
export const warnAtExit = (code: string, message: string): void => {
  const { process }: Emits = globalThis
  process?.emit?.('warning', Object.assign(new Error(message), { name: 'Warning', code }))
}
