import { tagOf } from './tagOf.js'

const TAGS: ReadonlySet<string> = new Set(['Error', 'DOMException'])

/** Whether a value is an error, of whichever realm. Throws for what can't be looked at: a revoked proxy. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error ||
  // The stack is asked for first: most of what isn't an error has none, and a tag costs ten times as much.
  (typeof value === 'object' && value !== null && 'stack' in value && TAGS.has(tagOf(value)))
