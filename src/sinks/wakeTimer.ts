import type { Timers } from './timers.js'

/** One timer for everything that has to happen later: it fires once, at the earliest time to which it was set. */
export interface WakeTimer {
  /** When it fires, ms; `Infinity` while it is off. */
  readonly at: () => number
  /** Sets it to a time, ms, unless it fires earlier anyway. */
  readonly set: (at: number) => void
  readonly off: () => void
}

/** Makes a timer that is off. */
export const wakeTimer = (time: Timers, wake: () => void): WakeTimer => {
  let at = Number.POSITIVE_INFINITY
  let cancel: (() => void) | undefined

  return {
    at: () => at,
    set: (when) => {
      if (when >= at) return
      cancel?.()
      at = when
      cancel = time.after(Math.max(0, when - time.now()), () => {
        at = Number.POSITIVE_INFINITY
        wake()
      })
    },
    off: () => {
      cancel?.()
      at = Number.POSITIVE_INFINITY
    },
  }
}
