import { defer, map, type Observable, type OperatorFunction } from 'rxjs'
import { asyncContextOf, captureFrame, currentOpenSpan, type Frame } from '../tracing/frames.js'
import type { Flatten } from './Flattening.js'
import { projectedIn } from './lift.js'

/** An item, with the context that it arrived in. */
interface Arrival<A> {
  readonly value: A
  readonly frame: Frame
}

/**
 * A flattening that runs each item with every AsyncLocalStorage as it was when the item arrived. RxJS starts an item that
 * had to wait when the run before it ends, which is in the context of another item: with that item's user or request.
 *
 * Only for a flattening that makes items wait and doesn't look at them: `flatten` gets them wrapped.
 */
export const inArrivalContext =
  (flatten: Flatten): Flatten =>
  <A, B>(project: (value: A, index: number) => Observable<B>): OperatorFunction<A, B> => {
    const run = flatten(({ value, frame }: Arrival<A>, index) =>
      frame.resource === undefined ? project(value, index) : projectedIn(frame, () => project(value, index)),
    )
    return (source) =>
      defer(() => {
        // The enclosing trace decides, whatever context feeds the source.
        const asyncContext = asyncContextOf(currentOpenSpan())
        const arrived = (value: A): Arrival<A> => ({ value, frame: captureFrame(asyncContext) })
        return source.pipe(map(arrived), run)
      })
  }
