import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import { forgetOldest } from '../codecs/forgetOldest.js'
import type { ModelAnswer } from './builtInModel.js'

/** An answer to be given again. */
export interface CachedAnswer {
  readonly model: string
  readonly answer: ModelAnswer
}

/** The gateway's exact-match cache of whole conversations. */
export interface AnswerCache {
  readonly get: (request: ChatRequest, messages: ReadonlyArray<ChatMessage>) => CachedAnswer | undefined
  readonly set: (request: ChatRequest, messages: ReadonlyArray<ChatMessage>, answer: CachedAnswer) => void
}

// The platform keeps an answer for 30 days unless told otherwise.
const DEFAULT_TTL = 30 * 24 * 60 * 60

const DECIDING = [
  'max_completion_tokens',
  'max_tokens',
  'n',
  'response_format',
  'seed',
  'stop',
  'temperature',
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

/** An empty cache that keeps at most `limit` answers; used by requests with `cache_enabled`. */
export const answerCache = (limit: number): AnswerCache => {
  const answers = new Map<string, CachedAnswer & { readonly until: number }>()
  return {
    get: (request, messages) => {
      if (request.cache_enabled !== true) return undefined
      const found = answers.get(keyOf(request, messages))
      return found !== undefined && found.until > Date.now() ? found : undefined
    },
    set: (request, messages, answer) => {
      if (request.cache_enabled !== true) return
      answers.set(keyOf(request, messages), {
        ...answer,
        until: Date.now() + (request.cache_ttl ?? DEFAULT_TTL) * 1000,
      })
      forgetOldest(answers, limit)
    },
  }
}
