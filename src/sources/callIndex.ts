import type { ToolCallDelta } from '../codecs/ToolCall.js'
import type { ChoiceSoFar } from './ReplyBuilder.js'

/**
 * The tool call of a choice that a delta belongs to. Some providers send no index, others the same one for every call: there
 * a new id, with a name, begins another call, to which the following deltas belong.
 *
 * @param id - of the delta, as text
 */
export const callIndex = (choice: ChoiceSoFar, piece: ToolCallDelta, id: string | undefined): number =>
  piece.index == null ? withoutIndex(choice, piece, id) : atIndex(choice, piece.index, piece, id)

/** Without an index, a new id begins another call, and so does a name without an id. */
const withoutIndex = (
  { calls, callIds }: ChoiceSoFar,
  { function: called }: ToolCallDelta,
  id: string | undefined,
): number => {
  const known = id ? callIds?.get(id) : undefined
  const begins = id ? known === undefined : Boolean(called?.name)
  return known ?? (begins ? calls.size : Math.max(0, calls.size - 1))
}

const atIndex = (
  choice: ChoiceSoFar,
  index: number,
  { function: called }: ToolCallDelta,
  id: string | undefined,
): number => {
  const current = choice.sharedIndex?.get(index) ?? index
  const known = choice.calls.get(current)?.id
  if (!id || !called?.name || known === undefined || known === id) return current
  const other = choice.callIds?.get(id) ?? free(choice)
  choice.sharedIndex ??= new Map()
  choice.sharedIndex.set(index, other)
  return other
}

const free = ({ calls }: ChoiceSoFar): number => {
  let index = calls.size
  while (calls.has(index)) index++
  return index
}
