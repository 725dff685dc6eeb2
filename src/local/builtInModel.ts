import type { ChatMessage } from '../codecs/ChatMessage.js'
import { Fields } from '../codecs/Fields.js'
import type { Tool } from '../codecs/Tool.js'
import { composeFromResults, composeText } from './composeText.js'
import { hash } from './hash.js'
import { callsIn, type ModelRequest, textOf, textsIn } from './ModelRequest.js'
import { readPrompt } from './readPrompt.js'
import { countTokens, tokensOf } from './tokensOf.js'
import { type SchemaHints, valueFromSchema } from './valueFromSchema.js'
import { keywordsOf, namesOf, stemOf, stemsAmong, wordsOf } from './words.js'

/** A function that the built-in model calls; `arguments` is JSON text, which `finishReason` `length` may have cut off. */
export interface ModelCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/** One answer of the built-in model. */
export interface ModelChoice {
  readonly index: number
  readonly reasoning: string | undefined
  /** `null` beside calls. */
  readonly content: string | null
  readonly calls: ReadonlyArray<ModelCall>
  readonly finishReason: 'stop' | 'length' | 'tool_calls'
}

/** What an answer used, as `countTokens` counts its texts. */
export interface ModelUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly audio_tokens: number; readonly cached_tokens: number }
  readonly completion_tokens_details: {
    readonly reasoning_tokens: number
    readonly audio_tokens: number
    readonly accepted_prediction_tokens: number
    readonly rejected_prediction_tokens: number
  }
}

/** The built-in model's answer to one request. */
export interface ModelAnswer {
  readonly choices: ReadonlyArray<ModelChoice>
  readonly usage: ModelUsage
}

// As OpenAI counts: three tokens of framing per message, three to prime the answer; an image at low detail is 85.
const messageTokens = (message: ChatMessage): number => {
  const { content, name = '', role } = message
  const images = typeof content === 'string' ? 0 : (content ?? []).length - textsIn(content).length
  const calls = callsIn(message).reduce(
    (sum, call) => sum + countTokens(call.function.name) + countTokens(call.function.arguments),
    0,
  )
  return 3 + countTokens(role) + countTokens(name) + countTokens(textOf(content)) + images * 85 + calls
}

const promptTokens = ({ messages, tools }: ModelRequest): number =>
  3 +
  messages.reduce((sum, message) => sum + messageTokens(message), 0) +
  (tools.length === 0 ? 0 : countTokens(JSON.stringify(tools)))

const lastUserText = (messages: ReadonlyArray<ChatMessage>): string =>
  textOf((messages.findLast(({ role }) => role === 'user') ?? messages.at(-1))?.content)

const hintsFor = (messages: ReadonlyArray<ChatMessage>, seed: number): SchemaHints => {
  const { question, topic } = readPrompt(lastUserText(messages))
  const names = namesOf(question)
  const inNames = new Set(names.flatMap(wordsOf))
  return {
    question,
    topic,
    names,
    keywords: keywordsOf(question).filter((word) => !inNames.has(word) && !/^\d/u.test(word)),
    numbers: (question.match(/-?\d+(?:\.\d+)?/gu) ?? []).map(Number).filter(Number.isFinite),
    sentence: composeText(messages, seed),
  }
}

const fieldNames = (parameters: unknown): ReadonlyArray<string> =>
  Fields.is(parameters) && Fields.is(parameters.properties) ? Object.keys(parameters.properties) : []

type Callable = Tool['function']

const relevance = (tool: Callable, question: string): number => {
  const asked = new Set(keywordsOf(question).map(stemOf))
  const about = [
    tool.name.replaceAll(/[_\-.]|(?<=[a-z])(?=[A-Z])/gu, ' '),
    tool.description ?? '',
    ...fieldNames(tool.parameters),
  ]
  return stemsAmong(asked, about.join(' '))
}

const toolFor = (request: ModelRequest, question: string): Callable | undefined => {
  const { toolChoice, tools, messages } = request
  if (toolChoice === 'none') return undefined
  if (typeof toolChoice === 'object') return tools.find(({ name }) => name === toolChoice.name)
  const [best] = tools
    .map((tool) => ({ tool, score: relevance(tool, question) }))
    .toSorted((a, b) => b.score - a.score)
  if (toolChoice === 'required') return best?.tool
  // The results are in: calling again here would never end.
  if (messages.at(-1)?.role === 'tool') return undefined
  return readPrompt(question).ask._tag === 'Topic' ? best?.tool : undefined
}

