import type { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Observable, Subscriber, Subscription } from 'rxjs'
import { rootZone } from '../util/rootZone.js'
import { tried } from '../util/tried.js'
import type { OpenSpan } from './OpenSpan.js'

type AsyncHooks = typeof import('node:async_hooks')

/** The context of a subscription, entered again around each of its notifications. */
export interface Frame {
  readonly span: OpenSpan | null
  /** Restores every AsyncLocalStorage of that context; absent where the runtime has none, or a trace wants none. */
  readonly resource: AsyncResource | undefined
}

// The current span during a synchronous call inside a frame without a resource, otherwise `undefined`. A browser has only this.
let slot: OpenSpan | null | undefined
// Made for the first trace that wants it, because any use of it slows down each `await` of the process on Node 20 and 22.
let storage: AsyncLocalStorage<OpenSpan | null> | undefined
let hooks: AsyncHooks | null | undefined

const findHooks = (): AsyncHooks | null => {
  // zone.js calls all pending promises back in the context of the first one, which may belong to another trace.
  if (rootZone() !== undefined) return null
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (id: string) => AsyncHooks | undefined }
  }
  // Some runtimes have such a function, but it throws: then there is no such module.
  return tried(() => process?.getBuiltinModule?.('node:async_hooks')) ?? null
}

const asyncHooks = (): AsyncHooks | null => {
  if (hooks === undefined) hooks = findHooks()
  return hooks
}

/** The span that encloses the current call: `null` where it was hidden on purpose, `undefined` where none was ever set. */
export const enclosingSpan = (): OpenSpan | null | undefined =>
  slot === undefined ? storage?.getStore() : slot

/** The span that encloses the current call; `null` for none. */
export const currentOpenSpan = (): OpenSpan | null => enclosingSpan() ?? null

const resourceOf = (asyncHooksModule: AsyncHooks): AsyncResource =>
  new asyncHooksModule.AsyncResource('RespanFrame')

/** Whether AsyncLocalStorage may be used below a span: as its trace says, and outside every trace always. */
export const asyncContextOf = (span: OpenSpan | null): boolean => span?.trace.asyncContext ?? true

const isolatedFrame = (span: OpenSpan | null, available: AsyncHooks): Frame => {
  storage ??= new available.AsyncLocalStorage()
  return { span, resource: storage.run(span, resourceOf, available) }
}

/**
 * Captures the current context.
 *
 * @param asyncContext - `false` captures only the span, without any AsyncLocalStorage. Default: as the current trace says
 */
export const captureFrame = (asyncContext?: boolean): Frame => {
  const span = currentOpenSpan()
  const available = (asyncContext ?? asyncContextOf(span)) ? asyncHooks() : null
  if (available === null) return { span, resource: undefined }
  return slot === undefined ? { span, resource: resourceOf(available) } : isolatedFrame(span, available)
}

/**
 * The current context with another span as the current one; `null` hides the current span. It needs a resource of its own:
 * on Node 20 and 22 `AsyncLocalStorage.run` changes the current resource, which may belong to another frame.
 */
export const forkFrame = (span: OpenSpan | null): Frame => {
  const available = asyncContextOf(span ?? currentOpenSpan()) ? asyncHooks() : null
  return available === null ? { span, resource: undefined } : isolatedFrame(span, available)
}

/** Calls a function inside a frame. The function takes two arguments, so that hot callers need no closure. */
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
  // The common case needs no try/finally: there is no slot to hide and restore.
  if (previous === undefined) return resource.runInAsyncScope(fn, undefined, a, b)
  slot = undefined
  try {
    return resource.runInAsyncScope(fn, undefined, a, b)
  } finally {
    slot = previous
  }
}

/** `subscribe` as a function for {@link runInFrame}. */
export const subscribeTo = <T>(source: Observable<T>, subscriber: Subscriber<T>): Subscription =>
  source.subscribe(subscriber)
