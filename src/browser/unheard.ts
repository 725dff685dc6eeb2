/** A page is told of each promise that fails with nobody waiting for it. Whoever has to know hears it elsewhere. */
export const unheard = (promise: Promise<unknown>): void => {
  promise.catch(() => undefined)
}
