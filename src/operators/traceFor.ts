import { identity, type MonoTypeOperatorFunction } from 'rxjs'
import { checked } from '../codecs/checked.js'
import { ownCopy } from '../codecs/ownCopy.js'
import { TraceAttributes } from '../codecs/RespanAttributes.js'
import { deepenedFor } from '../tracing/deepen.js'
import { framed } from '../tracing/framed.js'
import { captureFrame, currentOpenSpan } from '../tracing/frames.js'
import { contentMapper, guardedAsync, reporter } from '../tracing/guarded.js'
import { inSubscriberFrame } from '../tracing/inSubscriberFrame.js'
import { startSpan } from '../tracing/OpenSpan.js'
import { recordRun } from '../tracing/subscribers.js'
import { checkTraceOptions } from './checkTraceOptions.js'
import { openTrace } from './openTrace.js'
import type { TraceOptions } from './TraceOptions.js'

/**
 * The operator behind `respanTrace` and `traceEach`.
 *
 * @param subject - who was given the options: the first word of an error's message
 * @throws InvalidInput
 */
export const traceFor = <T>(
  subject: string,
  name: string,
  options: TraceOptions & { readonly output?: (value: T) => unknown },
): MonoTypeOperatorFunction<T> => {
  checkTraceOptions(subject, options)
  const own: TraceOptions =
    options.attributes === undefined
      ? options
      : {
          ...options,
          attributes: ownCopy(checked(subject, TraceAttributes, options.attributes, 'attributes')),
        }
  const { output, onStart } = options
  const recorded = output === undefined ? identity : contentMapper(name, 'output', output)
  return (source) => {
    const sourceFor = deepenedFor(source)
    const traced = inSubscriberFrame<T>((subscriber) => {
      // RxJS subscribes to a source even for a closed subscriber (`forkJoin` after an error): then nothing may run.
      if (subscriber.closed) return source.subscribe(subscriber)
      const parent = currentOpenSpan()
      const trace = openTrace(parent, name, own)
      const here = captureFrame(trace.asyncContext)
      const span = startSpan(trace, parent, { name, type: 'workflow' })
      if (onStart !== undefined) {
        guardedAsync(reporter(name, 'onStart'), () =>
          onStart({ traceId: trace.id, spanId: span.id, traceUrl: trace.url }),
        )
      }
      return recordRun(span, here, subscriber, (s) => sourceFor(trace).subscribe(s), recorded)
    })
    return framed(traced)
  }
}
