import type { ChatParams } from './ChatParams.js'

/** The chat parameters that hold words, and so count as content like the messages. */
export const contentParams = [
  'tools',
  'tool_choice',
  'response_format',
  'stop',
] as const satisfies ReadonlyArray<keyof ChatParams>
