import type { MonoTypeOperatorFunction } from 'rxjs'
import { checkName } from './checkName.js'
import type { TraceOptions } from './TraceOptions.js'
import { traceFor } from './traceFor.js'

/**
 * Records everything above it as one trace: a root span for the subscription, and a span for each component.
 *
 * ```
 * source                    --a-----b--|
 * respanTrace('My flow')    --a-----b--|      every notification untouched, in the same tick
 * events                    S-o--------E      S = SpanStarted, o = SpanFirstOutput, E = SpanEnded
 * ```
 *
 * A trace is one subscription: what retries below makes new ones, and `traceEach` makes one per item. Inside
 * another trace it becomes a span of that trace, and uses its sink. The end is honest: `ok`, `error`,
 * `truncated`, or `cancelled` if unsubscribing interrupted work; a consumer that had its value and left
 * (`firstValueFrom`, `take(1)`) while nothing was at work ends it `ok`.
 *
 * A failing, slow or full sink never delays, breaks or reorders values. What `onStart`, `redact`, `output`, `clock`, `ids` or a
 * sink throw or reject with is reported as a process warning that names the trace (`RESPAN_TRACE`; what
 * `sinkMonoid` and `redacted` keep from going further, under codes of their own).
 *
 * Errors: `InvalidInput`, thrown at once, for an empty name, an unknown option or one of the wrong kind, attributes
 * of the wrong shape or a `maxContentBytes` that isn't a number from 0.
 *
 * @param name - the root's name
 * @param options - `output` maps each emitted value before it is recorded as the root's output
 * @returns an operator that mirrors its source
 *
 * @see traceEach
 */
export const respanTrace = <T>(
  name: string,
  options: TraceOptions & {
    /** Maps each emitted value before it is recorded as the root's output. */
    readonly output?: (value: T) => unknown
  } = {},
): MonoTypeOperatorFunction<T> => {
  checkName('respanTrace', name)
  return traceFor(`respanTrace ${name}`, name, options)
}
