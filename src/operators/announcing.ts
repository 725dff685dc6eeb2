import type { Observable } from 'rxjs'
import { atHome } from '../tracing/atHome.js'
import { currentOpenSpan } from '../tracing/frames.js'
import { announcePart } from '../tracing/Output.js'

type Announce = (id: string, text: string, whole: boolean) => void

const toNobody: Announce = () => undefined

const toEnclosingSpan = (choice: number): Announce => {
  const span = currentOpenSpan()
  if (span === null || !span.trace.captureContent) return toNobody
  return (reply, text, whole) => {
    // By the id alone a span knows the text of the first choice, which it also takes from a reply's events.
    const id = choice === 0 ? reply : `${reply} ${choice}`
    announcePart(span.output, { id, text, whole })
  }
}

/** Makes an observable that can tell the enclosing span, before each value, which part of a choice's text the value is. */
export const announcing = <T>(choice: number, make: (announce: Announce) => Observable<T>): Observable<T> =>
  atHome((subscriber) => make(toEnclosingSpan(choice)).subscribe(subscriber))
