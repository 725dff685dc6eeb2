import {
  defer,
  fromEvent,
  type MonoTypeOperatorFunction,
  map,
  mergeMap,
  type Observable,
  of,
  share,
  takeUntil,
  throwError,
} from 'rxjs'
import { memoizeWeak } from '../codecs/memoizeWeak.js'
import { Aborted } from '../errors.js'

/**
 * Ends with the error `Aborted`, and unsubscribes, as soon as a signal is aborted; if it is already, nothing is
 * subscribed. All that is subscribed on one signal shares one listener (Node warns of a leak from the eleventh on), which is
 * removed when the last of it ends.
 *
 * @param signal - without one, the source is left as it is
 */
export const abortedBy = <T>(signal: AbortSignal | undefined): MonoTypeOperatorFunction<T> =>
  signal === undefined
    ? (source) => source
    : takeUntil(reasons(signal).pipe(mergeMap((cause) => throwError(() => new Aborted({ cause })))))

/** Emits the reason when the signal is aborted, at once if it is already. One for each signal. */
const reasons = memoizeWeak((signal: AbortSignal): Observable<unknown> => {
  const heard$ = fromEvent(signal, 'abort').pipe(
    map((): unknown => signal.reason),
    share(),
  )
  // Asked first: whoever subscribes while `heard$` is telling the others would miss it.
  return defer(() => (signal.aborted ? of<unknown>(signal.reason) : heard$))
})
