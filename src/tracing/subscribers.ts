import { identity, Subscriber, type TeardownLogic } from 'rxjs'
import { type Frame, forkFrame, runInFrame } from './frames.js'
import {
  endSpan,
  failedEnd,
  hasOpenChildren,
  leftEnd,
  type OpenSpan,
  recordInput,
  recordOutput,
  type SpanEnd,
} from './OpenSpan.js'

// RxJS deprecates the constructor of Subscriber for applications, but operators need it: only a subscriber that is linked to
// its destination stops a synchronous source and passes on what is thrown (rxjs issues 5369, 5836).

const emit = <T>(destination: Subscriber<T>, value: T): void => destination.next(value)
const fail = (destination: Subscriber<unknown>, error: unknown): void => destination.error(error)
const complete = (destination: Subscriber<unknown>): void => destination.complete()

/** Passes every notification on inside the frame of its subscription. */
export class FrameSubscriber<T> extends Subscriber<T> {
  /** The frame in which the source above is subscribed to. */
  readonly above: Frame
  protected readonly frame: Frame
  protected readonly below: Subscriber<T>

  constructor(destination: Subscriber<T>, frame: Frame, above: Frame = frame) {
    super(destination)
    this.above = above
    this.frame = frame
    this.below = destination
  }

  protected override _next(value: T): void {
    runInFrame(this.frame, emit<T>, this.below, value)
  }

  protected override _error(error: unknown): void {
    try {
      runInFrame(this.frame, fail, this.below, error)
    } finally {
      this.unsubscribe()
    }
  }

  protected override _complete(): void {
    try {
      runInFrame(this.frame, complete, this.below, undefined)
    } finally {
      this.unsubscribe()
    }
  }
}

/**
 * A frame subscriber between two operators that don't know of it. A teardown that the operator above adds goes to the
 * subscriber below, as it would without the link: otherwise it would run before that subscriber's own, a `finalize` say.
 */
export class LinkSubscriber<T> extends FrameSubscriber<T> {
  override add(teardown: TeardownLogic): void {
    this.below.add(teardown)
  }

  override remove(teardown: Exclude<TeardownLogic, void>): void {
    this.below.remove(teardown)
  }

  override unsubscribe(): void {
    // `undefined` if the destination is already closed: then RxJS's constructor unsubscribes before the field is set.
    const below: Subscriber<T> | undefined = this.below
    below?.unsubscribe()
    if (below?.closed !== false) super.unsubscribe()
  }
}

/** A link that records the values that pass as a span's input. */
export class EnteringSubscriber<T> extends LinkSubscriber<T> {
  readonly #span: OpenSpan

  constructor(destination: Subscriber<T>, frame: Frame, above: Frame, span: OpenSpan) {
    super(destination, frame, above)
    this.#span = span
  }

  protected override _next(value: T): void {
    recordInput(this.#span, value)
    super._next(value)
  }
}

/** How soon after its last value a run must end, in ms, to count as done when it emitted that value. */
const SAME_INSTANT = 1

/** A frame subscriber that records a span: its output, and its one end. */
class SpanSubscriber<T> extends FrameSubscriber<T> {
  readonly #span: OpenSpan
  readonly #output: (value: T) => unknown
  #end: SpanEnd | undefined
  // When emitting the last value began and returned: the time between is that of the subscriber below.
  #emittedAt = Number.NEGATIVE_INFINITY
  #returnedAt = Number.NEGATIVE_INFINITY

  constructor(
    destination: Subscriber<T>,
    frame: Frame,
    above: Frame,
    span: OpenSpan,
    output: (value: T) => unknown,
  ) {
    super(destination, frame, above)
    this.#span = span
    this.#output = output
  }

  protected override _next(value: T): void {
    const span = this.#span
    if (span.type === 'workflow') {
      recordOutput(span, this.#output(value))
      return super._next(value)
    }
    const { trace } = span
    this.#emittedAt = trace.now()
    recordOutput(span, this.#output(value), this.#emittedAt)
    this.#returnedAt = Number.POSITIVE_INFINITY
    super._next(value)
    this.#returnedAt = trace.now()
  }

  protected override _error(error: unknown): void {
    this.#finish(failedEnd(this.#span, error))
    super._error(error)
  }

  protected override _complete(): void {
    this.#finish({ status: 'ok' })
    super._complete()
  }

  override unsubscribe(): void {
    if (this.closed) return
    // Decided before the teardown of the source, recorded after it, so that children end before their parent.
    const end = this.#end ?? leftEnd(this.#span)
    this.#span.leaving = end
    try {
      super.unsubscribe()
    } finally {
      this.#endSpan(end)
    }
  }

  // Records the end before the notification is passed on, unless children are still open: the teardown ends those first.
  #finish(end: SpanEnd): void {
    this.#end = end
    if (!hasOpenChildren(this.#span)) this.#endSpan(end)
  }

  // A run that ends together with its last value (a promise, `of`) was done when it emitted that value.
  #endSpan(end: SpanEnd): void {
    const { ended, lastChildAt, trace } = this.#span
    if (ended) return
    const now = trace.now()
    endSpan(
      this.#span,
      end,
      now - this.#returnedAt < SAME_INSTANT ? Math.max(this.#emittedAt, lastChildAt) : now,
    )
  }
}

/**
 * Runs a source with a span as the current one, and records the run as that span.
 *
 * @param here - the frame outside, in which every notification is passed on
 * @param run - subscribes to the source
 * @param output - maps each value to what is recorded of it; by default all of it
 */
export const recordRun = <T>(
  span: OpenSpan,
  here: Frame,
  subscriber: Subscriber<T>,
  run: (subscriber: Subscriber<T>) => unknown,
  output: (value: T) => unknown = identity,
): Subscriber<T> => {
  // `onStart` or a sink may have unsubscribed it.
  if (subscriber.closed) {
    endSpan(span, leftEnd(span))
    return subscriber
  }
  span.leaving = undefined
  const inside = forkFrame(span)
  const recorder = new SpanSubscriber(subscriber, here, inside, span, output)
  try {
    runInFrame(inside, run, recorder, undefined)
  } catch (error) {
    // From a source that overrides `subscribe`: RxJS would turn this into an error only further down, past the span.
    recorder.error(error)
  }
  return recorder
}