// "the weather in Paris and Oslo" is two calls of a function that takes one place.
const callsOf = (request: ModelRequest, tool: Callable, seed: number): ReadonlyArray<ModelCall> => {
  const hints = hintsFor(request.messages, seed)
  const call = (names: ReadonlyArray<string>, index: number): ModelCall => ({
    id: `call_${hash(`${tool.name} ${index}`, seed).toString(36)}${hash(tool.name, seed + index).toString(36)}`,
    name: tool.name,
    arguments: JSON.stringify(
      valueFromSchema(tool.parameters ?? { type: 'object' }, { ...hints, names }, tool.name, seed),
    ),
  })
  const whole = call(hints.names, 0)
  if (!request.parallelToolCalls || hints.names.length < 2) return [whole]
  const each = hints.names.slice(0, 4).map((name, index) => call([name], index))
  const distinct = new Set(each.map((one) => one.arguments))
  return distinct.size === each.length ? each : [whole]
}

const jsonAnswer = (request: ModelRequest, seed: number): string => {
  const hints = hintsFor(request.messages, seed)
  return request.form._tag === 'JsonSchema'
    ? JSON.stringify(valueFromSchema(request.form.schema, hints, 'answer', seed))
    : JSON.stringify({ topic: hints.topic, answer: hints.sentence, keywords: hints.keywords.slice(0, 5) })
}

const contentOf = (request: ModelRequest, seed: number): string => {
  if (request.form._tag !== 'Text') return jsonAnswer(request, seed)
  return request.messages.at(-1)?.role === 'tool'
    ? composeFromResults(request.messages, seed)
    : composeText(request.messages, seed)
}

const cutAtStop = (text: string, stop: ReadonlyArray<string>): string =>
  stop.reduce((kept, mark) => {
    const at = mark === '' ? -1 : kept.indexOf(mark)
    return at < 0 ? kept : kept.slice(0, at)
  }, text)

interface Budgeted {
  readonly text: string
  readonly left: number
  readonly cut: boolean
}

const within = (text: string, budget: number): Budgeted => {
  const tokens = tokensOf(text)
  return tokens.length <= budget
    ? { text, left: budget - tokens.length, cut: false }
    : { text: tokens.slice(0, budget).join(''), left: 0, cut: true }
}

/** The calls whose arguments there is room for; the last may be cut off. */
const callsWithin = (
  calls: ReadonlyArray<ModelCall>,
  budget: number,
): { readonly calls: ReadonlyArray<ModelCall>; readonly cut: boolean } => {
  const made: Array<ModelCall> = []
  let left = budget
  for (const call of calls) {
    const kept = within(call.arguments, left)
    made.push({ ...call, arguments: kept.text })
    if (kept.cut) return { calls: made, cut: true }
    left = kept.left
  }
  return { calls: made, cut: false }
}

const thoughts = (question: string): string => {
  const { topic } = readPrompt(question)
  return `The question is about ${topic}. First I settle what is asked, then what is known, then how to say it briefly.`
}

const choiceOf = (request: ModelRequest, base: number, index: number): ModelChoice => {
  const seed = base + index
  const question = lastUserText(request.messages)
  const budget = request.maxTokens ?? Number.POSITIVE_INFINITY
  const thought = request.reasoning ? within(thoughts(question), budget) : undefined
  const left = thought?.left ?? budget
  const reasoning = thought?.text
  const tool = thought?.cut ? undefined : toolFor(request, question)
  if (tool !== undefined) {
    const { calls, cut } = callsWithin(callsOf(request, tool, seed), left)
    // OpenAI's reason is not `tool_calls` when the request names the function.
    const made = typeof request.toolChoice === 'object' ? 'stop' : 'tool_calls'
    return { index, reasoning, content: null, calls, finishReason: cut ? 'length' : made }
  }
  const content = within(cutAtStop(contentOf(request, seed), request.stop), left)
  const cut = content.cut || thought?.cut === true
  return { index, reasoning, content: content.text, calls: [], finishReason: cut ? 'length' : 'stop' }
}

/** How many tokens of the answer a choice takes. */
const choiceTokens = ({ reasoning, content, calls }: ModelChoice): number =>
  countTokens(reasoning ?? '') +
  countTokens(content ?? '') +
  calls.reduce((sum, call) => sum + countTokens(call.arguments), 0)

/**
 * Answers a chat request without any model weights: a pure function of the conversation, the tools, the form and the seed.
 * It knows nothing; it is there so that pipelines, streams, tools and traces can be tried and tested.
 *
 * It obeys `maxTokens` (`length`), `stop`, `n` (other wordings), JSON forms and tools: it makes the arguments from their
 * JSON Schema and the prompt, and answers with a tool's result once it is there. Usage is counted with `countTokens`.
 */
export const builtInModel = (request: ModelRequest): ModelAnswer => {
  const { messages, tools, form, toolChoice } = request
  const base = hash(JSON.stringify([messages, tools, form, toolChoice]), request.seed)
  const choices = Array.from({ length: request.n }, (_, index) => choiceOf(request, base, index))
  const prompt_tokens = promptTokens(request)
  const completion_tokens = choices.reduce((sum, choice) => sum + choiceTokens(choice), 0)
  return {
    choices,
    usage: {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      prompt_tokens_details: { audio_tokens: 0, cached_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: choices.reduce((sum, { reasoning }) => sum + countTokens(reasoning ?? ''), 0),
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
  }
}
