import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { Fields } from '../codecs/Fields.js'
import { redactSecrets } from '../codecs/redactSecrets.js'
import type { ModelAnswer, ModelChoice } from './builtInModel.js'
import { hash } from './hash.js'
import { costOf } from './models.js'
import type { ResolvedRequest } from './resolvePrompt.js'
import { tokensOf } from './tokensOf.js'

/** An answer, and all that its bodies say about it. */
export interface ChatAnswer extends ResolvedRequest {
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  /** The name of the model that answered. */
  readonly model: string
  readonly answer: ModelAnswer
  readonly cached: boolean
  /** Seconds. */
  readonly latency: number
}

// One more than the 20 that may be asked for, because a token is not among its own alternatives.
const OTHERS =
  ' the| a| of| and| to| in| is| that| it| for| on| with| as| are| be| this| by| an| at| from| or'.split('|')

// The chosen token is the likeliest; others follow, each less likely than the one before.
const likeliest = (token: string, index: number, count: number): ReadonlyArray<Fields> =>
  [token, ...OTHERS.filter((other) => other !== token)].slice(0, count).map((text, rank) => ({
    token: text,
    logprob: -((hash(token, index) % 1000) / 1000) - rank,
    bytes: [...Buffer.from(text)],
  }))

const logprobsOf = (request: ChatRequest, text: string | null, from = 0): Fields | null =>
  request.logprobs === true && text !== null
    ? {
        content: tokensOf(text).map((token, index) => ({
          ...likeliest(token, from + index, 1)[0],
          top_logprobs: likeliest(token, from + index, request.top_logprobs ?? 0),
        })),
        refusal: null,
      }
    : null

const messageOf = ({ calls, content, reasoning }: ModelChoice): Fields => ({
  role: 'assistant',
  content,
  refusal: null,
  annotations: [],
  ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
  ...(calls.length === 0
    ? {}
    : {
        tool_calls: calls.map(({ id, name, arguments: json }) => ({
          id,
          type: 'function',
          function: { name, arguments: json },
        })),
      }),
})

const firstMessage = ({ answer }: ChatAnswer): Fields | null => {
  const [first] = answer.choices
  return first === undefined ? null : messageOf(first)
}

/** The summary that `request_breakdown: true` asks for, with the cost where the price is known. */
const requestBreakdown = (chat: ChatAnswer): Fields => {
  const { answer, model, request } = chat
  const cost = chat.cached ? 0 : costOf(model, answer.usage)
  return {
    prompt_tokens: answer.usage.prompt_tokens,
    completion_tokens: answer.usage.completion_tokens,
    ...(cost === undefined ? {} : { cost }),
    prompt_messages: chat.messages,
    completion_message: firstMessage(chat),
    model,
    cached: chat.cached,
    timestamp: new Date((chat.created + chat.latency) * 1000).toISOString(),
    status_code: 200,
    stream: request.stream === true,
    latency: chat.latency,
    scores: {},
    category: '',
    metadata: request.metadata ?? {},
    routing_time: 0,
    full_request: redactSecrets(request),
    sentiment_score: 0,
  }
}

const head = ({ created, id, model }: ChatAnswer, object: string): Fields => ({
  id,
  object,
  created,
  model,
  service_tier: 'default',
  system_fingerprint: 'fp_respan_local',
})

/** The body of an answer that is not streamed. */
export const chatBody = (chat: ChatAnswer): Fields => ({
  ...head(chat, 'chat.completion'),
  choices: chat.answer.choices.map((choice) => ({
    index: choice.index,
    message: messageOf(choice),
    logprobs: logprobsOf(chat.request, choice.content),
    finish_reason: choice.finishReason,
    provider_specific_fields: {},
  })),
  usage: chat.answer.usage,
  ...(chat.request.request_breakdown === true ? { request_breakdown: requestBreakdown(chat) } : {}),
  ...(chat.promptMessage === undefined ? {} : { prompt_message: chat.promptMessage }),
})

function* deltasOf(choice: ModelChoice, request: ChatRequest): Generator<Fields> {
  const { calls, content, index, reasoning } = choice
  const delta = (fields: Fields, logprobs: Fields | null = null): Fields => ({
    index,
    delta: fields,
    logprobs,
    finish_reason: null,
  })
  yield delta({ role: 'assistant', content: calls.length > 0 ? null : '', refusal: null })
  for (const piece of tokensOf(reasoning ?? '')) yield delta({ reasoning_content: piece })
  for (const [at, piece] of tokensOf(content ?? '').entries()) {
    yield delta({ content: piece }, logprobsOf(request, piece, at))
  }
  for (const [call, { id, name, arguments: json }] of calls.entries()) {
    yield delta({ tool_calls: [{ index: call, id, type: 'function', function: { name, arguments: '' } }] })
    for (const piece of tokensOf(json)) {
      yield delta({ tool_calls: [{ index: call, function: { arguments: piece } }] })
    }
  }
  yield { index, delta: {}, logprobs: null, finish_reason: choice.finishReason }
}

// Choices take turns, as a provider's do.
function* interleaved(generators: ReadonlyArray<Generator<Fields>>): Generator<Fields> {
  const open = new Set(generators)
  while (open.size > 0) {
    for (const generator of open) {
      const next = generator.next()
      if (next.done === true) open.delete(generator)
      else yield next.value
    }
  }
}

/** The chunks of a streamed answer in their order, without `[DONE]`; made one by one. */
export function* chatChunks(chat: ChatAnswer): Generator<Fields> {
  const chunk = head(chat, 'chat.completion.chunk')
  const counted = chat.request.stream_options?.include_usage === true
  for (const choice of interleaved(chat.answer.choices.map((one) => deltasOf(one, chat.request)))) {
    yield { ...chunk, choices: [choice], ...(counted ? { usage: null } : {}) }
  }
  if (counted) yield { ...chunk, choices: [], usage: chat.answer.usage }
  if (chat.request.request_breakdown === true) {
    yield {
      id: 'request_breakdown',
      object: 'chat.completion.chunk',
      created: chat.created,
      model: 'extra_parameter',
      usage: {},
      choices: [
        {
          index: 0,
          delta: { content: null, role: 'assistant' },
          finish_reason: 'stop',
          message: firstMessage(chat),
          request_breakdown: requestBreakdown(chat),
        },
      ],
    }
  }
}
