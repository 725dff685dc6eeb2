import type { AssistantMessage } from '../codecs/ChatMessage.js'
import type { Logprobs } from '../codecs/Logprobs.js'
import type { RequestBreakdown } from '../codecs/RequestBreakdown.js'
import type { TextBuilder } from '../codecs/textBuilder.js'
import type { Usage } from '../codecs/Usage.js'
import type { AnswerIds } from '../http/answerIds.js'
import type { Additions } from './Additions.js'

/** What is known of a tool call. */
export interface CallSoFar {
  id: string | undefined
  name: string
  additions: Additions | undefined
  /** Within its `function`. */
  functionAdditions: Additions | undefined
  readonly json: TextBuilder
}

/** What is known of a choice. */
export interface ChoiceSoFar {
  readonly index: number
  readonly text: TextBuilder
  readonly reasoning: TextBuilder
  readonly refusal: TextBuilder
  readonly calls: Map<number, CallSoFar>
  additions: Additions | undefined
  /** Which call an id is of. */
  callIds: Map<string, number> | undefined
  /** Which call is the newest of an index that several have. */
  sharedIndex: Map<number, number> | undefined
  finishReason: string | null
  /** The probabilities of its tokens, piece by piece as they came. */
  logprobs: Array<Logprobs> | undefined
  /** The whole message, when it came in one piece. */
  message: AssistantMessage | undefined
}

/** Everything that is known of a reply under way. Mutable, owned by one subscription. */
export interface ReplyBuilder {
  readonly id: string
  model: string
  readonly choices: Map<number, ChoiceSoFar>
  /** Choices to wait for: as many as were asked for, or as a whole answer has. */
  expected: number
  /** Characters to keep; beyond it deltas pass by. */
  readonly keep: number
  /** Characters that have come, kept or not. */
  characters: number
  started: boolean
  /** Something a reader would see has come: text, reasoning, a refusal or a tool call. */
  output: boolean
  finished: number
  usage: Usage | undefined
  cost: number | undefined
  breakdown: RequestBreakdown | undefined
  promptMessages: ReadonlyArray<AssistantMessage> | undefined
  /** Of the newest attempt, once it is answered. */
  ids: AnswerIds
  attempts: number
}

let replies = 0

/**
 * Begins a reply. Its id is ours: gateways repeat theirs, and interleaved replies must be told apart.
 *
 * @param expected - choices that were asked for (`n`)
 * @param keep - how much of the texts to keep, characters
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

/** Whether every choice has its finish reason: the work is done, though usage may still come. */
export const isSettled = ({ finished, choices, expected }: ReplyBuilder): boolean =>
  finished > 0 && finished >= Math.max(expected, choices.size)

/**
 * Whether a reply that has ended is whole: every choice that came has its finish reason. There may be fewer than were
 * asked for, since many providers ignore `n`.
 */
export const isWhole = ({ finished, choices }: ReplyBuilder): boolean =>
  finished > 0 && finished >= choices.size

/** What is known of each choice, in their order. */
export const choicesOf = ({ choices }: ReplyBuilder): ReadonlyArray<ChoiceSoFar> =>
  Array.from(choices.values()).sort((a, b) => a.index - b.index)
