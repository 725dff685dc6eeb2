import type { MonoTypeOperatorFunction } from 'rxjs'
import { checkName } from './checkName.js'
import type { TraceOptions } from './TraceOptions.js'
import { traceFor } from './traceFor.js'

/**
 * Records everything above it as one trace, with a root span for the subscription and spans for the components.
 *
 * ```
 * source                    --a-----b--|
 * respanTrace('My flow')    --a-----b--|      every notification untouched, in the same tick
 * events                    S-o--------E      S = SpanStarted, o = SpanFirstOutput, E = SpanEnded
 * ```
 *
 * A trace is one subscription: a `retry` below it makes a new trace for each attempt, and `traceEach` makes one per item.
 * Inside another trace it becomes a span of that trace, and uses that trace's sink by default. It ends `ok`, `error`,
 * `truncated`, or `cancelled` if unsubscribing interrupted work. A consumer that got its value and unsubscribed
 * (`firstValueFrom`, `take(1)`) while nothing was at work ends it `ok`.
 *
 * A failing, slow or full sink never delays, breaks or reorders values. If `onStart`, `redact`, `output`, `clock`, `ids` or a
 * sink throws or rejects, or if `redact` or `output` returns a promise, a process warning that names the trace reports it
 * (`RESPAN_TRACE`; `sinkMonoid` and `redacted` report what they catch under codes of their own).
 *
 * Errors: `InvalidInput`, thrown at once, for an empty name, an unknown option or one of the wrong kind, attributes
 * of the wrong shape, or a `maxContentBytes` that isn't a number from 0.
 *
 * @param name - the name of the root span
 * @param options - `output` maps each emitted value to what is recorded as the root's output
 * @returns an operator that mirrors its source
 *
 * @see traceEach
 */
export const respanTrace = <T>(
  name: string,
  options: TraceOptions & {
    /** Maps each emitted value to what is recorded as the root's output. */
    readonly output?: (value: T) => unknown
  } = {},
): MonoTypeOperatorFunction<T> => {
  checkName('respanTrace', name)
  return traceFor(`respanTrace ${name}`, name, options)
}
