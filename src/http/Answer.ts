import type { AnswerIds } from './answerIds.js'

/** A complete answer, whose body has been read, bounded and scrubbed of secrets. */
export interface Answer {
  readonly status: number
  /** The reason phrase of the status line; often empty. */
  readonly statusText: string
  readonly headers: Headers
  readonly text: string
  /** Whether `text` is only a part of the body, which was too long, or broke off and belongs to a failure. */
  readonly cut: boolean
  readonly ids: AnswerIds
}
