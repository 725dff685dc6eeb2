import { filter, map, Observable, type OperatorFunction } from 'rxjs'
import type { ReplyEvent } from '../codecs/Reply.js'
import { outputAs } from './outputAs.js'
import type { ChoiceOption } from './tokens.js'

const MAX_UNFINISHED = 1_000

const deleteFirst = (texts: Map<string, string>): void => {
  const [first] = texts.keys()
  if (first !== undefined) texts.delete(first)
}

/**
 * Emits the text of a streamed reply so far, each time more of it arrives: what a page shows.
 *
 * ```
 * events       S-a--b---(F|)
 * snapshots()  --a--ab---|
 * ```
 *
 * Interleaved replies grow apart, each by its own id. A snapshot shares its memory with the ones before. A reply that was
 * left unfinished, as `switchMap` leaves them, is forgotten once a thousand others have grown since.
 *
 * @returns an operator that emits the accumulated text of the choice
 */
export const snapshots =
  ({ choice = 0 }: ChoiceOption = {}): OperatorFunction<ReplyEvent, string> =>
  (source) =>
    new Observable((subscriber) => {
      const texts = new Map<string, string>()
      return source
        .pipe(
          outputAs('last'),
          filter((event) => {
            if (event._tag === 'ReplyFinished') texts.delete(event.id)
            return event._tag === 'TextDelta' && event.choice === choice
          }),
          map((event) => {
            const text = (texts.get(event.id) ?? '') + ('text' in event ? event.text : '')
            // Behind all others: nobody tells of a reply that was left, so the one that rests longest makes room.
            if (texts.size > 1) texts.delete(event.id)
            texts.set(event.id, text)
            if (texts.size > MAX_UNFINISHED) deleteFirst(texts)
            return text
          }),
        )
        .subscribe(subscriber)
    })
