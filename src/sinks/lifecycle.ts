import { addLifecycleHooks, isHidden, type LifecycleHooks } from './addLifecycleHooks.js'

/** Somebody whom the end of a process or a page may cost something. */
export interface LifecycleHost extends Omit<LifecycleHooks, 'onVisible'> {
  /** Whether there is something to lose. */
  readonly mayLose: () => boolean
}

/** The process or the page that a sink is in, as far as the sink has something to lose. */
export interface Lifecycle {
  /** To be called when there may be something to lose, or nothing any more: nobody listens for nothing. */
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
      // Since nobody listened, the page may be back.
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
