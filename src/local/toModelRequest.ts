import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { ModelRequest, ResponseForm } from './ModelRequest.js'

const formOf = (format: ChatRequest['response_format']): ResponseForm => {
  switch (format?.type) {
    case 'json_schema':
      return { _tag: 'JsonSchema', schema: format.json_schema.schema ?? { type: 'object' } }
    case 'json_object':
      return format.response_schema === undefined
        ? { _tag: 'JsonObject' }
        : { _tag: 'JsonSchema', schema: format.response_schema }
    default:
      return { _tag: 'Text' }
  }
}

const reasons = ({ reasoning_effort: effort, thinking }: ChatRequest): boolean =>
  (effort !== undefined && effort !== 'none' && effort !== 'minimal') || thinking?.type === 'enabled'

/** Reduces a chat request to what the built-in model obeys. */
export const toModelRequest = (request: ChatRequest, messages: ReadonlyArray<ChatMessage>): ModelRequest => {
  const { stop, tool_choice: choice } = request
  return {
    messages,
    n: request.n ?? 1,
    seed: request.seed ?? 0,
    maxTokens: request.max_completion_tokens ?? request.max_tokens,
    stop: stop === undefined ? [] : typeof stop === 'string' ? [stop] : stop,
    tools: (request.tools ?? []).map(({ function: tool }) => tool),
    toolChoice: typeof choice === 'object' ? { name: choice.function.name } : (choice ?? 'auto'),
    parallelToolCalls: request.parallel_tool_calls ?? true,
    form: formOf(request.response_format),
    reasoning: reasons(request),
  }
}
