import { noop, type SchedulerLike } from 'rxjs'
import { LONGEST_TIMER } from '../http/connectionPolicy.js'
import { outsideZones } from './outsideZones.js'

/** A clock and timers: virtual under a scheduler, otherwise real. */
export interface Timers {
  /** ms since some fixed moment; only differences are meaningful. */
  readonly now: () => number
  /**
   * Calls a function once, later.
   *
   * @param delay - ms; if it is longer than a timer allows, the function is never called
   * @param waitedFor - whether to keep the process alive until then, since something awaits it. Default false
   * @returns a function that cancels it
   */
  readonly after: (delay: number, work: () => void, waitedFor?: boolean) => () => void
}

/** Real time, from a monotonic clock. Not `asyncScheduler`, whose timers keep a process alive. */
const realTimers: Timers = {
  now: () => performance.now(),
  after: (delay, work, waitedFor = false) => {
    if (delay > LONGEST_TIMER) return noop
    const timer = outsideZones(() => setTimeout(work, delay))
    // In browsers a timer is a number, and there is no process to keep alive.
    if (!waitedFor && typeof timer === 'object') timer.unref()
    return () => clearTimeout(timer)
  },
}

/**
 * Makes timers.
 *
 * @param scheduler - the source of time; without one, real time
 */
export const timers = (scheduler: SchedulerLike | undefined): Timers =>
  scheduler === undefined
    ? realTimers
    : {
        now: () => scheduler.now(),
        after: (delay, work) => {
          if (delay > LONGEST_TIMER) return noop
          const action = scheduler.schedule(() => work(), delay)
          return () => action.unsubscribe()
        },
      }
