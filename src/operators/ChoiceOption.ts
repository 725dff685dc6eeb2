import { refuseUnknown } from '../codecs/refuseUnknown.js'

/** Which of several replies to a request is meant. */
export interface ChoiceOption {
  /** Which of `n` choices. Default 0. */
  readonly choice?: number
}

const OPTIONS: Readonly<Record<keyof ChoiceOption, true>> = { choice: true }

/** The number of the choice. @throws InvalidInput for an unknown option */
export const choiceOf = (operator: string, options: ChoiceOption): number => {
  refuseUnknown(operator, options, OPTIONS)
  return options.choice ?? 0
}
