import type { Observable } from 'rxjs'

const FRAMED = Symbol('framed')

/** Marks an observable that promises to emit each notification inside the frame of its subscription. */
export const framed = <T>(observable: Observable<T>): Observable<T> =>
  Object.assign(observable, { [FRAMED]: true })

/** Whether an observable promises to emit inside the frame of its subscription, so that it needs no link. */
export const isFramed = (source: Observable<unknown>): boolean => FRAMED in source
