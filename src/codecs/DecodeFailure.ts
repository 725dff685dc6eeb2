/** Why a value did not decode: where, what was expected there, and a safe description of what was found. */
export interface DecodeFailure {
  /** Path to the offending value, such as `messages[1].content`; empty for the value itself. */
  readonly path: string
  /** Name of the codec that refused the value, such as `number 0 to 2`. */
  readonly expected: string
  /** Kind and size of what was found, such as `string(12 characters)`: never the text itself, which may be secret. */
  readonly found: string
}
