import type { Either } from 'fp-ts/lib/Either.js'
import { catchError, defer, map, type Observable, type OperatorFunction, of, tap, throwError } from 'rxjs'
import { left, right } from '#fp/Either'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { isRespanError, type RespanError } from '../errors.js'
import { checkOperator } from './checkOperator.js'
import type { Component, Flattening } from './Flattening.js'
import { lift, toComponent } from './lift.js'

/** The forms of `attempt`: without `toError`, every `left` is a `RespanError`. */
export interface Attempt {
  <A, B>(
    operator: OperatorFunction<A, B>,
    options?: Flattening & { readonly toError?: never },
  ): Component<A, Either<RespanError, B>>
  <A, B, E>(
    operator: OperatorFunction<A, B>,
    options: Flattening & {
      /** Maps every error, including one of the source, which then is the last `left`. */
      readonly toError: (error: unknown) => E
    },
  ): Component<A, Either<E, B>>
}

interface AttemptOptions extends Flattening {
  readonly toError?: (error: unknown) => unknown
}

const OPTIONS: Readonly<Record<keyof AttemptOptions, OptionKind>> = {
  flatten: true,
  concurrency: true,
  toError: 'function',
}

/** Turns an error of the source into the last `left`. What `toError` throws stays an error. */
const withSource =
  <A, B>(
    operator: OperatorFunction<A, Either<unknown, B>>,
    toError: (error: unknown) => unknown,
  ): OperatorFunction<A, Either<unknown, B>> =>
  (source) =>
    defer(() => {
      let failed = false
      return source.pipe(
        tap({
          // A user's own flattening may subscribe to the source again.
          subscribe: () => {
            failed = false
          },
          error: () => {
            failed = true
          },
        }),
        operator,
        catchError((error: unknown) => (failed ? of(left(toError(error))) : throwError(() => error))),
      )
    })

const leftOf = (error: unknown, toError: AttemptOptions['toError']): Observable<Either<unknown, never>> => {
  if (toError !== undefined) return of(left(toError(error)))
  return isRespanError(error) ? of(left(error)) : throwError(() => error)
}

const attempted = <A, B>(
  operator: OperatorFunction<A, B>,
  options: AttemptOptions = {},
): Component<A, Either<unknown, B>> => {
  checkOperator('attempt', 'operator', operator)
  refuseUnknown('attempt', options, OPTIONS)
  const { toError } = options
  const { project, flatten, spanName } = toComponent('attempt', 'operator', operator, options)
  const perItem = lift(spanName, flatten, (value: A, index) =>
    project(value, index).pipe(
      map(right),
      catchError((error: unknown) => leftOf(error, toError)),
    ),
  )
  return toError === undefined ? perItem : Object.assign(withSource(perItem, toError), perItem)
}

/**
 * Turns an operator's failures into values, item by item, so that one bad item doesn't end the stream.
 *
 * ```
 * source            --a-----b-----c--|
 * operator          ----A-----#
 * attempt(operator) ----A-----e-----C|      A = right(…), e = left(error)
 * ```
 *
 * A component keeps its own flattening: `attempt` over a generator that switches still switches. Any other
 * operator is applied anew to each item, one after the other unless `flatten` says otherwise. A streaming
 * generator gives `right`s, then at most one `left`.
 *
 * @param options - `toError` maps every error, including one of the source, which then is the last `left` (but not when
 * `withFallback` wraps it, which works item by item). Without `toError`, only a `RespanError` of the operator becomes a
 * `left`: foreign errors and those of the source stay on the error channel, where defects belong
 * @returns an operator that emits an `Either` for each output
 */
// The overloads say what `attempted` does: without `toError` every `left` is a RespanError, with it an E.
export const attempt = attempted as Attempt
