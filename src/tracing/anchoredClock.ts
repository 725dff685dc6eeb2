/**
 * A clock for one trace: the wall clock is read once, durations come from the monotonic clock, so that a
 * step of the wall clock never gives a negative duration.
 */
export const anchoredClock = (): (() => number) => {
  const offset = Date.now() - performance.now()
  return () => offset + performance.now()
}
