/**
 * A clock for one trace. It reads the wall clock once, and from there the monotonic clock, so that a step of the wall
 * clock never makes a duration negative.
 */
export const anchoredClock = (): (() => number) => {
  const offset = Date.now() - performance.now()
  return () => offset + performance.now()
}
