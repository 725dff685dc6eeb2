/** Keeps the rejection of a promise from being reported as unhandled: it is handled elsewhere. */
export const ignoreRejection = (promise: Promise<unknown>): void => {
  promise.catch(() => undefined)
}
