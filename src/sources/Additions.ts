import { Fields } from '../codecs/Fields.js'

/** What a provider adds to what it says, by name: citations, images, the signature of a thought. */
export type Additions = Map<string, unknown>

/**
 * Takes in the fields of a piece that are not known, so that they go back with the message: lists go on, objects are laid over
 * each other, and of all else the last counts.
 *
 * @param additions - of the pieces before; changed, and made only when there is something to keep
 */
export const withAdditions = (
  additions: Additions | undefined,
  piece: Fields,
  known: ReadonlySet<string>,
): Additions | undefined => {
  let all = additions
  for (const key in piece) {
    // Nearly every field of nearly every piece is known.
    if (known.has(key) || !Object.hasOwn(piece, key)) continue
    const value = piece[key]
    if (value == null) continue
    all ??= new Map()
    all.set(key, grown(all.get(key), value))
  }
  return all
}

/** What was added so far, as fields of a message. */
export const addedFields = (additions: Additions | undefined): Fields =>
  additions === undefined ? {} : Object.fromEntries(additions)

/** Only one level deep: what a server nests is of any depth. */
const grown = (before: unknown, piece: unknown): unknown => {
  if (Fields.is(before) && Fields.is(piece)) return joined(before, piece)
  if (!Array.isArray(piece)) return piece
  const list: Array<unknown> = Array.isArray(before) ? before : []
  for (const item of piece) addItem(list, item)
  return list
}

/** A thought comes in pieces, the last of which signs it. */
const addItem = (list: Array<unknown>, item: unknown): void => {
  const last = list.at(-1)
  if (isThought(last) && isThought(item) && goesOn(last, item)) list[list.length - 1] = joined(last, item)
  else list.push(item)
}

const goesOn = (last: Fields, item: Fields): boolean =>
  !last.signature && last.type === item.type && last.index === item.index

/** Anthropic's, in `thinking_blocks`, and OpenRouter's, in `reasoning_details`. */
const THOUGHTS: ReadonlySet<unknown> = new Set(['thinking', 'reasoning.text', 'reasoning.summary'])

const isThought = (item: unknown): item is Fields => Fields.is(item) && THOUGHTS.has(item.type)

/** Texts that come in pieces: a thought's, what a voice says, in words and as its bytes, and those of a `function_call`. */
const TEXTS = ['thinking', 'text', 'summary', 'transcript', 'data', 'arguments']

const joined = (before: Fields, piece: Fields): Fields => ({
  ...before,
  ...piece,
  ...Object.fromEntries(
    TEXTS.filter((key) => typeof before[key] === 'string' && typeof piece[key] === 'string').map((key) => [
      key,
      `${before[key]}${piece[key]}`,
    ]),
  ),
})
