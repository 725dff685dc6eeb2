import { tried } from '../util/tried.js'
import { outsideZones } from './outsideZones.js'

/** A sink's callbacks for the moments in a process or page after which it may be too late to deliver something. */
export interface LifecycleHooks {
  /** The process has nothing else to do. Work begun now keeps it alive until it is done; then this is called again. */
  readonly onIdle: () => void
  /** The process is ending: only synchronous work is still done. */
  readonly onExit: () => void
  /** The page is hidden or left: this may be the last chance. */
  readonly onHidden: () => void
}

const watching = new Set<LifecycleHooks>()

/** Calls the hooks of all sinks that watch now, on a copy, since a hook may add or remove some. */
const call = (event: keyof LifecycleHooks): void => {
  for (const hooks of [...watching]) hooks[event]()
}

const idle = (): void => call('onIdle')

let exiting = false

/** Whether this process is ending: there is no further tick. */
export const isExiting = (): boolean => exiting

const exit = (): void => {
  exiting = true
  call('onExit')
}

let leaving = false

/** Whether the page is hidden or left; out of date while no sink watches. */
export const isLeaving = (): boolean => leaving

const hidden = (): void => {
  leaving = true
  call('onHidden')
}

const visible = (): void => {
  leaving = false
}

interface Target {
  readonly addEventListener?: (event: string, listener: () => void) => void
  readonly removeEventListener?: (event: string, listener: () => void) => void
}

/** The parts of the runtime used here, none of which may exist. */
interface Runtime extends Target {
  readonly process?: {
    readonly on?: (event: 'beforeExit' | 'exit', listener: () => void) => unknown
    readonly off?: (event: 'beforeExit' | 'exit', listener: () => void) => unknown
  }
  readonly document?: Target & { readonly visibilityState?: string }
}

const isHidden = (): boolean => {
  const { document }: Runtime = globalThis
  return document?.visibilityState === 'hidden'
}

const visibilityChanged = (): void => (isHidden() ? hidden() : visible())

const listen = (how: 'on' | 'off'): void => {
  const runtime: Runtime = globalThis
  const { process, document } = runtime
  // Some runtimes have these functions but throw when they are called: then the event does not exist.
  tried(() => process?.[how]?.('beforeExit', idle))
  tried(() => process?.[how]?.('exit', exit))
  if (document === undefined) return
  const method = how === 'on' ? 'addEventListener' : 'removeEventListener'
  tried(() => document[method]?.('visibilitychange', visibilityChanged))
  tried(() => runtime[method]?.('pagehide', hidden))
  tried(() => runtime[method]?.('pageshow', visible))
}

/**
 * Calls hooks, while there is something to lose, when a process runs out of work (Node's `beforeExit`), when it ends
 * (`exit`, which includes `process.exit()` and uncaught errors), and when a page is hidden or left. Each event has one
 * listener for all hooks, and none while there are no hooks.
 *
 * A signal ends a process without any of these events, unless there is a listener for the signal.
 *
 * @param hooks - always the same object for one sink
 * @param mayLose - whether the sink may lose spans now; to be called whenever that may have changed
 */
export const watchLifecycle = (hooks: LifecycleHooks, mayLose: boolean): void => {
  if (watching.has(hooks) === mayLose) return
  if (mayLose) {
    if (watching.size === 0) {
      leaving = isHidden()
      outsideZones(() => listen('on'))
    }
    watching.add(hooks)
  } else {
    watching.delete(hooks)
    if (watching.size === 0) listen('off')
  }
}
