import type { Either } from 'fp-ts/lib/Either.js'
import { Observable } from 'rxjs'
import { isLeft } from '#fp/Either'
import { askedParams } from '../codecs/askedParams.js'
import type { ChatParams } from '../codecs/ChatParams.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import { contentParams } from '../codecs/contentParams.js'
import type { Fields } from '../codecs/Fields.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import { messageText } from '../codecs/messages.js'
import { ownCopy } from '../codecs/ownCopy.js'
import type { PromptReference } from '../codecs/PromptReference.js'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import { TraceAttributes } from '../codecs/RespanAttributes.js'
import type { Usage } from '../codecs/Usage.js'
import { MOST_SCRUBS, scrubNothing } from '../http/Scrub.js'
import type { Gateway } from '../sources/Gateway.js'
import { observeChat, type ReplyEnd, type ReplyListener } from '../sources/observeChat.js'
import { choicesOf, isSettled, type ReplyBuilder } from '../sources/ReplyBuilder.js'
import { contentText, jsonOf, OVERSHOOT } from '../tracing/contentText.js'
import { captureFrame, forkFrame, runInFrame, subscribeTo } from '../tracing/frames.js'
import {
  endSpan,
  failedEnd,
  leftEnd,
  markFirstOutput,
  type OpenSpan,
  type SpanEnd,
  startSpan,
} from '../tracing/OpenSpan.js'
import type { Generation } from '../tracing/SpanEvent.js'
import { FrameSubscriber } from '../tracing/subscribers.js'
import type { Trace } from '../tracing/Trace.js'
import { addNewest } from '../util/addNewest.js'
import { keysOf } from '../util/keysOf.js'
import { picked } from '../util/picked.js'
import type { ItemRequest } from './itemRequest.js'

const TRACE_KEYS = keysOf(TraceAttributes.type.props)

const PARAM_KEYS = [
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'presence_penalty',
  'frequency_penalty',
  'logprobs',
  'top_logprobs',
  'parallel_tool_calls',
  'reasoning_effort',
  'verbosity',
  'seed',
] as const satisfies ReadonlyArray<keyof ChatParams>

/** One call of a generator, for one item. */
interface GenerationCall {
  /** The span's name. */
  readonly name: string
  readonly gateway: Gateway
  /** The item: the span's input when no request could be made of it. */
  readonly input: unknown
  /** What to send, or why nothing can be sent. */
  readonly prepared: Either<unknown, ItemRequest>
  readonly collect: boolean
}

const attributesOf = (
  { attributes }: Trace,
  { request, unsent }: ItemRequest,
  { withDefaults }: Gateway,
): TraceAttributes | undefined => {
  const sent = withDefaults?.(request) ?? request
  const own = picked(unsent === undefined ? sent : mergeAttributes<ChatRequest>(unsent, sent), TRACE_KEYS)
  return Object.keys(own).length === 0 ? attributes : mergeAttributes(attributes ?? {}, ownCopy(own))
}

const inputOf = ({ messages, prompt }: ChatRequest): unknown =>
  prompt === undefined
    ? messages
    : {
        prompt_id: prompt.prompt_id,
        variables: prompt.variables,
        ...(messages === undefined ? {} : { messages }),
      }

const promptFields = ({ prompt_id, version }: PromptReference): Fields => ({
  prompt_id,
  ...(typeof version === 'number' ? { prompt_version_number: version } : {}),
})

const requestOf = (request: ChatRequest, trace: Trace): NonNullable<Generation['request']> => {
  const params = askedParams(request)
  const content = trace.captureContent ? picked(params, contentParams) : {}
  const redacted = Object.keys(content).length === 0 ? undefined : trace.redact(content)
  return {
    ...picked(params, PARAM_KEYS),
    ...(typeof redacted === 'object' ? redacted : {}),
    ...(request.prompt === undefined ? {} : promptFields(request.prompt)),
  }
}

// The usual rule of thumb. What it gives is marked as an estimate wherever it goes.
const CHARACTERS_PER_TOKEN = 4

