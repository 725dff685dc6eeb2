import { asyncScheduler, type Subscription } from 'rxjs'

/** A timer that runs out unless it is touched in time. */
interface IdleTimer {
  readonly touch: () => void
  readonly stop: () => void
}

/**
 * Calls back once when it was not touched for a time. Touching costs a clock reading: the one timer is armed again
 * only when it fires and finds that it was touched since.
 *
 * @param limit - ms; `Infinity` never runs out
 * @param onIdle - what to do then
 */
export const idleTimer = (limit: number, onIdle: () => void): IdleTimer => {
  if (!Number.isFinite(limit)) return NEVER
  let touched = false
  let touchedAt = 0
  let timer: Subscription
  const arm = (ms: number): void => {
    timer = asyncScheduler.schedule(fire, ms)
  }
  const fire = (): void => {
    if (touched) {
      touched = false
      // Monotonic: a clock that is set must not end a stream.
      arm(Math.max(1, limit - (performance.now() - touchedAt)))
    } else onIdle()
  }
  arm(limit)
  return {
    touch: () => {
      touched = true
      touchedAt = performance.now()
    },
    stop: () => timer.unsubscribe(),
  }
}

const NEVER: IdleTimer = { touch: () => undefined, stop: () => undefined }
