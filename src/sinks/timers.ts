import { noop, type SchedulerLike } from 'rxjs'
import { LONGEST_TIMER } from '../http/connectionPolicy.js'
import { outsideZones } from './outsideZones.js'

/** Time as a sink needs it: virtual under a scheduler, otherwise real. */
export interface Timers {
  /** ms, from some fixed moment on; only differences mean something. */
  readonly now: () => number
  /**
   * Does something later, once.
   *
   * @param delay - ms; what is longer than a timer can wait is never done
   * @param waitedFor - somebody waits for it, so a process stays alive until then; else it does not
   * @returns cancels it
   */
  readonly after: (delay: number, work: () => void, waitedFor?: boolean) => () => void
}

/** Real time. Not `asyncScheduler`, whose timers keep a process alive; and monotonic, whatever the wall clock does. */
const realTimers: Timers = {
  now: () => performance.now(),
  after: (delay, work, waitedFor = false) => {
    if (delay > LONGEST_TIMER) return noop
    const timer = outsideZones(() => setTimeout(work, delay))
    // A number in browsers, which have no process to keep alive.
    if (!waitedFor && typeof timer === 'object') timer.unref()
    return () => clearTimeout(timer)
  },
}

/**
 * Makes timers.
 *
 * @param scheduler - whose time counts; default: real time
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
