import type { TimestampProvider } from 'rxjs'

/**
 * A clock that advances by one step each time it is read.
 *
 * @param start - its first reading, ms since the epoch; default 0
 * @param step - ms between two readings; default 1
 */
export const deterministicClock = (start = 0, step = 1): TimestampProvider => {
  let reading = start - step
  return {
    now: () => {
      reading += step
      return reading
    },
  }
}
