import { noop, type Observable } from 'rxjs'
import { currentOpenSpan } from '../tracing/frames.js'
import { inSubscriberFrame } from '../tracing/inSubscriberFrame.js'
import type { OpenSpan } from '../tracing/OpenSpan.js'
import { announcePart } from '../tracing/Output.js'

type Announce = (id: string, text: string, whole: boolean) => void

/** A span hands on what it is told to those that enclose it, which may capture what it does not. */
const isCaptured = (span: OpenSpan): boolean =>
  span.trace.captureContent || (span.parent !== null && isCaptured(span.parent))

const toEnclosingSpan = (choice: number): Announce => {
  const span = currentOpenSpan()
  if (span === null || !isCaptured(span)) return noop
  return (reply, text, whole) => {
    // By the id alone a span knows the text of the first choice, which it also takes from a reply's events.
    const id = choice === 0 ? reply : `${reply} ${choice}`
    announcePart(span.output, { id, text, whole })
  }
}

/** Makes an observable that can tell the enclosing span, before each value, which part of a choice's text the value is. */
export const announcing = <T>(choice: number, make: (announce: Announce) => Observable<T>): Observable<T> =>
  inSubscriberFrame((subscriber) => make(toEnclosingSpan(choice)).subscribe(subscriber))
