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
import { type Component, type Flattening, flattenWith } from './flattening.js'
import { lift } from './lift.js'
import { spanTypeOf } from './spanTypeOf.js'

/** What kind of span a component has, and how its items follow each other. */
export interface ComponentOptions extends Flattening {
  /** What kind of work it is, for the trace. Default `task`. */
  readonly type?: SpanType
}

const OPTIONS: Readonly<Record<keyof ComponentOptions, true>> = {
  type: true,
  flatten: true,
  concurrency: true,
}

/**
 * Makes an operator of a function, with a span per item when a `respanTrace` stands below it.
 *
 * ```
 * source                          --a-----b--|
 * component('f', async …)         ----A-----B|
 * spans                             [f]   [f]
 * ```
 *
 * Without a trace it is the flattening operator and nothing else: no span, no id, no clock. What the
 * function subscribes or awaits inside becomes the span's child. An error of the function travels down the
 * error channel as it is.
 *
 * Errors: `InvalidInput`, thrown at once, for an empty name, anything but a function, an unknown option or `type`, or
 * `concurrency` beside anything but `mergeMap`; a `TypeError` down the stream when the function returns anything else.
 *
 * @param name - the span's name
 * @param fn - gives a promise, an observable or an iterable for each item; to emit a text, return `of(text)`
 * @returns an operator that subscribes the function's result for each item and emits what it emits
 *
 * @example
 * const retrieve = component('retriever', async (question: string) => ({ question, documents: await search(question) }))
 *
 * @see traced for one span per subscription of any operator
 */
export const component = <A, O extends ObservableInput<unknown>>(
  name: string,
  // A text would be taken for an observable of its characters. Spelled out here: a named type would have to be exported by
  // whoever exports a component of theirs.
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
      // RxJS subscribes a source even for a subscriber that has left, as `expand` above a `take` does: then nothing runs.
      if (subscriber.closed) return subscriber
      const parent = currentOpenSpan()
      // What `fn` throws is the subscriber's error: RxJS makes it one here, `recordRun` below.
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

/** What a function of the user's gave for an item. */
const observed = <O extends ObservableInput<unknown>>(
  name: string,
  given: O,
): Observable<ObservedValueOf<O>> => {
  // RxJS would emit its characters, and with anything else it can't observe not say whose it is.
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
