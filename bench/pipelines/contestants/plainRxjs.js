// RxJS's own operators: concatMap over a promise, or over an observable of one value.

import { rxjs } from '../../lib/respan.js'
import { add, addAsync, names } from '../steps.js'

const { concatMap, lastValueFrom, of, range, reduce } = rxjs

export const sumOf = (items, operators) =>
  lastValueFrom(
    range(0, items).pipe(
      ...operators,
      reduce((sum, value) => sum + value, 0),
    ),
  )

export const run = (components) => {
  const operators = names(components).map(() => concatMap((x) => addAsync(x)))
  return (x) => lastValueFrom(of(x).pipe(...operators))
}

export const stream = (components) => {
  const operators = names(components).map(() => concatMap((x) => of(add(x))))
  return (items) => sumOf(items, operators)
}
