// respan-rx: every chunk validated, every delta an event, the finished reply with its usage.

import { respan, rxjs } from '../../lib/respan.js'
import { MODEL, PROMPT, tools } from '../request.js'

const { bufferedSink, respanGenerate, respanTrace } = respan
const { of } = rxjs

/** The text or the arguments, the number of deltas and the usage, out of the events. */
export const reading = (events, kind, onFirst) =>
  new Promise((resolve, reject) => {
    const calls = []
    let text = ''
    let deltas = 0
    let total
    const add = (piece) => {
      if (deltas++ === 0) onFirst()
      return piece
    }
    events.subscribe({
      next: (event) => {
        switch (event._tag) {
          case 'TextDelta':
            text += add(event.text)
            break
          case 'ToolCallDelta':
            if (event.json !== '') calls[event.call] = (calls[event.call] ?? '') + add(event.json)
            break
          case 'ReplyFinished':
            total = event.reply.meta[0].usage.total_tokens
        }
      },
      error: reject,
      complete: () => resolve({ text: kind === 'tools' ? calls.join('\n') : text, deltas, total }),
    })
  })

export const generator = (baseUrl, kind, more = {}) =>
  respanGenerate({
    model: MODEL,
    stream: true,
    baseUrl,
    ...(kind === 'tools' ? { params: { tools } } : {}),
    ...more,
  })

export default (baseUrl, kind) => {
  const generate = generator(baseUrl, kind)
  return (onFirst) => reading(of(PROMPT).pipe(generate), kind, onFirst)
}

/** Traced: generation and root, with usage, into a buffered sink, which delivers when a batch is full. */
export const traced = (baseUrl, kind, options = {}) => {
  const generate = generator(baseUrl, kind)
  const buffer = bufferedSink(() => of({ rejected: [] }))
  const usages = []
  const next = (event) => {
    buffer.next(event)
    if (event._tag === 'SpanEnded' && event.generation !== undefined) usages.push(event.generation.usage)
  }
  const trace = respanTrace('bench', { sink: { ...buffer, next }, ...options })
  return async (onFirst) => {
    const outcome = await reading(of(PROMPT).pipe(generate, trace), kind, onFirst)
    if (usages.pop()?.total_tokens !== outcome.total) throw new Error('No usage on the span.')
    return outcome
  }
}
