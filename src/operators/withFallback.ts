import { catchError, defer, type OperatorFunction, tap, throwError } from 'rxjs'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { isRespanError, type RespanError } from '../errors.js'
import { fieldOf } from '../util/fieldOf.js'
import { checkOperator } from './checkOperator.js'
import type { Component } from './Flattening.js'
import { lift, toComponent } from './lift.js'

/** When the second operator takes over. */
export interface FallbackOptions {
  /** Whether the second takes over after an error. Default: after every `RespanError` but `InvalidInput` and `Aborted`. */
  readonly when?: (error: RespanError) => boolean
}

const OPTIONS: Readonly<Record<keyof FallbackOptions, OptionKind>> = { when: 'function' }

const worthASecondTry = ({ _tag }: RespanError): boolean => _tag !== 'InvalidInput' && _tag !== 'Aborted'

/** Whether a value only announces a reply, which another operator can still replace. */
const isAnnouncement = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && fieldOf(value, '_tag') === 'ReplyStarted'

/**
 * Runs a second operator for an item for which the first fails before its first output.
 *
 * ```
 * source                      --a-----------b--|
 * first                         --#         --B--#
 * second                          --X|
 * withFallback(first, second) ------X---------B--#     after an output the error stays
 * ```
 *
 * Each of the two runs has its own spans. `ReplyStarted` doesn't count as output: the second reply begins with one of its
 * own.
 *
 * Errors: those of the second operator, or of the first one after an output or where `when` returns `false`.
 * `InvalidInput`, thrown at once, for an unknown option and for anything but an operator.
 *
 * @param first - keeps its flattening if it is a component
 * @param second - run for the item that failed
 * @returns an operator that emits, item by item, what the first operator emits, or else the second
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
