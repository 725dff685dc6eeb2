import { asyncScheduler } from 'rxjs'

/** A timer that fires unless it is touched in time. */
interface IdleTimer {
  readonly touch: () => void
  readonly stop: () => void
}

/**
 * Calls back once, when it has not been touched for a time. Touching it costs no more than reading a clock: the timer is
 * rearmed only when it fires and has been touched since.
 *
 * @param limit - ms; with `Infinity` it never fires, and no timer is needed
 * @param onIdle - called when it fires
 */
export const idleTimer = (limit: number, onIdle: () => void): IdleTimer | undefined => {
  if (!Number.isFinite(limit)) return undefined
  let touchedAt: number | undefined
  const timer = asyncScheduler.schedule(function () {
    if (touchedAt === undefined) return onIdle()
    // A monotonic clock: setting the system's clock must not end a stream.
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
