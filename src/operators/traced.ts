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

/** What kind of span a traced operator has. */
export interface TracedOptions {
  /** The kind of work, as the trace shows it. Default `task`. */
  readonly type?: SpanType
}

const OPTIONS: Readonly<Record<keyof TracedOptions, true>> = { type: true }

/** For each span of an operator, the frame in which it was subscribed to. */
type Outsides = WeakMap<OpenSpan, Frame>

const nearest = (outsides: Outsides): OpenSpan | null => {
  let span = currentOpenSpan()
  while (span !== null && !outsides.has(span)) span = span.parent
  return span
}

/** The source of a traced operator: it runs outside the operator's span, and its values are that span's input. */
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
 * Gives any operator a span for each subscription, from its start to its end.
 *
 * ```
 * source                                 --a--b--c--|
 * traced('batch', bufferCount(2))        -----x-----(y|)    x = [a, b], y = [c]
 * span                                   [  batch   ]
 * ```
 *
 * What stands above keeps its own place in the trace; what the operator subscribes to inside becomes a child of the
 * span. Without a trace it behaves as the operator itself.
 *
 * Errors: the operator's own. `InvalidInput`, thrown at once, for an empty name, anything but an operator, an unknown option
 * or `type`.
 *
 * @param name - the span's name
 * @param operator - applied once to each source, as `pipe` does
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
    // Applied once, as `pipe` does: what the operator shares between subscriptions stays shared.
    const outsides: Outsides = new WeakMap()
    const body = applied(`traced ${name}`, 'operator', operator, entering(source, outsides))
    const bodyFor = deepenedFor(body)
    return inSubscriberFrame((subscriber) => {
      const parent = currentOpenSpan()
      // RxJS subscribes to a source even for a closed subscriber (`forkJoin` after an error): then nothing may run.
      if (parent === null || subscriber.closed) return body.subscribe(subscriber)
      const { trace } = parent
      const here = captureFrame()
      const span = startSpan(trace, parent, { name, type })
      outsides.set(span, here)
      return recordRun(span, here, subscriber, (s) => bodyFor(trace).subscribe(s))
    })
  }
}
