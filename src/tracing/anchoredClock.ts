import type { TimestampProvider } from 'rxjs'

/**
 * A clock for one trace: the wall clock is read once, durations come from the monotonic clock, so that a
 * step of the wall clock never gives a negative duration.
 */
export const anchoredClock = (): TimestampProvider => {
  const offset = Date.now() - performance.now()
  return { now: () => offset + performance.now() }
}
