import { lastValueFrom, type Observable, toArray } from 'rxjs'

/** All values of an observable, once it completes. */
export const all = <T>(source: Observable<T>): Promise<ReadonlyArray<T>> =>
  lastValueFrom(source.pipe(toArray()))
