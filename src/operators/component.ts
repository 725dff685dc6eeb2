import {
  from,
  Observable,
  type ObservableInput,
  type ObservedValueOf,
  type Subscriber,
  type Subscription,
} from 'rxjs'
import { describeFound } from '../codecs/describeFound.js'
import { refuse } from '../codecs/refuse.js'
import { deepen } from '../tracing/deepen.js'
import { captureFrame, currentOpenSpan, type Frame } from '../tracing/frames.js'
import { inSubscriberFrame } from '../tracing/inSubscriberFrame.js'
import { startSpan } from '../tracing/OpenSpan.js'
import type { SpanType } from '../tracing/SpanEvent.js'
import { recordRun } from '../tracing/subscribers.js'
import { checkName } from './checkName.js'
import { type Component, type Flattening, flattenWith } from './Flattening.js'
import { lift } from './lift.js'
import { spanTypeOf } from './spanTypeOf.js'

/** What kind of span a component has, and how it flattens. */
export interface ComponentOptions extends Flattening {
  /** The kind of work, as the trace shows it. Default `task`. */
  readonly type?: SpanType
}

const OPTIONS: Readonly<Record<keyof ComponentOptions, true>> = {
  type: true,
  flatten: true,
  concurrency: true,
}

/**
 * Makes an operator of a function. Below it, a `respanTrace` records a span for each item.
 *
 * ```
 * source                          --a-----b--|
 * component('f', async …)         ----A-----B|
 * spans                             [f]   [f]
 * ```
 *
 * Without a trace it is just the flattening operator: no span, no id, no clock. What the function subscribes to or awaits
 * becomes a child of the span. An error of the function goes down the error channel as it is.
 *
 * Errors: `InvalidInput`, thrown at once, for an empty name, anything but a function, an unknown option or `type`, or
 * `concurrency` beside anything but `mergeMap`. Emitted: a `TypeError`, if the function returns something that can't be
 * observed.
 *
 * @param name - the span's name
 * @param fn - returns a promise, an observable or an iterable for each item; to emit a text, return `of(text)`
 * @returns an operator that subscribes to the function's result for each item and emits its values
 *
 * @example
 * const retrieve = component('retriever', async (question: string) => ({ question, documents: await search(question) }))
 *
 * @see traced for one span per subscription of any operator
 */
export const component = <A, O extends ObservableInput<unknown>>(
  name: string,
  // RxJS would observe the characters of a text. Spelled out here, because users who export a component would have to export
  // a named type too.
  fn: (
    value: A,
    index: number,
  ) => O &
    (O extends string
      ? { readonly 'a string is an ObservableInput of its characters: return of(text)': never }
      : O),
  options: ComponentOptions = {},
): Component<A, ObservedValueOf<O>> => {
  checkName('component', name)
  if (typeof fn !== 'function') refuse(`component ${name}`, 'fn', 'a function', fn)
  const type = spanTypeOf(`component ${name}`, options, OPTIONS)
  const project = (value: A, index: number, here?: Frame | null): Observable<ObservedValueOf<O>> => {
    const start = (subscriber: Subscriber<ObservedValueOf<O>>): Subscription => {
      // RxJS subscribes to a source even for a closed subscriber, as `expand` above a `take` does: then nothing may run.
      if (subscriber.closed) return subscriber
      const parent = currentOpenSpan()
      // What `fn` throws goes to the subscriber: RxJS sees to that here, `recordRun` below.
      if (parent === null) return observed<O>(name, fn(value, index)).subscribe(subscriber)
      const { trace } = parent
      const outside = here?.span === parent ? here : captureFrame()
      const span = startSpan(trace, parent, { name, type, input: value })
      return recordRun(span, outside, subscriber, (s) => {
        const result = observed<O>(name, fn(value, index))
        return (trace.deep ? deepen(result) : result).subscribe(s)
      })
    }
    return here === undefined ? inSubscriberFrame(start) : new Observable(start)
  }
  return lift(name, flattenWith(`component ${name}`, options), project, 'framed')
}

/** The result of a user's function as an observable. */
const observed = <O extends ObservableInput<unknown>>(
  name: string,
  given: O,
): Observable<ObservedValueOf<O>> => {
  // RxJS would emit the characters of a text, and for what it can't observe its error wouldn't name the component.
  if (typeof given === 'string') throw notObservable(name, given)
  try {
    return from(given)
  } catch (cause) {
    throw notObservable(name, given, { cause })
  }
}

const notObservable = (name: string, given: unknown, options?: ErrorOptions): TypeError =>
  new TypeError(
    `component ${name}: expected an observable, a promise or an iterable, found ${describeFound(given)}. Return of(value) for a single value.`,
    options,
  )
