import type { Observable } from 'rxjs'
import { atHome } from '../tracing/atHome.js'
import { currentOpenSpan } from '../tracing/frames.js'
import { announcePart, type ReplyPart } from '../tracing/Output.js'

type Announce = (part: ReplyPart) => void

const toNobody: Announce = () => undefined

const toEnclosingSpan = (): Announce => {
  const span = currentOpenSpan()
  if (span === null || !span.trace.captureContent) return toNobody
  return (part) => announcePart(span.output, part)
}

/** Makes an observable that can tell the enclosing span, before each value, which part of a reply's text the value is. */
export const announcing = <T>(make: (announce: Announce) => Observable<T>): Observable<T> =>
  atHome((subscriber) => make(toEnclosingSpan()).subscribe(subscriber))
