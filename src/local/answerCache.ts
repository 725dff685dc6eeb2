import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import { forgetOldest } from '../util/forgetOldest.js'
import type { ModelAnswer } from './builtInModel.js'

/** An answer, and the model that gave it. */
export interface ModelReply {
  readonly model: string
  readonly answer: ModelAnswer
}

/** An exact-match cache of whole conversations: gives the answer it has, or makes one and keeps it. */
export type AnswerCache = (
  request: ChatRequest,
  messages: ReadonlyArray<ChatMessage>,
  make: () => ModelReply,
) => ModelReply & { readonly cached: boolean }

// As on the platform: 30 days, in seconds.
const DEFAULT_TTL = 30 * 24 * 60 * 60

const DECIDING = [
  'max_completion_tokens',
  'max_tokens',
  'n',
  'parallel_tool_calls',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
] as const

const keyOf = (request: ChatRequest, messages: ReadonlyArray<ChatMessage>): string =>
  JSON.stringify([
    messages,
    DECIDING.map((field) => request[field]),
    request.cache_options?.cache_by_customer === true ? request.customer_identifier : null,
    request.cache_options?.is_cached_by_model === true ? request.model : null,
  ])

/** An empty cache of at most `limit` answers; only requests with `cache_enabled` use it. */
export const answerCache = (limit: number): AnswerCache => {
  const kept = new Map<string, ModelReply & { readonly until: number }>()
  return (request, messages, make) => {
    if (request.cache_enabled !== true) return { ...make(), cached: false }
    const key = keyOf(request, messages)
    const found = kept.get(key)
    if (found !== undefined && found.until > Date.now()) return { ...found, cached: true }
    const made = make()
    kept.set(key, { ...made, until: Date.now() + (request.cache_ttl ?? DEFAULT_TTL) * 1000 })
    forgetOldest(kept, limit)
    return { ...made, cached: false }
  }
}
