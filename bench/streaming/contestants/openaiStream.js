// The SDK's own accumulation: a snapshot with every delta.

import OpenAI from 'openai'
import { bodyFor } from '../request.js'

export default (baseURL, kind) => {
  const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0 })
  return async (onFirst) => {
    let text = ''
    let deltas = 0
    const count = () => {
      if (deltas++ === 0) onFirst()
    }
    const stream = client.chat.completions.stream(bodyFor(kind))
    if (kind === 'tools') {
      stream.on('tool_calls.function.arguments.delta', ({ arguments_delta }) => {
        if (arguments_delta !== '') count()
      })
    } else {
      stream.on('content', (delta, snapshot) => {
        if (delta === '') return
        count()
        text = snapshot
      })
    }
    const { choices, usage } = await stream.finalChatCompletion()
    const calls = choices[0].message.tool_calls ?? []
    return {
      text: kind === 'tools' ? calls.map((call) => call.function.arguments).join('\n') : text,
      deltas,
      total: usage?.total_tokens,
    }
  }
}
