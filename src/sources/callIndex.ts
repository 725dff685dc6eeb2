import type { ToolCallDelta } from '../codecs/ToolCall.js'
import type { ChoiceSoFar } from './ReplyBuilder.js'

/**
 * Which of a choice's tool calls a piece belongs to. Some providers give no index, others the same one to every call: there an
 * id that is new, with a name, begins another call, and what follows is that one's.
 */
export const callIndex = (choice: ChoiceSoFar, piece: ToolCallDelta): number =>
  piece.index == null ? withoutIndex(choice, piece) : atIndex(choice, piece.index, piece)

/** An id that is new, or a name without an id, begins another call. */
const withoutIndex = ({ calls, callIds }: ChoiceSoFar, { id, function: called }: ToolCallDelta): number => {
  const known = id ? callIds?.get(id) : undefined
  const begins = id ? known === undefined : Boolean(called?.name)
  return known ?? (begins ? calls.size : Math.max(0, calls.size - 1))
}

const atIndex = (choice: ChoiceSoFar, index: number, { id, function: called }: ToolCallDelta): number => {
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
