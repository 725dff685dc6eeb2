import { addLifecycleHooks, isHidden, type LifecycleHooks } from './addLifecycleHooks.js'

/** A sink that may lose spans when the process or the page ends. */
export interface LifecycleHost extends Omit<LifecycleHooks, 'onVisible'> {
  /** Whether there is something to lose. */
  readonly mayLose: () => boolean
}

/** A sink's view of the process or the page in which it lives. */
export interface Lifecycle {
  /** To be called whenever `mayLose` may have changed: adds the listeners, or removes them. */
  readonly watch: () => void
  /** Whether the page is hidden or left. */
  readonly isLeaving: () => boolean
}

/** Listens for the end of the process or the page while there is something to lose. */
export const lifecycle = ({ mayLose, onIdle, onExit, onHidden }: LifecycleHost): Lifecycle => {
  let leaving = false
  let unwatch: (() => void) | undefined

  const watch = (): void => {
    if (!mayLose()) {
      unwatch?.()
      unwatch = undefined
    } else if (unwatch === undefined) {
      // There was no listener until now, so `leaving` may be out of date.
      leaving = isHidden()
      unwatch = addLifecycleHooks({
        onIdle,
        onExit,
        onHidden: () => {
          leaving = true
          onHidden()
        },
        onVisible: () => {
          leaving = false
        },
      })
    }
  }

  return { watch, isLeaving: () => leaving }
}
