import { asyncScheduler } from 'rxjs'

/** A timer that runs out unless it is touched in time. */
interface IdleTimer {
  readonly touch: () => void
  readonly stop: () => void
}

/**
 * Calls back once when it was not touched for a time. Touching costs a clock reading: the one timer is armed again
 * only when it fires and finds that it was touched since.
 *
 * @param limit - ms; `Infinity` never runs out, and needs no timer
 * @param onIdle - what to do then
 */
export const idleTimer = (limit: number, onIdle: () => void): IdleTimer | undefined => {
  if (!Number.isFinite(limit)) return undefined
  let touchedAt: number | undefined
  const timer = asyncScheduler.schedule(function () {
    if (touchedAt === undefined) return onIdle()
    // Monotonic: a clock that is set must not end a stream.
    this.schedule(undefined, Math.max(1, limit - (performance.now() - touchedAt)))
    touchedAt = undefined
  }, limit)
  return {
    touch: () => {
      touchedAt = performance.now()
    },
    stop: () => timer.unsubscribe(),
  }
}
