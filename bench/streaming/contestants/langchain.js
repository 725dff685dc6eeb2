import { ChatOpenAI } from '@langchain/openai'
import { MODEL, PROMPT, tools } from '../request.js'

export default (baseURL, kind) => {
  const model = new ChatOpenAI({
    model: MODEL,
    apiKey: 'none',
    streamUsage: true,
    maxRetries: 0,
    configuration: { baseURL },
  })
  const bound = kind === 'tools' ? model.bindTools(tools) : model
  return async (onFirst) => {
    const calls = []
    let text = ''
    let deltas = 0
    let usage
    const add = (piece) => {
      if (deltas++ === 0) onFirst()
      return piece
    }
    for await (const chunk of await bound.stream(PROMPT)) {
      if (chunk.usage_metadata) usage = chunk.usage_metadata
      if (chunk.content !== '') text += add(chunk.content)
      for (const { index, args } of chunk.tool_call_chunks ?? []) {
        if (args !== undefined && args !== '') calls[index] = (calls[index] ?? '') + add(args)
      }
    }
    return { text: kind === 'tools' ? calls.join('\n') : text, deltas, total: usage?.total_tokens }
  }
}
