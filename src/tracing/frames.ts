import type { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Observable, Subscriber, Subscription } from 'rxjs'
import { tried } from '../codecs/tried.js'
import type { OpenSpan } from './OpenSpan.js'
import { rootZone } from './rootZone.js'

type AsyncHooks = typeof import('node:async_hooks')

/** The moment of a subscription, to be entered again around each of its signals. */
export interface Frame {
  readonly span: OpenSpan | null
  /** Restores every AsyncLocalStorage of that moment; absent where there is none, or where a trace wants none. */
  readonly resource: AsyncResource | undefined
}

// The synchronous slot: `undefined` outside every frame that has no resource. It is all a browser has.
let slot: OpenSpan | null | undefined
// Made by the first trace that wants it, because any use of it slows down each `await` of the process on Node 20 and 22.
let storage: AsyncLocalStorage<OpenSpan | null> | undefined
let hooks: AsyncHooks | null | undefined

const findHooks = (): AsyncHooks | null => {
  // zone.js calls all waiting promises back in the context of the first one, which may be that of another trace.
  if (rootZone() !== undefined) return null
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (id: string) => AsyncHooks | undefined }
  }
  // Some runtimes have such a function and throw when it is called: then there is no such module.
  return tried(() => process?.getBuiltinModule?.('node:async_hooks')) ?? null
}

const asyncHooks = (): AsyncHooks | null => {
  if (hooks === undefined) hooks = findHooks()
  return hooks
}

/** The span that encloses what runs now: `null` outside on purpose, `undefined` where nothing was said. */
export const enclosingSpan = (): OpenSpan | null | undefined =>
  slot === undefined ? storage?.getStore() : slot

/** The span that encloses what runs now; `null` for none. */
export const currentOpenSpan = (): OpenSpan | null => enclosingSpan() ?? null

const resourceOf = (asyncHooksModule: AsyncHooks): AsyncResource =>
  new asyncHooksModule.AsyncResource('RespanFrame')

/** Whether AsyncLocalStorage may be used below a span: its trace says so, as its root does; outside every trace it may. */
export const asyncContextOf = (span: OpenSpan | null): boolean => span?.trace.asyncContext ?? true

const isolatedFrame = (span: OpenSpan | null, available: AsyncHooks): Frame => {
  storage ??= new available.AsyncLocalStorage()
  return { span, resource: storage.run(span, resourceOf, available) }
}

/**
 * Keeps this moment.
 *
 * @param asyncContext - `false` keeps the span alone and touches no AsyncLocalStorage; what the current trace says unless told
 */
export const captureFrame = (asyncContext?: boolean): Frame => {
  const span = currentOpenSpan()
  const available = (asyncContext ?? asyncContextOf(span)) ? asyncHooks() : null
  if (available === null) return { span, resource: undefined }
  return slot === undefined ? { span, resource: resourceOf(available) } : isolatedFrame(span, available)
}

/**
 * This moment with another span as the current one; `null` hides the current span. It needs a resource of its own:
 * `AsyncLocalStorage.run` on Node 20 and 22 changes the one that is current, which may belong to another frame.
 */
export const forkFrame = (span: OpenSpan | null): Frame => {
  const available = asyncContextOf(span ?? currentOpenSpan()) ? asyncHooks() : null
  return available === null ? { span, resource: undefined } : isolatedFrame(span, available)
}

/** Enters a frame for the time of one call; two arguments, so that the hot callers need no closure. */
export const runInFrame = <A, B, C>(frame: Frame, fn: (a: A, b: B) => C, a: A, b: B): C => {
  const previous = slot
  const { resource } = frame
  if (resource === undefined) {
    slot = frame.span
    try {
      return fn(a, b)
    } finally {
      slot = previous
    }
  }
  // The common case stays free of try/finally: nothing synchronous to hide, nothing to restore.
  if (previous === undefined) return resource.runInAsyncScope(fn, undefined, a, b)
  slot = undefined
  try {
    return resource.runInAsyncScope(fn, undefined, a, b)
  } finally {
    slot = previous
  }
}

/** Subscribes, as something to be run in a frame. */
export const subscribeTo = <T>(source: Observable<T>, subscriber: Subscriber<T>): Subscription =>
  source.subscribe(subscriber)
