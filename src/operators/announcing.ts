import { noop, type Observable } from 'rxjs'
import { currentOpenSpan } from '../tracing/frames.js'
import { inSubscriberFrame } from '../tracing/inSubscriberFrame.js'
import { announceOutput, type OpenSpan } from '../tracing/OpenSpan.js'

type Announce = (id: string, text: string, whole: boolean) => void

/** Whether a span or one that encloses it captures content: a span passes on what is announced to it. */
const isCaptured = (span: OpenSpan): boolean =>
  span.trace.captureContent || (span.parent !== null && isCaptured(span.parent))

const toEnclosingSpan = (choice: number): Announce => {
  const span = currentOpenSpan()
  if (span === null || !isCaptured(span)) return noop
  return (reply, text, whole) => {
    // The first choice goes by the id alone, because the span also takes its text from the reply's events, under that id.
    const id = choice === 0 ? reply : `${reply} ${choice}`
    announceOutput(span, { id, text, whole })
  }
}

/**
 * Makes an observable that can announce to the enclosing span, before it emits a value, which part of a choice's text the
 * value is.
 */
export const announcing = <T>(choice: number, make: (announce: Announce) => Observable<T>): Observable<T> =>
  inSubscriberFrame((subscriber) => make(toEnclosingSpan(choice)).subscribe(subscriber))
