import { defer, map, type Observable, type OperatorFunction } from 'rxjs'
import { asyncContextOf, captureFrame, currentOpenSpan, type Frame } from '../tracing/frames.js'
import type { Flatten } from './flattening.js'
import { projectedIn } from './lift.js'

/** An item, and the moment it came. */
interface Arrival<A> {
  readonly value: A
  readonly frame: Frame
}

/**
 * A flattening that runs each item with every AsyncLocalStorage as it was when the item came. RxJS runs an item that had to
 * wait where the run before it ends: in the context of another item, with that one's user or request.
 *
 * Only for what lets items wait and does not compare them: they come to `flatten` wrapped.
 */
export const inArrivalContext =
  (flatten: Flatten): Flatten =>
  <A, B>(project: (value: A, index: number) => Observable<B>): OperatorFunction<A, B> => {
    const run = flatten(({ value, frame }: Arrival<A>, index) =>
      frame.resource === undefined ? project(value, index) : projectedIn(frame, () => project(value, index)),
    )
    return (source) =>
      defer(() => {
        // The trace that encloses it decides, whoever feeds it.
        const asyncContext = asyncContextOf(currentOpenSpan())
        const arrived = (value: A): Arrival<A> => ({ value, frame: captureFrame(asyncContext) })
        return source.pipe(map(arrived), run)
      })
  }
