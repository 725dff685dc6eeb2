import { Observable, type Subscriber, type TeardownLogic } from 'rxjs'

const FRAMED = Symbol('framed')

/** Makes an observable that promises each of its signals inside the frame of its subscription. */
export const framed = <T>(subscribe: (subscriber: Subscriber<T>) => TeardownLogic): Observable<T> =>
  Object.assign(new Observable<T>(subscribe), { [FRAMED]: true })

/** Whether an observable promises that: then it needs no link. */
export const isFramed = (source: Observable<unknown>): boolean => FRAMED in source
