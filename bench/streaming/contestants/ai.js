import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { jsonSchema, streamText, tool } from 'ai'
import { MODEL, PROMPT } from '../request.js'

const tools = {
  remember: tool({
    description: 'Remembers a text.',
    inputSchema: jsonSchema({ type: 'object', properties: {} }),
  }),
}

export default (baseURL, kind) => {
  const provider = createOpenAICompatible({ name: 'bench', apiKey: 'none', baseURL, includeUsage: true })
  const model = provider.chatModel(MODEL)
  return async (onFirst) => {
    const result = streamText({
      model,
      prompt: PROMPT,
      maxRetries: 0,
      ...(kind === 'tools' ? { tools } : {}),
    })
    const calls = new Map()
    let text = ''
    let deltas = 0
    const add = (piece) => {
      if (deltas++ === 0) onFirst()
      return piece
    }
    if (kind === 'tools') {
      for await (const part of result.stream) {
        if (part.type === 'tool-input-delta' && part.delta !== '') {
          calls.set(part.id, (calls.get(part.id) ?? '') + add(part.delta))
        }
      }
    } else {
      for await (const delta of result.textStream) if (delta !== '') text += add(delta)
    }
    const { totalTokens } = await result.usage
    return { text: kind === 'tools' ? [...calls.values()].join('\n') : text, deltas, total: totalTokens }
  }
}
