import { type ChatChunk, ChatDelta, type ChunkChoice, isBreakdownChunk } from '../codecs/ChatChunk.js'
import type { AssistantMessage } from '../codecs/ChatMessage.js'
import type { ChatResponse } from '../codecs/ChatResponse.js'
import { messageText } from '../codecs/messages.js'
import type { ReplyEvent } from '../codecs/Reply.js'
import type { RequestBreakdown } from '../codecs/RequestBreakdown.js'
import { ToolCallDelta } from '../codecs/ToolCall.js'
import { toUsage } from '../codecs/Usage.js'
import { keysOf } from '../util/keysOf.js'
import { picked } from '../util/picked.js'
import { appendText, emptyText } from '../util/textBuilder.js'
import { withAdditions } from './Additions.js'
import { callIndex } from './callIndex.js'
import type { GatewayEvent } from './Gateway.js'
import type { CallSoFar, ChoiceSoFar, ReplyBuilder } from './ReplyBuilder.js'

const choiceAt = (builder: ReplyBuilder, index: number): ChoiceSoFar => {
  const known = builder.choices.get(index)
  if (known !== undefined) return known
  const choice: ChoiceSoFar = {
    index,
    text: emptyText(),
    reasoning: emptyText(),
    refusal: emptyText(),
    calls: new Map(),
    callIds: undefined,
    sharedIndex: undefined,
    additions: undefined,
    finishReason: null,
    logprobs: undefined,
    message: undefined,
  }
  builder.choices.set(index, choice)
  return choice
}

const finish = (builder: ReplyBuilder, choice: ChoiceSoFar, reason: string | null | undefined): void => {
  if (reason == null || reason === '') return
  if (choice.finishReason === null) builder.finished++
  choice.finishReason = reason
}

type Emit = (event: ReplyEvent) => void

/** Counts a text that has come. Returns the text, or `''` if it isn't to be kept. */
const take = (builder: ReplyBuilder, text: string): string => {
  const isKept = builder.characters < builder.keep
  builder.output = true
  builder.characters += text.length
  return isKept ? text : ''
}

const callAt = ({ calls }: ChoiceSoFar, index: number): CallSoFar => {
  const known = calls.get(index)
  if (known !== undefined) return known
  const call: CallSoFar = {
    id: undefined,
    name: '',
    additions: undefined,
    functionAdditions: undefined,
    json: emptyText(),
  }
  calls.set(index, call)
  return call
}

const DELTA: ReadonlySet<string> = new Set(keysOf(ChatDelta.type.props))
const CALL: ReadonlySet<string> = new Set(keysOf(ToolCallDelta.type.props))
const FUNCTION: ReadonlySet<string> = new Set(['name', 'arguments'])

/** Whether additions are kept: for a message that is collected, and that didn't come in one piece with all its fields. */
const keepsAdditions = ({ keep }: ReplyBuilder, { message }: ChoiceSoFar): boolean =>
  keep === Number.POSITIVE_INFINITY && message === undefined

const addCall = (builder: ReplyBuilder, choice: ChoiceSoFar, delta: ToolCallDelta): ReplyEvent => {
  const id = delta.id == null ? undefined : String(delta.id)
  const call = callIndex(choice, delta, id)
  const known = callAt(choice, call)
  const json = delta.function?.arguments ?? ''
  const name = delta.function?.name
  const isIdNew = id !== undefined && id !== '' && id !== known.id
  const isNameNew = name != null && name !== '' && known.name === ''
  if (isIdNew) {
    known.id = id
    choice.callIds ??= new Map()
    choice.callIds.set(id, call)
  }
  if (isNameNew) known.name = name
  if (keepsAdditions(builder, choice)) {
    known.additions = withAdditions(known.additions, delta, CALL)
    known.functionAdditions = withAdditions(known.functionAdditions, delta.function ?? {}, FUNCTION)
  }
  appendText(known.json, take(builder, json))
  const event: ReplyEvent = { _tag: 'ToolCallDelta', id: builder.id, choice: choice.index, call, json }
  // No conditional spreads for most deltas, which have text only: they cost more than all the rest.
  return isIdNew || isNameNew
    ? { ...event, ...(isIdNew ? { callId: id } : {}), ...(isNameNew ? { name } : {}) }
    : event
}

