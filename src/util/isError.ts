import { tagOf } from './tagOf.js'

const TAGS: ReadonlySet<string> = new Set(['Error', 'DOMException'])

/** Whether a value is an error of any realm. Throws for a value that can't be inspected, such as a revoked proxy. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error ||
  // The stack is checked first: most values that aren't errors have none, and reading a tag costs ten times as much.
  (typeof value === 'object' && value !== null && 'stack' in value && TAGS.has(tagOf(value)))
