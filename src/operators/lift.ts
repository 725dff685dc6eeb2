import { Observable, type OperatorFunction, of, type Subscriber, type Subscription } from 'rxjs'
import { deepenedFor, linkedIn } from '../tracing/deepen.js'
import { framed } from '../tracing/framed.js'
import { captureFrame, currentOpenSpan, type Frame, forkFrame, runInFrame } from '../tracing/frames.js'
import { inSubscriberFrame } from '../tracing/inSubscriberFrame.js'
import { applied } from './applied.js'
import { type Component, type Flatten, type Flattening, flattenWith, isRxjs } from './Flattening.js'

/**
 * `here` is the frame for what comes out; `null` outside every trace. A caller passes it only where it is the current one:
 * then the project needn't enter it again.
 */
type Project<A, B> = (value: A, index: number, here?: Frame | null) => Observable<B>

const begin = <B>(inner: () => Observable<B>, subscriber: Subscriber<B>): Subscription =>
  inner().subscribe(subscriber)

/** Makes an observable, and subscribes to it, inside a frame. */
export const projectedIn = <B>(frame: Frame, inner: () => Observable<B>): Observable<B> =>
  new Observable((subscriber) => runInFrame(frame, begin<B>, inner, subscriber))

/** Runs a project inside the frame in which the operator was subscribed to. */
const within =
  <A, B>(frame: Frame, project: Project<A, B>): Project<A, B> =>
  (value, index) =>
    currentOpenSpan() === frame.span
      ? project(value, index, frame)
      : projectedIn(frame, () => project(value, index, frame))

/** Keeps an untraced run untraced, even when a handler inside a trace feeds it. */
const outside =
  <A, B>(project: Project<A, B>): Project<A, B> =>
  (value, index) =>
    currentOpenSpan() === null
      ? project(value, index, null)
      : projectedIn(forkFrame(null), () => project(value, index, null))

/**
 * Makes an operator that runs a project for each item. Outside a trace it makes no frames.
 *
 * @param signals - `framed`: what `project` returns passes each notification on inside the frame of its subscription, so no
 * link is needed
 */
export const lift = <A, B>(
  spanName: string,
  flatten: Flatten,
  project: Project<A, B>,
  signals: 'framed' | 'unframed' = 'unframed',
): Component<A, B> => {
  const isFramed = signals === 'framed' && isRxjs(flatten)
  const untraced = flatten(outside(project))
  const operator: OperatorFunction<A, B> = (source) => {
    let plain: Observable<B> | undefined
    const sourceFor = deepenedFor(source)
    const lifted = inSubscriberFrame<B>((subscriber) => {
      const parent = currentOpenSpan()
      if (parent === null) {
        plain ??= untraced(source)
        return plain.subscribe(subscriber)
      }
      const { trace } = parent
      const frame = captureFrame()
      return flatten(within(frame, project))(linkedIn(frame, sourceFor(trace))).subscribe(subscriber)
    })
    return isFramed ? framed(lifted) : lifted
  }
  return Object.assign(operator, { project, flatten, spanName })
}

const isComponent = <A, B>(operator: OperatorFunction<A, B>): operator is Component<A, B> =>
  'project' in operator && 'flatten' in operator

/** The parts of a component; any other operator becomes one that is applied anew to each item. */
export const toComponent = <A, B>(
  combinator: string,
  parameter: string,
  operator: OperatorFunction<A, B>,
  flattening: Flattening = {},
): Pick<Component<A, B>, 'project' | 'flatten' | 'spanName'> => {
  const given = flattening.flatten !== undefined || flattening.concurrency !== undefined
  if (isComponent(operator)) {
    const { project, spanName } = operator
    return { project, spanName, flatten: given ? flattenWith(combinator, flattening) : operator.flatten }
  }
  return {
    project: (value) => applied(combinator, parameter, operator, of(value)),
    spanName: combinator,
    flatten: flattenWith(combinator, flattening),
  }
}
