// The plain loop: what one writes who knows how. Nothing is checked.

import { createParser } from 'eventsource-parser'
import { bodyFor } from '../request.js'

export default (baseUrl, kind) => async (onFirst) => {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(bodyFor(kind)),
  })
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const calls = []
  let text = ''
  let deltas = 0
  let usage
  const add = (piece) => {
    if (deltas++ === 0) onFirst()
    return piece
  }
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === '[DONE]') return
      const chunk = JSON.parse(data)
      if (chunk.usage !== null) usage = chunk.usage
      for (const { delta } of chunk.choices) {
        if (delta.content) text += add(delta.content)
        for (const {
          index,
          function: { arguments: json },
        } of delta.tool_calls ?? []) {
          if (json !== '') calls[index] = (calls[index] ?? '') + add(json)
        }
      }
    },
  })
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { text: kind === 'tools' ? calls.join('\n') : text, deltas, total: usage?.total_tokens }
    parser.feed(decoder.decode(value, { stream: true }))
  }
}
