import type { ChatParams } from './ChatParams.js'

/** The chat parameters that say something in words: content, as messages are. */
export const contentParams = [
  'tools',
  'tool_choice',
  'response_format',
  'stop',
] as const satisfies ReadonlyArray<keyof ChatParams>
