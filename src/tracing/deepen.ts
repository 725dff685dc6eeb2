import { Observable } from 'rxjs'
import { isFramed } from './framed.js'
import { captureFrame, type Frame } from './frames.js'
import { inSubscriberFrame } from './inSubscriberFrame.js'
import { LinkSubscriber } from './subscribers.js'
import type { Trace } from './Trace.js'

/** What RxJS 7 keeps on an observable made by an operator. It is internal, and absent in RxJS 8, where nothing gets linked. */
interface Lifted {
  readonly source?: Observable<unknown> & { readonly connect?: unknown }
  readonly operator?: unknown
}

/** Passes each notification of a source on inside a frame. */
export const linkedIn = <T>(frame: Frame, source: Observable<T>): Observable<T> =>
  isFramed(source)
    ? source
    : new Observable((subscriber) => source.subscribe(new LinkSubscriber(subscriber, frame)))

/** Passes each notification of a source on with the span as the current one that was current at subscription. */
const linked = <T>(source: Observable<T>): Observable<T> =>
  isFramed(source)
    ? source
    : inSubscriberFrame((subscriber) => source.subscribe(new LinkSubscriber(subscriber, captureFrame())))

/**
 * Rebuilds the chain of operators above an observable with a link below each, so that the current span survives timers and
 * foreign call stacks in between. Every notification stays what it was, when it was.
 *
 * Left as they are: a connectable source, because its operators call `connect` on it; and an observable whose `subscribe`
 * isn't this RxJS's, because it overrides the method, or is another copy's.
 */
export const deepen = <T>(observable: Observable<T>): Observable<T> => {
  const { source, operator } = observable as Lifted
  if (source === undefined || operator === undefined || typeof source.connect === 'function')
    return observable
  if (observable.subscribe !== Observable.prototype.subscribe) return observable
  return Object.assign(new Observable<T>(), { source: linked(deepen(source)), operator })
}

/** Returns a source as a trace wants it: as it is, or deepened. It is deepened once, for the first trace that wants that. */
export const deepenedFor = <T>(source: Observable<T>): ((trace: Trace) => Observable<T>) => {
  let deep: Observable<T> | undefined
  return (trace) => {
    if (!trace.deep) return source
    deep ??= deepen(source)
    return deep
  }
}
