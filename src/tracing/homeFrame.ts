import { enclosingSpan, type Frame } from './frames.js'
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

/**
 * The frame that a subscriber belongs to, when another one is current: that of another trace, which feeds a source that both
 * share, or that of nobody, when a timer or an event does. `undefined` when the right one is current.
 *
 * Each of our observables asks at its start, and starts again in that frame: to wrap them would take a closure more for each
 * operator of a run, 120 bytes.
 */
export const homeFrame = (subscriber: object): Frame | undefined => {
  const frame = frameBelow(subscriber)
  return frame === undefined || isEnclosedBy(frame.span) ? undefined : frame
}
