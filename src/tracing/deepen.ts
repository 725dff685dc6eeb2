import { Observable } from 'rxjs'
import { isFramed } from './framed.js'
import { captureFrame, type Frame } from './frames.js'
import { inSubscriberFrame } from './inSubscriberFrame.js'
import { LinkSubscriber } from './subscribers.js'
import type { Trace } from './Trace.js'

/** What RxJS 7 keeps on an observable that an operator made. Marked internal there, absent in RxJS 8: then nothing is linked. */
interface Lifted {
  readonly source?: Observable<unknown> & { readonly connect?: unknown }
  readonly operator?: unknown
}

/** Passes a source on, each of its signals inside a frame. */
export const linkedIn = <T>(frame: Frame, source: Observable<T>): Observable<T> =>
  isFramed(source)
    ? source
    : new Observable((subscriber) => source.subscribe(new LinkSubscriber(subscriber, frame)))

/** Passes a source on so that each of its signals finds the span again that was current at subscription. */
const linked = <T>(source: Observable<T>): Observable<T> =>
  isFramed(source)
    ? source
    : inSubscriberFrame((subscriber) => source.subscribe(new LinkSubscriber(subscriber, captureFrame())))

/**
 * Rebuilds the chain of operators above an observable with a link under each, so that the current span
 * survives timers and foreign stacks in between. Every notification stays as and when it was.
 *
 * A connectable source stays as it is, because its operators call `connect` on it; so does an observable with a
 * `subscribe` of its own, because what it does there is its own, and one of another copy of RxJS.
 */
export const deepen = <T>(observable: Observable<T>): Observable<T> => {
  const { source, operator } = observable as Lifted
  if (source === undefined || operator === undefined || typeof source.connect === 'function')
    return observable
  if (observable.subscribe !== Observable.prototype.subscribe) return observable
  return Object.assign(new Observable<T>(), { source: linked(deepen(source)), operator })
}

/** A source as a trace wants it: as it is, or deepened, once, by the first trace that wants that. */
export const deepenedFor = <T>(source: Observable<T>): ((trace: Trace) => Observable<T>) => {
  let deep: Observable<T> | undefined
  return (trace) => {
    if (!trace.deep) return source
    deep ??= deepen(source)
    return deep
  }
}
