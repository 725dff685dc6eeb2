import { refuse } from '../codecs/refuse.js'
import { refuseUnknown } from '../codecs/refuseUnknown.js'

/** Which of several replies to a request is meant. */
export interface ChoiceOption {
  /** Which of `n` choices. Default 0. */
  readonly choice?: number
}

const OPTIONS: Readonly<Record<keyof ChoiceOption, true>> = { choice: true }

/** The number of the choice. @throws InvalidInput for an unknown option, and for what isn't the number of a choice */
export const choiceOf = (operator: string, options: ChoiceOption): number => {
  refuseUnknown(operator, options, OPTIONS)
  const { choice = 0 } = options
  return Number.isInteger(choice) && choice >= 0
    ? choice
    : refuse(operator, 'choice', 'integer from 0', choice)
}
