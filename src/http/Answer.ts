import type { AnswerIds } from './answerIds.js'

/** A whole answer: its body read, bounded and freed of secrets. */
export interface Answer {
  readonly status: number
  /** What the status line says besides; often empty. */
  readonly statusText: string
  readonly headers: Headers
  readonly text: string
  /** There was more than is read of an answer. */
  readonly cut: boolean
  readonly ids: AnswerIds
}
