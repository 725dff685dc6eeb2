import { Observable, type Subscriber, type Subscription } from 'rxjs'
import { currentOpenSpan, runInFrame } from '../tracing/frames.js'
import { homeFrame } from '../tracing/homeFrame.js'
import { announcePart, type ReplyPart } from '../tracing/Output.js'

type Announce = (part: ReplyPart) => void

const toNobody: Announce = () => undefined

const toEnclosingSpan = (): Announce => {
  const span = currentOpenSpan()
  if (span === null || !span.trace.captureContent) return toNobody
  return (part) => announcePart(span.output, part)
}

/** Gives an observable what tells the enclosing span of the replies' texts that it is about to emit. */
export const announcing = <T>(make: (announce: Announce) => Observable<T>): Observable<T> => {
  const subscribe = (subscriber: Subscriber<T>): Subscription => {
    const home = homeFrame(subscriber)
    if (home !== undefined) return runInFrame(home, subscribe, subscriber, undefined)
    return make(toEnclosingSpan()).subscribe(subscriber)
  }
  return new Observable(subscribe)
}
