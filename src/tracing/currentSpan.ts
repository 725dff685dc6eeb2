import { describeFound } from '../codecs/describeFound.js'
import { refuse } from '../codecs/refuse.js'
import { currentOpenSpan, forkFrame, runInFrame } from './frames.js'
import { reporterOf } from './guarded.js'
import type { OpenSpan } from './OpenSpan.js'

/** The span under way, as code inside a pipeline sees it. */
export interface CurrentSpan {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** The URL of the page that shows the trace, if there is one. */
  readonly traceUrl: string | undefined
}

const openSpans = new WeakMap<CurrentSpan, OpenSpan>()

/**
 * Returns the span that encloses the caller, to log its ids, or to pass it to `withSpan` where a browser's `await` loses
 * it. `undefined` outside every trace.
 */
export const currentSpan = (): CurrentSpan | undefined => {
  const open = currentOpenSpan()
  if (open === null) return undefined
  const span: CurrentSpan = { traceId: open.trace.id, spanId: open.id, traceUrl: open.trace.url }
  openSpans.set(span, open)
  return span
}

const reportCopy = reporterOf(
  'RESPAN_TRACE',
  (found) =>
    `withSpan: span: expected a span returned by currentSpan(), found ${found}; the function runs outside any trace.`,
  describeFound,
)

/** The open span of a `CurrentSpan`. A copy of one is reported, not refused: a trace never changes what a pipeline does. */
const openSpanOf = (span: CurrentSpan): OpenSpan | null => {
  const open = openSpans.get(span)
  if (open === undefined) reportCopy(span)
  return open ?? null
}

/**
 * Runs a function with a span as the current one, so that what the function subscribes to becomes a child of the span.
 *
 * @param span - what `currentSpan()` returned. `undefined` runs the function outside every trace, and so does a copy of a
 * span, which a process warning (`RESPAN_TRACE`) reports
 * @throws InvalidInput for anything but a function
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
  return runInFrame(forkFrame(open), fn, undefined, undefined)
}