// All that is known here of a stored prompt's text are its variables.
const requestCharacters = ({ messages = [], prompt }: ChatRequest): number =>
  messages.reduce((sum, message) => sum + messageText(message).length, 0) +
  (prompt?.variables === undefined ? 0 : jsonOf(prompt.variables).length)

const estimated = (request: ChatRequest, builder: ReplyBuilder): Usage => {
  const prompt_tokens = Math.ceil(requestCharacters(request) / CHARACTERS_PER_TOKEN)
  const completion_tokens = Math.ceil(builder.characters / CHARACTERS_PER_TOKEN)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

const usageOf = (request: ChatRequest, builder: ReplyBuilder): Pick<Generation, 'usage' | 'usageSource'> => {
  if (builder.usage !== undefined) return { usage: builder.usage, usageSource: 'reported' }
  return builder.output
    ? { usage: estimated(request, builder), usageSource: 'estimated' }
    : { usageSource: 'unknown' }
}

const generationOf = (request: ChatRequest, trace: Trace, builder: ReplyBuilder): Generation => {
  const { model, cost, ids, attempts, choices } = builder
  const answering = model === '' ? request.model : model
  return {
    ...usageOf(request, builder),
    stream: request.stream === true,
    request: requestOf(request, trace),
    ...(answering === undefined ? {} : { model: answering }),
    ...(cost === undefined ? {} : { cost }),
    ...ids,
    ...(choices.size === 0
      ? {}
      : { finishReasons: choicesOf(builder).map(({ finishReason }) => finishReason) }),
    ...(attempts === 0 ? {} : { attempts }),
  }
}

const outputOf = (trace: Trace, { messages }: Reply): string | undefined =>
  messages.length === 0 ? undefined : contentText(messages.length === 1 ? messages[0] : messages, trace)

const endOf = (span: OpenSpan, end: ReplyEnd): SpanEnd => {
  switch (end._tag) {
    case 'Finished':
      return { status: 'ok' }
    case 'Failed':
      return failedEnd(span, end.error)
    case 'Left':
      return leftEnd(span)
  }
}

const listenerOf = (span: OpenSpan, request: ChatRequest, gateway: Gateway): ReplyListener => {
  const { trace } = span
  // Not before the request is sent, which is when a key may be read from the environment.
  const learnSecrets = (): void => {
    for (const scrub of gateway.scrubs?.() ?? [])
      if (scrub !== scrubNothing) addNewest(trace.scrubs, scrub, MOST_SCRUBS)
  }
  return {
    keep: trace.captureContent ? trace.maxContentBytes + OVERSHOOT : 0,
    onStart: learnSecrets,
    onProgress: (builder) => {
      span.settled ||= isSettled(builder)
      if (builder.output) markFirstOutput(span)
    },
    onEnd: (builder, end, reply) => {
      learnSecrets()
      endSpan(span, {
        ...endOf(span, end),
        generation: generationOf(request, trace, builder),
        output: outputOf(trace, reply),
      })
    },
  }
}

/** The events of one reply, recorded as a generation below a span. An item of which no request can be made has a span too. */
export const generationSpan = (
  parent: OpenSpan,
  { name, gateway, input, prepared, collect }: GenerationCall,
): Observable<ReplyEvent> =>
  new Observable((subscriber) => {
    // A function that gives attributes or parameters can have made the subscriber leave.
    if (subscriber.closed) return
    const { trace } = parent
    const here = captureFrame()
    if (isLeft(prepared)) {
      const span = startSpan(trace, parent, { name, type: 'generation', input })
      endSpan(span, {
        ...failedEnd(span, prepared.left),
        status: 'error',
        generation: { usageSource: 'unknown' },
      })
      return subscriber.error(prepared.left)
    }
    const { request } = prepared.right
    const span = startSpan(trace, parent, {
      name,
      type: 'generation',
      input: inputOf(request),
      attributes: attributesOf(trace, prepared.right, gateway),
    })
    span.settled = false
    span.leaving = undefined
    const events = observeChat(gateway, request, collect, listenerOf(span, request, gateway))
    const inside = forkFrame(span)
    const outside = new FrameSubscriber(subscriber, here, inside)
    runInFrame(inside, subscribeTo, events, outside)
    return outside
  })
