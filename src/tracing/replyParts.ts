/** A text that is about to come out of a span: part of a reply's text, or all of it so far (`whole`). */
export interface ReplyPart {
  /** The reply's id, followed by the choice unless that is the first one. */
  readonly id: string
  readonly text: string
  readonly whole: boolean
}

/** The parts announced to a span. Mutable, owned by the span. */
export interface ReplyParts {
  /** Parts that haven't come out yet, the oldest first. */
  waiting: Array<ReplyPart>
  /** The id of the part that came out last. */
  newest: string | undefined
  /** The id whose parts are ignored, because something else comes out instead of them. */
  givenUp: string | undefined
}

export const replyParts = (): ReplyParts => ({ waiting: [], newest: undefined, givenUp: undefined })

// When so many wait, what comes out isn't the parts but something made of them: a list, a count, one text. The parts of the
// next reply may still come out as they are.
const MOST_WAITING = 1_000

/** Adds a part that is about to come out. */
export const announce = (parts: ReplyParts, part: ReplyPart): void => {
  if (parts.givenUp === part.id) return
  if (parts.waiting.length < MOST_WAITING) parts.waiting.push(part)
  else {
    parts.waiting = []
    parts.givenUp = part.id
  }
}

/** A waiting part with a text: of the reply that came out last, else of the one announced last, else of any. */
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
 * Removes and returns the part that a text was announced as, once the text comes out: the next part of its reply, or the
 * newest one, in which case the parts before it were filtered out on the way. A text that matches a part in between wasn't
 * announced itself, but made of the parts, as the lines of a text are: then all parts of that reply are removed.
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
