import { filter, map, Observable, type OperatorFunction } from 'rxjs'
import type { ReplyEvent } from '../codecs/Reply.js'
import { outputAs } from './outputAs.js'
import type { ChoiceOption } from './tokens.js'

/**
 * Emits the text of a streamed reply so far, each time more of it arrives: what a page shows.
 *
 * ```
 * events       S-a--b---(F|)
 * snapshots()  --a--ab---|
 * ```
 *
 * Interleaved replies grow apart, each by its own id. A snapshot shares its memory with the ones before.
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
            texts.set(event.id, text)
            return text
          }),
        )
        .subscribe(subscriber)
    })
