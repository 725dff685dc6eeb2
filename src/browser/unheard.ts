/** Keeps a page from reporting the failure of a promise as unhandled. Whoever has to know of it is told elsewhere. */
export const unheard = (promise: Promise<unknown>): void => {
  promise.catch(() => undefined)
}
