import { Observable, type Subscriber, type TeardownLogic } from 'rxjs'
import { enclosingSpan, type Frame, runInFrame } from './frames.js'
import type { OpenSpan } from './OpenSpan.js'
import { FrameSubscriber } from './subscribers.js'

/** The frame of the nearest subscriber below that has one. A multicast in between hides it. */
const frameBelow = (subscriber: object): Frame | undefined => {
  let below: unknown = subscriber
  while (typeof below === 'object' && below !== null) {
    if (below instanceof FrameSubscriber) return below.above
    // Where RxJS keeps the subscriber that an operator's subscriber emits to.
    below = 'destination' in below ? below.destination : undefined
  }
  return undefined
}

/** Whether a span encloses the current call, at any depth, or every span is hidden on purpose. */
const isEnclosedBy = (span: OpenSpan | null): boolean => {
  let enclosing = enclosingSpan()
  if (enclosing === null) return true
  while (enclosing !== undefined && enclosing !== null && enclosing !== span) enclosing = enclosing.parent
  return enclosing === span
}

type Start<T> = (subscriber: Subscriber<T>) => TeardownLogic

const begin = <T>(start: Start<T>, subscriber: Subscriber<T>): TeardownLogic => start(subscriber)

// A class, because a wrapped `start` would take one more closure, 120 bytes, for each operator of a run.
class SubscriberFrameObservable<T> extends Observable<T> {
  // Not a private field: methods called on a Proxy of it, as Vue makes one, couldn't read that.
  readonly start: Start<T>

  constructor(start: Start<T>) {
    // RxJS calls this as a method of the observable.
    super(SubscriberFrameObservable.prototype.startInFrame)
    this.start = start
  }

  startInFrame(subscriber: Subscriber<T>): TeardownLogic {
    const frame = frameBelow(subscriber)
    return frame === undefined || isEnclosedBy(frame.span)
      ? this.start(subscriber)
      : runInFrame(frame, begin<T>, this.start, subscriber)
  }
}

/**
 * An observable that starts in its subscriber's frame, even when another one is current: that of another trace, which feeds a
 * source that both share, or none at all, when a timer or an event does.
 */
export const inSubscriberFrame = <T>(start: Start<T>): Observable<T> => new SubscriberFrameObservable(start)
