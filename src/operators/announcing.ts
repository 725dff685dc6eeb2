import type { Observable } from 'rxjs'
import { currentOpenSpan } from '../tracing/frames.js'
import { deferInPlace } from '../tracing/inPlace.js'
import { announcePart, type ReplyPart } from '../tracing/Output.js'

const toNobody = (): void => undefined

/** Gives an observable what tells the enclosing span of the replies' texts that it is about to emit. */
export const announcing = <T>(make: (announce: (part: ReplyPart) => void) => Observable<T>): Observable<T> =>
  deferInPlace(() => {
    const span = currentOpenSpan()
    if (span === null || !span.trace.captureContent) return make(toNobody)
    return make((part) => {
      if (!span.ended) announcePart(span.output, part)
    })
  })
