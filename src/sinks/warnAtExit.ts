interface Emits {
  readonly process?: { readonly emit?: (event: 'warning', warning: Error) => unknown }
}

/** Reports like `warn`, but at once: a process that ends prints no warning that has to wait for the next tick. */
export const warnAtExit = (code: string, message: string): void => {
  const { process }: Emits = globalThis
  process?.emit?.('warning', Object.assign(new Error(message), { name: 'Warning', code }))
}
