// respan-rx, with the text so far at every delta.

import { respan, rxjs } from '../../lib/respan.js'
import { PROMPT } from '../request.js'
import { generator, reading } from './respan.js'

const { snapshots } = respan
const { of, tap } = rxjs

export default (baseUrl, kind) => {
  const generate = generator(baseUrl, kind)
  if (kind === 'tools') return (onFirst) => reading(of(PROMPT).pipe(generate), kind, onFirst)
  return (onFirst) =>
    new Promise((resolve, reject) => {
      let text = ''
      let deltas = 0
      let total
      const usage = tap((event) => {
        if (event._tag === 'ReplyFinished') total = event.reply.meta[0].usage.total_tokens
      })
      of(PROMPT)
        .pipe(generate, usage, snapshots())
        .subscribe({
          next: (snapshot) => {
            if (deltas++ === 0) onFirst()
            text = snapshot
          },
          error: reject,
          complete: () => resolve({ text, deltas, total }),
        })
    })
}