const addDelta = (builder: ReplyBuilder, choice: ChoiceSoFar, delta: ChatDelta, emit: Emit): void => {
  const { id } = builder
  if (keepsAdditions(builder, choice)) choice.additions = withAdditions(choice.additions, delta, DELTA)
  const reasoning = delta.reasoning_content ?? delta.reasoning
  if (reasoning != null && reasoning !== '') {
    appendText(choice.reasoning, take(builder, reasoning))
    emit({ _tag: 'ReasoningDelta', id, choice: choice.index, text: reasoning })
  }
  if (delta.content != null && delta.content !== '') {
    appendText(choice.text, take(builder, delta.content))
    emit({ _tag: 'TextDelta', id, choice: choice.index, text: delta.content })
  }
  if (delta.refusal != null && delta.refusal !== '') {
    appendText(choice.refusal, take(builder, delta.refusal))
    emit({ _tag: 'RefusalDelta', id, choice: choice.index, text: delta.refusal })
  }
  if (delta.tool_calls != null) {
    for (const call of delta.tool_calls) emit(addCall(builder, choice, call))
  }
}

const addChoice = (builder: ReplyBuilder, part: ChunkChoice, emit: Emit): void => {
  const { delta, finish_reason, logprobs } = part
  const choice = choiceAt(builder, part.index ?? 0)
  // Before anything is emitted: a consumer that unsubscribes on the last token leaves a finished reply.
  finish(builder, choice, finish_reason)
  // Log probabilities are only collected together with the texts; what a listener keeps are the texts alone.
  if (logprobs != null && builder.keep === Number.POSITIVE_INFINITY) {
    choice.logprobs ??= []
    choice.logprobs.push(logprobs)
  }
  if (delta != null) addDelta(builder, choice, delta, emit)
}

const addBreakdown = (builder: ReplyBuilder, breakdown: RequestBreakdown | null | undefined): void => {
  if (breakdown == null) return
  builder.breakdown = breakdown
  // The documented place of the cost, so it wins over the answer's own field of that name.
  builder.cost = breakdown.cost ?? builder.cost
}

const addHead = (
  builder: ReplyBuilder,
  { model, usage, cost, prompt_message }: ChatChunk | ChatResponse,
): void => {
  if (model != null && model !== '') builder.model = model
  // Providers repeat running totals, so usage is never added up: the last one that has counts is the reply's.
  builder.usage = toUsage(usage) ?? builder.usage
  if (cost != null) builder.cost = builder.breakdown?.cost ?? cost
  if (prompt_message != null) builder.promptMessages = prompt_message
}

const start = (builder: ReplyBuilder, emit: Emit): void => {
  if (builder.started) return
  builder.started = true
  emit({ _tag: 'ReplyStarted', id: builder.id, model: builder.model })
}

const addChunk = (builder: ReplyBuilder, chunk: ChatChunk, emit: Emit): void => {
  if (isBreakdownChunk(chunk)) {
    for (const choice of chunk.choices) addBreakdown(builder, choice.request_breakdown)
    return
  }
  addHead(builder, chunk)
  if (!builder.started) {
    // Before `ReplyStarted`: a consumer that unsubscribes on it may leave a finished reply.
    for (const { index, finish_reason } of chunk.choices)
      finish(builder, choiceAt(builder, index ?? 0), finish_reason)
    start(builder, emit)
  }
  for (const choice of chunk.choices) addChoice(builder, choice, emit)
}

/** A whole message as a single delta. */
const deltaOf = ({ content, tool_calls, ...others }: AssistantMessage): ChatDelta => ({
  ...others,
  content: messageText({ content: content ?? null }),
  tool_calls: (tool_calls ?? []).map((call, index) => ({ ...call, index })),
})

const addResponse = (builder: ReplyBuilder, response: ChatResponse, emit: Emit): void => {
  addHead(builder, response)
  addBreakdown(builder, response.request_breakdown)
  // All of them before anything is emitted: a consumer that unsubscribes on the first text leaves a finished reply.
  const choices = response.choices.map(({ index, message, finish_reason, logprobs }, position) => {
    const choice = choiceAt(builder, index ?? position)
    // A whole message has ended, whether or not a provider says why.
    finish(builder, choice, finish_reason || 'stop')
    choice.finishReason = finish_reason || null
    if (logprobs != null) choice.logprobs = [logprobs]
    choice.message = message ?? {}
    return { choice, message: choice.message }
  })
  // The answer is complete, however many choices were asked for: some providers give only one.
  builder.expected = builder.choices.size
  builder.output = choices.length > 0
  start(builder, emit)
  for (const { choice, message } of choices) addDelta(builder, choice, deltaOf(message), emit)
}

/** Adds a gateway event to a reply, and emits the reply events that come of it. */
export const addGatewayEvent = (builder: ReplyBuilder, event: GatewayEvent, emit: Emit): void => {
  switch (event._tag) {
    case 'Chunk':
      return addChunk(builder, event.chunk, emit)
    case 'Response':
      return addResponse(builder, event.response, emit)
    case 'Headers':
      builder.ids = picked(event, ['requestId', 'logId'])
      return
    case 'Attempt':
      builder.attempts = event.attempt
      // The ids of a failed attempt aren't those of this one, which may never be answered.
      builder.ids = {}
  }
}
