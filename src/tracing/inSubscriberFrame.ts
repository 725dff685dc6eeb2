import { Observable, type Subscriber, type TeardownLogic } from 'rxjs'
import { enclosingSpan, type Frame, runInFrame } from './frames.js'
import type { OpenSpan } from './OpenSpan.js'
import { FrameSubscriber } from './subscribers.js'

/** The frame of the nearest subscriber below that has one; a multicast in between hides it. */
const frameBelow = (subscriber: object): Frame | undefined => {
  let below: unknown = subscriber
  while (typeof below === 'object' && below !== null) {
    if (below instanceof FrameSubscriber) return below.above
    // What RxJS keeps on a subscriber that works for another one.
    below = 'destination' in below ? below.destination : undefined
  }
  return undefined
}

/** Whether a span encloses what runs now, at any depth, or every span is hidden on purpose. */
const isEnclosedBy = (span: OpenSpan | null): boolean => {
  let enclosing = enclosingSpan()
  if (enclosing === null) return true
  while (enclosing !== undefined && enclosing !== null && enclosing !== span) enclosing = enclosing.parent
  return enclosing === span
}

type Start<T> = (subscriber: Subscriber<T>) => TeardownLogic

const begin = <T>(start: Start<T>, subscriber: Subscriber<T>): TeardownLogic => start(subscriber)

// A class, because a wrapped `start` would take a closure more for each operator of a run, 120 bytes.
class SubscriberFrameObservable<T> extends Observable<T> {
  // Not private: whoever wraps it in a Proxy, as Vue does, calls its methods on that.
  readonly start: Start<T>

  constructor(start: Start<T>) {
    // RxJS calls it as its own method.
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
 * An observable that starts in the frame that its subscriber belongs to, also when another one is current: that of another
 * trace, which feeds a source that both share, or that of nobody, when a timer or an event does.
 */
export const inSubscriberFrame = <T>(start: Start<T>): Observable<T> => new SubscriberFrameObservable(start)
