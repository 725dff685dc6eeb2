import type { Either } from 'fp-ts/lib/Either.js'
import type { Context } from 'hono'
import { isLeft, left, mapLeft, right } from '#fp/Either'
import { decode } from '../codecs/decode.js'
import { Fields } from '../codecs/Fields.js'
import { parseJson } from '../http/parseJson.js'
import type { Scrub } from '../http/Scrub.js'
import { answerChat, type ChatOutcome } from './answerChat.js'
import { chatBody, chatChunks } from './chatBodies.js'
import { Fault } from './Fault.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import { invalidField, type Refusal, refusal } from './Refusal.js'
import { readChatRequest } from './readChatRequest.js'
import { type ResolvedRequest, resolvePrompt } from './resolvePrompt.js'
import { sendJson, sendPieces, sendRefusal } from './send.js'
import { upstreamScrub } from './Upstream.js'

const SSE = 'text/event-stream; charset=utf-8'

function* events(chunks: Iterable<Fields>): Generator<string> {
  for (const chunk of chunks) yield `data: ${JSON.stringify(chunk)}\n\n`
  yield 'data: [DONE]\n\n'
}

// An upstream's stream, cut into its events, so that they can be counted and a key is found whole.
async function* eventsOf(body: ReadableStream<Uint8Array>, scrub: Scrub): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true })
    for (let end = /\r?\n\r?\n/u.exec(rest); end !== null; end = /\r?\n\r?\n/u.exec(rest)) {
      yield scrub(rest.slice(0, end.index + end[0].length))
      rest = rest.slice(end.index + end[0].length)
    }
  }
  if (rest !== '') yield scrub(rest)
}

/** The fault of one request alone, from its `x-local-fault` header. */
const readFault = (header: string | undefined): Either<Refusal, Fault | undefined> => {
  if (header === undefined) return right(undefined)
  const json = parseJson(header)
  if (json === undefined) return left(refusal(400, 'x-local-fault is not JSON'))
  return mapLeft(invalidField)(decode(Fault)(json))
}

const sendUpstream = async (
  c: Context<LocalEnv>,
  { fault, response }: Extract<ChatOutcome, { _tag: 'Upstream' }>,
  { promptMessage, request }: ResolvedRequest,
  scrub: Scrub,
): Promise<Response> => {
  if (request.stream === true && response.body !== null) {
    const pieces = eventsOf(response.body, scrub)
    return sendPieces(c, { pieces, fault }, response.headers.get('content-type') ?? SSE)
  }
  const text = await response.text()
  try {
    const body: unknown = JSON.parse(text)
    return sendJson(
      c,
      promptMessage !== undefined && Fields.is(body) ? { ...body, prompt_message: promptMessage } : body,
      fault,
    )
  } catch {
    return sendRefusal({ status: 502, body: text })
  }
}

/** `POST /api/chat/completions`. */
export const chatRoute =
  (state: LocalState) =>
  async (c: Context<LocalEnv>): Promise<Response> => {
    const header = c.req.header('x-data-respan-params') ?? c.req.header('x-data-keywordsai-params')
    const request = readChatRequest(c.get('body'), header)
    if (isLeft(request)) return sendRefusal(request.left)
    const ownFault = readFault(c.req.header('x-local-fault'))
    if (isLeft(ownFault)) return sendRefusal(ownFault.left)
    const resolved = resolvePrompt(state.prompts, request.right)
    if (isLeft(resolved)) return sendRefusal(resolved.left)
    const { signal } = c.req.raw
    const outcome = await answerChat(resolved.right, { ...state, ownFault: ownFault.right, signal })
    if (isLeft(outcome)) return sendRefusal(outcome.left)
    if (outcome.right._tag === 'Upstream') {
      c.get('record').update({ model: outcome.right.model })
      return sendUpstream(c, outcome.right, resolved.right, upstreamScrub(state.upstream?.apiKey))
    }
    const { chat, fault } = outcome.right
    c.get('record').update({ model: chat.model })
    if (chat.request.stream !== true) return sendJson(c, chatBody(chat), fault)
    const slowed = { slowChunks: state.chunkDelay, ...fault }
    return sendPieces(c, { pieces: events(chatChunks(chat)), fault: slowed }, SSE)
  }
