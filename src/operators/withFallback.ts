import { catchError, defer, type OperatorFunction, tap, throwError } from 'rxjs'
import { fieldOf } from '../codecs/fieldOf.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { isRespanError, type RespanError } from '../errors.js'
import { checkOperator } from './checkOperator.js'
import type { Component } from './flattening.js'
import { lift, toComponent } from './lift.js'

/** When the second operator serves. */
export interface FallbackOptions {
  /** Which failures the second one serves. Default: every `RespanError` but `InvalidInput` and `Aborted`. */
  readonly when?: (error: RespanError) => boolean
}

const OPTIONS: Readonly<Record<keyof FallbackOptions, OptionKind>> = { when: 'function' }

const worthASecondTry = ({ _tag }: RespanError): boolean => _tag !== 'InvalidInput' && _tag !== 'Aborted'

/** A reply that has only been announced can still be another's. */
const isAnnouncement = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && fieldOf(value, '_tag') === 'ReplyStarted'

/**
 * Serves an item by a second operator where the first one fails before its first output.
 *
 * ```
 * source                      --a-----------b--|
 * first                         --#         --B--#
 * second                          --X|
 * withFallback(first, second) ------X---------B--#     after an output the error stays
 * ```
 *
 * Both tries are spans of their own. It keeps the first one's flattening. `ReplyStarted` is no output yet: the second reply
 * begins with one of its own.
 *
 * Errors: the second one's, or the first one's where `when` says no or something had come out. `InvalidInput`, thrown at
 * once, for an unknown option and for anything but an operator.
 *
 * @param first - keeps its flattening, if it is a component
 * @param second - run for the item that failed
 * @returns an operator that emits what the first or else the second emits, item by item
 */
export const withFallback = <A, B>(
  first: OperatorFunction<A, B>,
  second: OperatorFunction<A, B>,
  options: FallbackOptions = {},
): Component<A, B> => {
  checkOperator('withFallback', 'first', first)
  checkOperator('withFallback', 'second', second)
  refuseUnknown('withFallback', options, OPTIONS)
  const { when = worthASecondTry } = options
  const { project, flatten, spanName } = toComponent('withFallback', 'first', first)
  const { project: fallback } = toComponent('withFallback', 'second', second)
  return lift(spanName, flatten, (value, index) =>
    defer(() => {
      let output = false
      return project(value, index).pipe(
        tap((emitted) => {
          output ||= !isAnnouncement(emitted)
        }),
        catchError((error: unknown) =>
          !output && isRespanError(error) && when(error) ? fallback(value, index) : throwError(() => error),
        ),
      )
    }),
  )
}
