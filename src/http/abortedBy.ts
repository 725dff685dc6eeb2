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
import { Aborted } from '../errors.js'
import { memoizeWeak } from '../util/memoizeWeak.js'
import { rootZone } from '../util/rootZone.js'

/**
 * Emits the error `Aborted`, and unsubscribes from the source, as soon as a signal is aborted; if it is aborted already,
 * the source is not subscribed. All subscriptions on one signal share one listener (Node warns of a leak from the eleventh
 * on), except under zone.js. It is removed when the last of them ends.
 *
 * @param signal - without one, the source is returned unchanged
 */
export const abortedBy = <T>(signal: AbortSignal | undefined): MonoTypeOperatorFunction<T> =>
  signal === undefined
    ? (source) => source
    : takeUntil(reasons(signal).pipe(mergeMap((cause) => throwError(() => new Aborted({ cause })))))

/** Emits the reason when the signal is aborted, at once if it is aborted already. The same observable for each call. */
const reasons = memoizeWeak((signal: AbortSignal): Observable<unknown> => {
  const reason$ = fromEvent(signal, 'abort').pipe(map((): unknown => signal.reason))
  const shared$ = reason$.pipe(share())
  return defer(() => {
    // Checked first: a subscriber that comes while `shared$` is emitting would miss the event.
    if (signal.aborted) return of<unknown>(signal.reason)
    // zone.js calls a listener in the zone that added it: each subscription needs one of its own.
    return rootZone() === undefined ? shared$ : reason$
  })
})
