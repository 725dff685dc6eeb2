import { Observable, type OperatorFunction } from 'rxjs'
import { deepenedFor } from '../tracing/deepen.js'
import { captureFrame, currentOpenSpan, type Frame, runInFrame, subscribeTo } from '../tracing/frames.js'
import { inSubscriberFrame } from '../tracing/inSubscriberFrame.js'
import { type OpenSpan, startSpan } from '../tracing/OpenSpan.js'
import type { SpanType } from '../tracing/SpanEvent.js'
import { EnteringSubscriber, recordRun } from '../tracing/subscribers.js'
import { applied } from './applied.js'
import { checkName } from './checkName.js'
import { checkOperator } from './checkOperator.js'
import { spanTypeOf } from './spanTypeOf.js'

/** What kind of span it is. */
export interface TracedOptions {
  /** What kind of work it is, for the trace. Default `task`. */
  readonly type?: SpanType
}

const OPTIONS: Readonly<Record<keyof TracedOptions, true>> = { type: true }

/** Where each span of an operator was subscribed. */
type Outsides = WeakMap<OpenSpan, Frame>

const nearest = (outsides: Outsides): OpenSpan | null => {
  let span = currentOpenSpan()
  while (span !== null && !outsides.has(span)) span = span.parent
  return span
}

/** The source of a traced operator: it belongs outside the span, its values enter it. */
const entering = <A>(source: Observable<A>, outsides: Outsides): Observable<A> => {
  const sourceFor = deepenedFor(source)
  return new Observable((subscriber) => {
    const span = nearest(outsides)
    const outside = span === null ? undefined : outsides.get(span)
    if (span === null || outside === undefined) return source.subscribe(subscriber)
    const { trace } = span
    const inner = new EnteringSubscriber(subscriber, captureFrame(), outside, span)
    return runInFrame(outside, subscribeTo, sourceFor(trace), inner)
  })
}

/**
 * Gives any operator a span: one per subscription, from subscribing to its end.
 *
 * ```
 * source                                 --a--b--c--|
 * traced('batch', bufferCount(2))        -----x-----(y|)    x = [a, b], y = [c]
 * span                                   [  batch   ]
 * ```
 *
 * What stands above keeps its own place in the trace; what the operator subscribes inside becomes the
 * span's child. Without a trace it is the operator itself.
 *
 * Errors: the operator's own. `InvalidInput`, thrown at once, for an empty name, anything but an operator, an unknown option
 * or `type`.
 *
 * @param name - the span's name
 * @param operator - applied once for each source, as `pipe` does it
 * @returns the operator, with the same notifications at the same times
 *
 * @see component for one span per item
 */
export const traced = <A, B>(
  name: string,
  operator: OperatorFunction<A, B>,
  options: TracedOptions = {},
): OperatorFunction<A, B> => {
  checkName('traced', name)
  checkOperator(`traced ${name}`, 'operator', operator)
  const type = spanTypeOf(`traced ${name}`, options, OPTIONS)
  return (source) => {
    // The operator is applied once, as `pipe` does it: what it shares, its subscriptions share.
    const outsides: Outsides = new WeakMap()
    const body = applied(`traced ${name}`, 'operator', operator, entering(source, outsides))
    const bodyFor = deepenedFor(body)
    return inSubscriberFrame((subscriber) => {
      const parent = currentOpenSpan()
      // RxJS subscribes a source even for a subscriber that has left (`forkJoin` after an error): then nothing runs.
      if (parent === null || subscriber.closed) return body.subscribe(subscriber)
      const { trace } = parent
      const here = captureFrame()
      const span = startSpan(trace, parent, { name, type })
      outsides.set(span, here)
      return recordRun(span, here, subscriber, (s) => bodyFor(trace).subscribe(s))
    })
  }
}
