import {
  concatMap,
  type MonoTypeOperatorFunction,
  type Observable,
  type OperatorFunction as Op,
  type OperatorFunction,
  of,
} from 'rxjs'
import { Fields } from '../codecs/Fields.js'
import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import { refuse } from '../codecs/refuse.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { guarded, guardedAsync, reporter, reporterOf } from '../tracing/guarded.js'
import { applied } from './applied.js'
import { checkName } from './checkName.js'
import { checkOperator } from './checkOperator.js'
import { TRACE_OPTIONS, traceElsewhere } from './checkTraceOptions.js'
import { type Each, isFunction } from './Each.js'
import { type Component, type Flattening, flattenWith } from './Flattening.js'
import { inArrivalContext } from './inArrivalContext.js'
import { lift } from './lift.js'
import type { TraceOptions } from './TraceOptions.js'
import { traceFor } from './traceFor.js'

/** The options of `respanTrace` except `output`, with flattening, and `attributes` that may be a function of the item. */
export type TraceEachOptions<A> = Omit<TraceOptions, 'attributes'> &
  Flattening & {
    /** Put on every span of the item's trace: a value, or a function of the item. */
    readonly attributes?: Each<A, TraceAttributes>
  }

/** The forms of `traceEach`: up to nine operators, each taking what the previous one emits. */
export interface TraceEach {
  <A, B>(name: string, options: TraceEachOptions<A>, op1: Op<A, B>): Component<A, B>
  <A, B, C>(name: string, options: TraceEachOptions<A>, op1: Op<A, B>, op2: Op<B, C>): Component<A, C>
  <A, B, C, D>(
    name: string,
    options: TraceEachOptions<A>,
    op1: Op<A, B>,
    op2: Op<B, C>,
    op3: Op<C, D>,
  ): Component<A, D>
  <A, B, C, D, E>(
    name: string,
    options: TraceEachOptions<A>,
    op1: Op<A, B>,
    op2: Op<B, C>,
    op3: Op<C, D>,
    op4: Op<D, E>,
  ): Component<A, E>
  <A, B, C, D, E, F>(
    name: string,
    options: TraceEachOptions<A>,
    op1: Op<A, B>,
    op2: Op<B, C>,
    op3: Op<C, D>,
    op4: Op<D, E>,
    op5: Op<E, F>,
  ): Component<A, F>
  <A, B, C, D, E, F, G>(
    name: string,
    options: TraceEachOptions<A>,
    op1: Op<A, B>,
    op2: Op<B, C>,
    op3: Op<C, D>,
    op4: Op<D, E>,
    op5: Op<E, F>,
    op6: Op<F, G>,
  ): Component<A, G>
  <A, B, C, D, E, F, G, H>(
    name: string,
    options: TraceEachOptions<A>,
    op1: Op<A, B>,
    op2: Op<B, C>,
    op3: Op<C, D>,
    op4: Op<D, E>,
    op5: Op<E, F>,
    op6: Op<F, G>,
    op7: Op<G, H>,
  ): Component<A, H>
  <A, B, C, D, E, F, G, H, I>(
    name: string,
    options: TraceEachOptions<A>,
    op1: Op<A, B>,
    op2: Op<B, C>,
    op3: Op<C, D>,
    op4: Op<D, E>,
    op5: Op<E, F>,
    op6: Op<F, G>,
    op7: Op<G, H>,
    op8: Op<H, I>,
  ): Component<A, I>
  <A, B, C, D, E, F, G, H, I, J>(
    name: string,
    options: TraceEachOptions<A>,
    op1: Op<A, B>,
    op2: Op<B, C>,
    op3: Op<C, D>,
    op4: Op<D, E>,
    op5: Op<E, F>,
    op6: Op<F, G>,
    op7: Op<G, H>,
    op8: Op<H, I>,
    op9: Op<I, J>,
  ): Component<A, J>
}

const OPTIONS: Readonly<Record<keyof TraceEachOptions<never>, OptionKind>> = {
  ...TRACE_OPTIONS,
  flatten: true,
  concurrency: true,
}

const eachTraced = (
  name: string,
  options: TraceEachOptions<unknown>,
  ...operators: ReadonlyArray<OperatorFunction<unknown, unknown>>
): Component<unknown, unknown> => {
  checkName('traceEach', name)
  const subject = `traceEach ${name}`
  if (!Fields.is(options)) refuse(subject, 'options', 'an object, such as {}, before the operators', options)
  refuseUnknown(subject, options, OPTIONS, traceElsewhere)
  for (const [index, operator] of operators.entries()) checkOperator(subject, `op${index + 1}`, operator)
  const { flatten: _, concurrency: __, attributes, ...others } = options
  const body = (source: Observable<unknown>): Observable<unknown> =>
    operators.reduce((above, operator, index) => applied(subject, `op${index + 1}`, operator, above), source)
  const traceWith = (found: TraceAttributes | undefined): MonoTypeOperatorFunction<unknown> =>
    traceFor(subject, name, found === undefined ? others : { ...others, attributes: found })
  const trace = traceWith(isFunction(attributes) ? undefined : attributes)
  const reportThrow = reporter(name, 'attributes')
  const reportWrong = reporterOf('RESPAN_TRACE', (wrong) => `${name}: ${wrong}`)
  const traceOf = (item: unknown): MonoTypeOperatorFunction<unknown> => {
    const found = isFunction(attributes) ? guardedAsync(reportThrow, () => attributes(item)) : undefined
    return found === undefined ? trace : (guarded(reportWrong, () => traceWith(found)) ?? trace)
  }
  const project = (item: unknown): Observable<unknown> => of(item).pipe(body, traceOf(item))
  const flatten = flattenWith(subject, options)
  const waits = options.concurrency !== undefined || flatten === concatMap
  const own = waits && options.asyncContext !== false ? inArrivalContext(flatten) : flatten
  return lift(name, own, project, 'framed')
}

/**
 * Runs a pipeline for each item of a long-lived stream, and records each run as a trace of its own.
 *
 * ```
 * question$                     --a------b---|
 * traceEach('answer', {}, …)    -----A------B|
 * traces                          [  ]   [  ]
 * ```
 *
 * Inside another trace the runs are its children. Elsewhere a run finds every AsyncLocalStorage as it was when its item
 * arrived, even if the item had to wait, unless `asyncContext` is `false` or `flatten` is a function of your own. If a
 * function given as `attributes` throws or returns wrong ones, a process warning (`RESPAN_TRACE`) reports it, and that
 * item's trace has no attributes of its own.
 *
 * Errors: `InvalidInput`, thrown at once, for an empty name, anything but an operator, an unknown or wrong option, or
 * `concurrency` beside anything but `mergeMap`.
 *
 * @param options - those of `respanTrace` except `output`; `attributes` may be a function of the item, and there are
 * `flatten` (default `concatMap`) and `concurrency`
 * @returns an operator that emits what the pipeline emits, item by item
 *
 * @example
 * question$.pipe(
 *   traceEach('answer', { flatten: switchMap }, retrieve, buildPrompt(template), respanGenerate({ model })),
 * )
 */
// The overloads tie each operator's input to the output before it. `eachTraced` forgets these types, which exist only at
// compile time.
export const traceEach = eachTraced as TraceEach
