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

// RxJS marks the constructor deprecated for applications; operators need it, because only a subscriber that
// is linked to its destination stops a synchronous source and passes a throw on (rxjs issues 5369, 5836).

const emit = <T>(destination: Subscriber<T>, value: T): void => destination.next(value)
const fail = (destination: Subscriber<unknown>, error: unknown): void => destination.error(error)
const complete = (destination: Subscriber<unknown>): void => destination.complete()

/** Passes every signal on, inside the frame of its subscription. */
export class FrameSubscriber<T> extends Subscriber<T> {
  /** Where what stands above is subscribed. */
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
 * A frame subscriber between two operators that know nothing of it. What the one above leaves to its subscriber goes to the
 * one below, as it would without the link: else it would be torn down before what that one has of its own, a `finalize` say.
 */
export class LinkSubscriber<T> extends FrameSubscriber<T> {
  override add(teardown: TeardownLogic): void {
    this.below.add(teardown)
  }

  override remove(teardown: Exclude<TeardownLogic, void>): void {
    this.below.remove(teardown)
  }

  override unsubscribe(): void {
    // Not known yet if it has already left: then RxJS's constructor unsubscribes at once.
    const below: Subscriber<T> | undefined = this.below
    below?.unsubscribe()
    if (below?.closed !== false) super.unsubscribe()
  }
}

/** A link through which values enter a span that stands for many. */
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

// ms
const SAME_INSTANT = 1

/** A frame subscriber that records a span: what comes out, and the one end that the run has. */
class SpanSubscriber<T> extends FrameSubscriber<T> {
  readonly #span: OpenSpan
  readonly #output: (value: T) => unknown
  #end: SpanEnd | undefined
  // When the last value was handed on, and when that came back: the time between belongs to what stands below.
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
    // Decided before the source is torn down, told after it, so that children end before their parent.
    const end = this.#end ?? leftEnd(this.#span)
    this.#span.leaving = end
    try {
      super.unsubscribe()
    } finally {
      this.#endSpan(end)
    }
  }

  // The end is told before the signal goes on, unless something below is still to be torn down by it.
  #finish(end: SpanEnd): void {
    this.#end = end
    if (!hasOpenChildren(this.#span)) this.#endSpan(end)
  }

  // What ends in the same breath as its last value (a promise, `of`) was done when it handed that on.
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
 * Runs what a span stands for with the span as the current one, and records it.
 *
 * @param here - the frame outside, in which every signal goes on
 * @param run - subscribes the source
 * @param output - what of a value is recorded; all of it unless told
 */
export const recordRun = <T>(
  span: OpenSpan,
  here: Frame,
  subscriber: Subscriber<T>,
  run: (subscriber: Subscriber<T>) => unknown,
  output: (value: T) => unknown = identity,
): Subscriber<T> => {
  // `onStart` or a sink can have made the subscriber leave.
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
    // A source with a `subscribe` of its own: RxJS would make this an error further down, past the span.
    recorder.error(error)
  }
  return recorder
}
