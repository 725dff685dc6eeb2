import { refuse } from '../codecs/refuse.js'
import { refuseUnknown } from '../codecs/refuseUnknown.js'

/** Which of a request's several replies to read. */
export interface ChoiceOption {
  /** The index of the choice, from 0, when `n` asked for several. Default 0. */
  readonly choice?: number
}

const OPTIONS: Readonly<Record<keyof ChoiceOption, true>> = { choice: true }

/** The index of the choice. @throws InvalidInput for an unknown option, and for anything but an index */
export const choiceOf = (operator: string, options: ChoiceOption): number => {
  refuseUnknown(operator, options, OPTIONS)
  const { choice = 0 } = options
  return Number.isInteger(choice) && choice >= 0
    ? choice
    : refuse(operator, 'choice', 'integer of at least 0', choice)
}
