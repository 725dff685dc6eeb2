import { filter, map, type OperatorFunction } from 'rxjs'
import type { ReplyEvent } from '../codecs/Reply.js'
import { forgetOldest } from '../util/forgetOldest.js'
import { announcing } from './announcing.js'
import { type ChoiceOption, choiceOf } from './ChoiceOption.js'
import { checkEvent } from './checkEvent.js'

type TextDelta = Extract<ReplyEvent, { readonly _tag: 'TextDelta' }>

const MAX_UNFINISHED = 1_000

/**
 * Emits all the text of a streamed reply so far, each time more of it arrives: what a page shows.
 *
 * ```
 * events       S-a--b---(F|)
 * snapshots()  --a--x---|      x = 'ab'
 * ```
 *
 * Interleaved replies grow separately, each under its own id. A snapshot shares its memory with the ones before. A reply that
 * stays unfinished, as with `switchMap`, is forgotten once a thousand others have grown since.
 *
 * Errors: `InvalidInput` for what isn't an event, such as the replies of a generator without `stream: true`.
 *
 * @returns an operator that emits the accumulated text of the choice
 */
export const snapshots = (options: ChoiceOption = {}): OperatorFunction<ReplyEvent, string> => {
  const choice = choiceOf('snapshots', options)
  return (source) =>
    announcing(choice, (announce) => {
      const texts = new Map<string, string>()
      return source.pipe(
        filter((event): event is TextDelta => {
          checkEvent('snapshots', event)
          if (event._tag === 'ReplyFinished') texts.delete(event.id)
          return event._tag === 'TextDelta' && event.choice === choice
        }),
        map(({ id, text }) => {
          const grown = (texts.get(id) ?? '') + text
          // Moved to the end: nothing says that a reply was abandoned, so the one that hasn't grown for longest makes room.
          if (texts.size > 1) texts.delete(id)
          texts.set(id, grown)
          forgetOldest(texts, MAX_UNFINISHED)
          announce(id, grown, true)
          return grown
        }),
      )
    })
}
