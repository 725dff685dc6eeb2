import { concatMap, exhaustMap, mergeMap, type Observable, type OperatorFunction, switchMap } from 'rxjs'
import { refuse } from '../codecs/refuse.js'
import { InvalidInput } from '../errors.js'
import { applied } from './applied.js'

/**
 * RxJS's `concatMap`, `mergeMap`, `switchMap` or `exhaustMap`, or a function of that shape: `(p) => mergeMap(p, 4)`. Inside a
 * trace it is applied anew for each subscription, so subscriptions share no state through it.
 */
export type Flatten = <A, B>(
  project: (value: A, index: number) => Observable<B>,
  concurrent?: number,
) => OperatorFunction<A, B>

/** What an operator that works item by item does with the next item while one is under way. */
export interface Flattening {
  /**
   * `concatMap` (default) takes one at a time, in order; `mergeMap` all at once; `switchMap` drops the one under way;
   * `exhaustMap` drops the next.
   */
  readonly flatten?: Flatten
  /** How many items may be under way at once, from 1; only beside `mergeMap`. */
  readonly concurrency?: number
}

/**
 * An operator that works item by item, and exposes how: combinators such as `attempt` wrap its `project` and apply its
 * own `flatten` again, so that a switching operator still switches.
 */
export interface Component<A, B> extends OperatorFunction<A, B> {
  /** What it does with one item. */
  readonly project: (value: A, index: number) => Observable<B>
  /** How it flattens what `project` returns. */
  readonly flatten: Flatten
  /** The name of its spans. */
  readonly spanName: string
}

const RXJS: ReadonlySet<unknown> = new Set([concatMap, exhaustMap, mergeMap, switchMap])

/** Whether a flattening is one of RxJS's four, which pass each notification on synchronously. */
export const isRxjs = (flatten: Flatten): boolean => RXJS.has(flatten)

/** Checks what a user's flattening returns: a `return` may be missing in it, or in the operator that it returns. */
const checkedFlatten =
  (operator: string, flatten: Flatten): Flatten =>
  (project, concurrent) => {
    const made = flatten(project, concurrent)
    if (typeof made !== 'function') refuse(operator, 'flatten', 'a function that returns an operator', made)
    return (source) => applied(operator, 'flatten', made, source)
  }

/** Checks an operator's flattening options and makes one flattening of them. @throws InvalidInput */
export const flattenWith = (operator: string, { flatten = concatMap, concurrency }: Flattening): Flatten => {
  // RxJS's overloads take more kinds of projects than ours, so each of the four is assignable to Flatten.
  const chosen: Flatten = flatten
  if (typeof flatten !== 'function') {
    const expected = 'concatMap, mergeMap, switchMap, exhaustMap or a function of that shape'
    refuse(operator, 'flatten', expected, flatten)
  }
  if (concurrency === undefined) return isRxjs(chosen) ? chosen : checkedFlatten(operator, chosen)
  if (flatten !== mergeMap) {
    throw new InvalidInput(operator, {
      path: 'concurrency',
      expected: 'flatten: mergeMap alongside it',
      found:
        flatten.name === mergeMap.name
          ? 'mergeMap of another copy of rxjs (see npm ls rxjs)'
          : 'another flatten',
    })
  }
  if (typeof concurrency !== 'number' || !(concurrency >= 1))
    refuse(operator, 'concurrency', 'number of at least 1', concurrency)
  return (project) => mergeMap(project, concurrency)
}
