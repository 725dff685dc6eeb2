import type { ChatChunk } from '../codecs/ChatChunk.js'
import type { AssistantMessage } from '../codecs/ChatMessage.js'
import type { ChatResponse } from '../codecs/ChatResponse.js'
import type { ReceivedToolCall } from '../codecs/ToolCall.js'

type Delta = NonNullable<ChatChunk['choices'][number]['delta']>

const joined = (
  deltas: ReadonlyArray<Delta>,
  key: 'content' | 'refusal' | 'reasoning_content' | 'reasoning',
): string => deltas.map((delta) => delta[key] ?? '').join('')

const joinedCalls = (deltas: ReadonlyArray<Delta>): ReadonlyArray<ReceivedToolCall> => {
  const calls = new Map<number, ReceivedToolCall>()
  for (const { index, id, function: part } of deltas.flatMap((delta) => delta.tool_calls ?? [])) {
    const known = calls.get(index ?? 0)
    calls.set(index ?? 0, {
      id: known?.id ?? id ?? null,
      type: 'function',
      function: {
        name: known?.function?.name ?? part?.name ?? null,
        arguments: `${known?.function?.arguments ?? ''}${part?.arguments ?? ''}`,
      },
    })
  }
  return [...calls].sort(([one], [other]) => one - other).map(([, call]) => call)
}

const messageOf = (deltas: ReadonlyArray<Delta>): AssistantMessage => {
  const content = joined(deltas, 'content')
  const refusal = joined(deltas, 'refusal')
  const reasoning = joined(deltas, 'reasoning_content') + joined(deltas, 'reasoning')
  const tool_calls = joinedCalls(deltas)
  return {
    role: 'assistant',
    content: content === '' && (refusal !== '' || tool_calls.length > 0) ? null : content,
    ...(refusal === '' ? {} : { refusal }),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(tool_calls.length === 0 ? {} : { tool_calls }),
  }
}

/** What a gateway would have answered, had the request behind these chunks not been streamed. */
export const joinChunks = (chunks: ReadonlyArray<ChatChunk>): ChatResponse => {
  const parts = chunks.flatMap(({ choices }) => choices)
  const indexes = [...new Set(parts.map(({ index }) => index ?? 0))].sort((one, other) => one - other)
  const { id = null, model = null } = chunks.find((chunk) => chunk.model != null) ?? {}
  const usage = chunks.findLast((chunk) => chunk.usage != null)?.usage
  const cost = chunks.findLast((chunk) => chunk.cost != null)?.cost
  return {
    id,
    object: 'chat.completion',
    created: 0,
    model,
    choices: indexes.map((index) => {
      const own = parts.filter((part) => (part.index ?? 0) === index)
      return {
        index,
        message: messageOf(own.flatMap(({ delta }) => (delta == null ? [] : [delta]))),
        finish_reason: own.findLast(({ finish_reason }) => finish_reason != null)?.finish_reason ?? null,
      }
    }),
    ...(usage == null ? {} : { usage }),
    ...(cost == null ? {} : { cost }),
  }
}
