import { tried } from '../codecs/tried.js'
import { outsideZones } from './outsideZones.js'

/** What somebody does who has something to deliver before it is too late. */
export interface LifecycleHooks {
  /** A process has nothing else to do. What is begun now keeps it alive until it is done, and then this is called again. */
  readonly onIdle: () => void
  /** A process ends: what is done now is done, and nothing else. */
  readonly onExit: () => void
  /** A page is hidden or left: there may be no later. */
  readonly onHidden: () => void
  /** A page is back. */
  readonly onVisible: () => void
}

const registered = new Set<LifecycleHooks>()

/** Calls the hooks of this moment: one that is called may remove some, or add others. */
const call = (event: keyof LifecycleHooks) => (): void => {
  for (const hooks of [...registered]) hooks[event]()
}

const idle = call('onIdle')
const hidden = call('onHidden')
const visible = call('onVisible')

let exiting = false

/** Whether this process is ending: no tick comes after this one. */
export const isExiting = (): boolean => exiting

const exit = (): void => {
  exiting = true
  call('onExit')()
}

interface Target {
  readonly addEventListener?: (event: string, listener: () => void) => void
  readonly removeEventListener?: (event: string, listener: () => void) => void
}

/** As this file sees the runtime: whatever of it there is. */
interface Runtime extends Target {
  readonly process?: {
    readonly on?: (event: 'beforeExit' | 'exit', listener: () => void) => unknown
    readonly off?: (event: 'beforeExit' | 'exit', listener: () => void) => unknown
  }
  readonly document?: Target & { readonly visibilityState?: string }
}

/** Whether there is a page, and it is hidden. */
export const isHidden = (): boolean => {
  const { document }: Runtime = globalThis
  return document?.visibilityState === 'hidden'
}

const visibilityChanged = (): void => (isHidden() ? hidden() : visible())

const listen = (how: 'on' | 'off'): void => {
  const runtime: Runtime = globalThis
  const { process, document } = runtime
  // Some runtimes have such functions and throw when they are called: then there is no such event.
  tried(() => process?.[how]?.('beforeExit', idle))
  tried(() => process?.[how]?.('exit', exit))
  if (document === undefined) return
  const method = how === 'on' ? 'addEventListener' : 'removeEventListener'
  tried(() => document[method]?.('visibilitychange', visibilityChanged))
  tried(() => runtime[method]?.('pagehide', hidden))
  tried(() => runtime[method]?.('pageshow', visible))
}

/**
 * Calls hooks when a process runs out of work (Node's `beforeExit`), when it ends (`exit`: also by
 * `process.exit()` and by an uncaught error), and when a page is hidden or left, until the returned function is called.
 * However many hooks there are, each event has one listener, and none without hooks.
 *
 * A signal ends a process without it, unless somebody listens for the signal.
 */
export const addLifecycleHooks = (hooks: LifecycleHooks): (() => void) => {
  if (registered.size === 0) outsideZones(() => listen('on'))
  registered.add(hooks)
  return () => {
    if (registered.delete(hooks) && registered.size === 0) listen('off')
  }
}
