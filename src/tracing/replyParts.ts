/** A text that is about to come out of a span: a part of a reply's text, or all of it so far. */
export interface ReplyPart {
  /** The reply's id, with the choice unless it is the first one. */
  readonly id: string
  readonly text: string
  readonly whole: boolean
}

/** The parts that a span was told of. Mutable, owned by the span. */
export interface ReplyParts {
  /** Those that have not come out yet, the oldest first. */
  waiting: Array<ReplyPart>
  /** The reply of which a part came out last. */
  newest: string | undefined
  /** The reply whose parts are not what comes out. */
  givenUp: string | undefined
}

export const replyParts = (): ReplyParts => ({ waiting: [], newest: undefined, givenUp: undefined })

// When so many wait, what comes out is not the parts but something made of them: a list, a count, one text. Those of the next
// reply may come out as they are.
const MOST_WAITING = 1_000

/** Takes in a part that is about to come out. */
export const announce = (parts: ReplyParts, part: ReplyPart): void => {
  if (parts.givenUp === part.id) return
  if (parts.waiting.length < MOST_WAITING) parts.waiting.push(part)
  else {
    parts.waiting = []
    parts.givenUp = part.id
  }
}

/** A part with this text that waits: of the reply that came out last, else of the one that was announced last, else of any. */
const withText = ({ waiting, newest }: ReplyParts, text: string): ReplyPart | undefined => {
  const last = waiting.at(-1)?.id
  let ofLast: ReplyPart | undefined
  let ofAny: ReplyPart | undefined
  for (const part of waiting) {
    if (part.text !== text) continue
    if (part.id === newest) return part
    if (part.id === last) ofLast ??= part
    ofAny ??= part
  }
  return ofLast ?? ofAny
}

/**
 * The part that a text which came out was announced as: the next one of its reply, or the one that comes out just now, and then
 * those before it were left out on the way. Any other is no part any more, but made of them, as the lines of a text are.
 */
export const claimPart = (parts: ReplyParts, text: string): ReplyPart | undefined => {
  const found = withText(parts, text)
  if (found === undefined) return undefined
  const { waiting } = parts
  const isPart = found === waiting.at(-1) || found === waiting.find(({ id }) => id === found.id)
  const index = isPart ? waiting.indexOf(found) : waiting.length
  if (index === 0) waiting.shift()
  else parts.waiting = waiting.filter(({ id }, at) => at > index || id !== found.id)
  if (!isPart) return undefined
  parts.newest = found.id
  return found
}
