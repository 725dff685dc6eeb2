import OpenAI from 'openai'
import { bodyFor } from '../request.js'

export default (baseURL, kind) => {
  const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0 })
  return async (onFirst) => {
    const calls = []
    let text = ''
    let deltas = 0
    let usage
    const add = (piece) => {
      if (deltas++ === 0) onFirst()
      return piece
    }
    for await (const chunk of await client.chat.completions.create(bodyFor(kind))) {
      if (chunk.usage) usage = chunk.usage
      for (const { delta } of chunk.choices) {
        if (delta.content) text += add(delta.content)
        for (const {
          index,
          function: { arguments: json },
        } of delta.tool_calls ?? []) {
          if (json !== '') calls[index] = (calls[index] ?? '') + add(json)
        }
      }
    }
    return { text: kind === 'tools' ? calls.join('\n') : text, deltas, total: usage?.total_tokens }
  }
}
