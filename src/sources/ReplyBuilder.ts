import type { AssistantMessage } from '../codecs/ChatMessage.js'
import type { Logprobs } from '../codecs/Logprobs.js'
import type { RequestBreakdown } from '../codecs/RequestBreakdown.js'
import type { Usage } from '../codecs/Usage.js'
import type { AnswerIds } from '../http/answerIds.js'
import type { TextBuilder } from '../util/textBuilder.js'
import type { Additions } from './Additions.js'

/** What has arrived of a tool call. */
export interface CallSoFar {
  id: string | undefined
  name: string
  additions: Additions | undefined
  /** The additions within its `function`. */
  functionAdditions: Additions | undefined
  readonly json: TextBuilder
}

/** What has arrived of a choice. */
export interface ChoiceSoFar {
  readonly index: number
  readonly text: TextBuilder
  readonly reasoning: TextBuilder
  readonly refusal: TextBuilder
  readonly calls: Map<number, CallSoFar>
  additions: Additions | undefined
  /** The index in `calls` of each call, by its id. */
  callIds: Map<string, number> | undefined
  /** The index in `calls` of the newest call, by the index that several calls came with. */
  sharedIndex: Map<number, number> | undefined
  finishReason: string | null
  /** The log probabilities of its tokens, one element for each delta that had some. */
  logprobs: Array<Logprobs> | undefined
  /** The whole message, if it wasn't streamed. */
  message: AssistantMessage | undefined
}

/** What has arrived of a reply. Mutable, owned by one subscription. */
export interface ReplyBuilder {
  readonly id: string
  model: string
  readonly choices: Map<number, ChoiceSoFar>
  /** Choices to wait for: as many as were asked for, or as an answer that wasn't streamed has. */
  expected: number
  /** Characters to keep. Once so many have come, deltas are passed on but not kept. */
  readonly keep: number
  /** Characters that have come, kept or not. */
  characters: number
  started: boolean
  /** Something has come that a reader would see: text, reasoning, a refusal or a tool call. */
  output: boolean
  /** Choices that have their finish reason. */
  finished: number
  usage: Usage | undefined
  cost: number | undefined
  breakdown: RequestBreakdown | undefined
  promptMessages: ReadonlyArray<AssistantMessage> | undefined
  /** Those of the newest attempt, once it is answered. */
  ids: AnswerIds
  attempts: number
}

let replies = 0

/**
 * Begins a reply. It gets an id from here, because gateways repeat theirs and interleaved replies must be told apart.
 *
 * @param expected - how many choices were asked for (`n`)
 * @param keep - how much of the texts to keep, in characters
 */
export const replyBuilder = (expected: number, keep: number): ReplyBuilder => ({
  id: `reply-${++replies}`,
  model: '',
  choices: new Map(),
  expected,
  keep,
  characters: 0,
  started: false,
  output: false,
  finished: 0,
  usage: undefined,
  cost: undefined,
  breakdown: undefined,
  promptMessages: undefined,
  ids: {},
  attempts: 0,
})

/** Whether every choice that was asked for has its finish reason: the work is done, though usage may still come. */
export const isSettled = ({ finished, choices, expected }: ReplyBuilder): boolean =>
  finished > 0 && finished >= Math.max(expected, choices.size)

/**
 * Whether a reply that has ended is whole: every choice that came has its finish reason. There may be fewer choices than
 * were asked for, since many providers ignore `n`.
 */
export const isWhole = ({ finished, choices }: ReplyBuilder): boolean =>
  finished > 0 && finished >= choices.size

/** The choices, in the order of their indexes. */
export const choicesOf = ({ choices }: ReplyBuilder): ReadonlyArray<ChoiceSoFar> =>
  Array.from(choices.values()).sort((a, b) => a.index - b.index)
