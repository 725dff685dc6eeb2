import { refuse } from '../codecs/refuse.js'
import { currentOpenSpan, forkFrame, runInFrame } from './frames.js'
import type { OpenSpan } from './OpenSpan.js'

/** A span under way, as code inside a pipeline sees it. */
export interface CurrentSpan {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** The page that shows the trace, where there is one. */
  readonly traceUrl: string | undefined
}

const openSpans = new WeakMap<CurrentSpan, OpenSpan>()

/**
 * Gives the span that encloses the caller: to log its ids, or to hand it to `withSpan` where a browser's
 * `await` loses it. `undefined` outside every trace.
 */
export const currentSpan = (): CurrentSpan | undefined => {
  const open = currentOpenSpan()
  if (open === null) return undefined
  const span: CurrentSpan = { traceId: open.trace.id, spanId: open.id, traceUrl: open.trace.url }
  openSpans.set(span, open)
  return span
}

/** A copy would run what it encloses outside every trace, and nobody would know. */
const openSpanOf = (span: CurrentSpan): OpenSpan =>
  openSpans.get(span) ?? refuse('withSpan', 'span', 'what currentSpan() gave', span)

/**
 * Runs a function with a span as the current one, so that what it subscribes becomes the span's child.
 *
 * @param span - what `currentSpan()` gave; `undefined` runs the function outside every trace
 * @throws InvalidInput for what is no function, and for a copy of a span
 *
 * @example
 * const span = currentSpan()
 * const documents = await search(question) // a browser forgets the span here
 * return withSpan(span, () => firstValueFrom(of(documents).pipe(rank)))
 */
export const withSpan = <A>(span: CurrentSpan | undefined, fn: () => A): A => {
  if (typeof fn !== 'function') refuse('withSpan', 'fn', 'a function', fn)
  const open = span === undefined ? null : openSpanOf(span)
  const here = currentOpenSpan()
  if (open === here) return fn()
  return runInFrame(forkFrame(open, (open ?? here)?.trace.asyncContext ?? true), fn, undefined, undefined)
}
