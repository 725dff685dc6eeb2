import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from '#fp/Either'
import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { Fields } from '../codecs/Fields.js'
import { RespanAttributes } from '../codecs/RespanAttributes.js'
import { type Scrub, scrubber } from '../http/Scrub.js'
import { isError } from '../util/isError.js'
import { jsonOrText } from './jsonOrText.js'
import type { Refusal } from './Refusal.js'
import type { ResolvedRequest } from './resolvePrompt.js'

/** An OpenAI-compatible server that answers instead of the built-in model: Ollama, vLLM, LM Studio, OpenAI… */
export interface Upstream {
  /** What stands before `/chat/completions`, such as `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string
  /** Sent as a bearer token; default: no `Authorization` header. */
  readonly apiKey?: string
  /** Asked instead of the request's model. */
  readonly model?: string
}

const RESPAN_FIELDS = new Set([
  ...Object.keys(RespanAttributes.type.props),
  'prompt',
  'respan_params',
  'keywordsai_params',
])

/** The body for an OpenAI-compatible server, without the fields that are Respan's own. */
const openaiBody = (request: ChatRequest, messages: ReadonlyArray<ChatMessage>, model: string): Fields => ({
  ...Object.fromEntries(Object.entries(request).filter(([key]) => !RESPAN_FIELDS.has(key))),
  model,
  messages,
})

const unreachable = (baseUrl: string, error: unknown, scrub: Scrub): Refusal => ({
  status: 502,
  body: {
    error: {
      message: `The upstream ${new URL(baseUrl).host} did not answer: ${scrub(isError(error) ? error.message : String(error))}`,
      type: 'upstream_error',
      param: null,
      code: null,
    },
  },
})

/**
 * Takes an upstream's key out of a text: a client must not learn it, even when the upstream repeats it. A word without a
 * digit, such as `ollama`, stands where a server needs no key, and may well be one of the reply's.
 */
export const upstreamScrub = (apiKey = ''): Scrub =>
  scrubber(/\d/u.test(apiKey) ? { authorization: `Bearer ${apiKey}` } : {})

const PASSED_ON = new Set(['content-type', 'retry-after'])

/**
 * Asks an upstream; a status that isn't a success comes back as a refusal with its body and `Retry-After`.
 *
 * @param signal - aborted when the client leaves, so that the upstream stops working, too
 */
export const askUpstream = async (
  { apiKey, baseUrl, model: override }: Upstream,
  { messages, request }: ResolvedRequest,
  model: string,
  signal: AbortSignal,
): Promise<Either<Refusal, Response>> => {
  const scrub = upstreamScrub(apiKey)
  try {
    const response = await fetch(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(openaiBody(request, messages, override ?? model)),
      signal,
    })
    if (response.ok && request.stream === true) return right(response)
    // A body that breaks off throws here: it is no answer.
    const text = scrub(await response.text())
    if (response.ok) return right(new Response(text, { headers: response.headers }))
    return left({
      status: response.status,
      body: jsonOrText(text),
      headers: Object.fromEntries([...response.headers].filter(([name]) => PASSED_ON.has(name))),
    })
  } catch (error) {
    return left(unreachable(baseUrl, error, scrub))
  }
}
