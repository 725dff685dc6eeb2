import { from, Observable, type ObservableInput, type OperatorFunction, of } from 'rxjs'
import { deepen, linked } from '../tracing/deepen.js'
import { captureFrame, currentOpenSpan, type Frame, forkFrame, runInFrame } from '../tracing/frames.js'
import { type Flatten, type Flattening, flattenWith } from './flattening.js'

type Project<A, B> = (value: A, index: number) => Observable<B>

/**
 * An operator that works item by item, and tells how: combinators such as `attempt` wrap its `project`
 * and apply its own `flatten` again, so that a switching operator still switches.
 */
export interface Component<A, B> extends OperatorFunction<A, B> {
  readonly project: (value: A, index: number) => Observable<B>
  readonly flatten: Flatten
  readonly spanName: string
}

const projectedIn = <B>(frame: Frame, inner: () => Observable<B>): Observable<B> =>
  new Observable((subscriber) => runInFrame(frame, (s) => inner().subscribe(s), subscriber))

/** Runs a project under the span that the operator itself was subscribed under. */
const within =
  <A, B>(frame: Frame, project: Project<A, B>): Project<A, B> =>
  (value, index) =>
    currentOpenSpan() === frame.span ? project(value, index) : projectedIn(frame, () => project(value, index))

/** Keeps an untraced run untraced, even when another trace's handler feeds it. */
const outside =
  <A, B>(project: Project<A, B>): Project<A, B> =>
  (value, index) => {
    const foreign = currentOpenSpan()
    return foreign === null
      ? project(value, index)
      : projectedIn(forkFrame(null, foreign.trace.asyncContext), () => project(value, index))
  }

/** Makes an operator of a project, item by item. Where no trace is, it makes no frame. */
export const lift = <A, B>(spanName: string, flatten: Flatten, project: Project<A, B>): Component<A, B> => {
  const operator: OperatorFunction<A, B> = (source) => {
    let deep: Observable<A> | undefined
    return new Observable((subscriber) => {
      const parent = currentOpenSpan()
      if (parent === null) return flatten(outside(project))(source).subscribe(subscriber)
      const { trace } = parent
      if (trace.deep) deep ??= linked(deepen(source))
      const frame = captureFrame(trace.asyncContext)
      return flatten(within(frame, project))(deep ?? linked(source)).subscribe(subscriber)
    })
  }
  return Object.assign(operator, { project, flatten, spanName })
}

const isComponent = <A, B>(operator: OperatorFunction<A, B>): operator is Component<A, B> =>
  'project' in operator && 'flatten' in operator

/** An operator as a component: one of ours as it is, any other item by item. */
export const toComponent = <A, B>(
  combinator: string,
  operator: OperatorFunction<A, B>,
  flattening: Flattening = {},
): Pick<Component<A, B>, 'project' | 'flatten' | 'spanName'> => {
  const given = flattening.flatten !== undefined || flattening.concurrency !== undefined
  if (isComponent(operator)) {
    const { project, spanName } = operator
    return { project, spanName, flatten: given ? flattenWith(combinator, flattening) : operator.flatten }
  }
  return {
    project: (value) => of(value).pipe(operator),
    spanName: combinator,
    flatten: flattenWith(combinator, flattening),
  }
}

/** What a function of the user's gave, as an observable of its error if it threw. */
export const observableOf = <B>(fn: () => ObservableInput<B>): Observable<B> => {
  try {
    return from(fn())
  } catch (error) {
    return new Observable((subscriber) => subscriber.error(error))
  }
}
