import type { TimestampProvider } from 'rxjs'

/**
 * The time of a scheduler: with a `TestScheduler`, its current frame.
 *
 * @param scheduler - what the time is read from
 * @param start - what it shows at frame 0, ms since the epoch; default 0
 */
export const virtualClock = (scheduler: TimestampProvider, start = 0): TimestampProvider => ({
  now: () => start + scheduler.now(),
})
