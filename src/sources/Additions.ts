import { Fields } from '../codecs/Fields.js'

/** Fields that a provider adds to its messages, by name: citations, images, the signature of a thought. */
export type Additions = Map<string, unknown>

/**
 * Collects the unknown fields of a delta, so that they go back to the provider with the message. Lists are appended, objects
 * merged, and of any other value the last one counts.
 *
 * @param additions - those of the earlier deltas. It is mutated, and made only when there is something to keep
 */
export const withAdditions = (
  additions: Additions | undefined,
  piece: Fields,
  known: ReadonlySet<string>,
): Additions | undefined => {
  let all = additions
  for (const key in piece) {
    // First, because nearly every field of nearly every delta is known.
    if (known.has(key) || !Object.hasOwn(piece, key)) continue
    const value = piece[key]
    if (value == null) continue
    all ??= new Map()
    all.set(key, grown(all.get(key), value))
  }
  return all
}

/** The additions as fields of a message. */
export const addedFields = (additions: Additions | undefined): Fields =>
  additions === undefined ? {} : Object.fromEntries(additions)

/** A field with another piece of it taken in. Merges one level only, since what a server nests may have any depth. */
const grown = (before: unknown, piece: unknown): unknown => {
  if (Fields.is(before) && Fields.is(piece)) return joined(before, piece)
  if (!Array.isArray(piece)) return piece
  const list: Array<unknown> = Array.isArray(before) ? before : []
  for (const item of piece) addItem(list, item)
  return list
}

/** Appends an item, or joins it to the last one, if both are pieces of a thought. */
const addItem = (list: Array<unknown>, item: unknown): void => {
  const last = list.at(-1)
  if (isThought(last) && isThought(item) && goesOn(last, item)) list[list.length - 1] = joined(last, item)
  else list.push(item)
}

/** Whether an item continues the last one: a thought comes in pieces, the last of which has its signature. */
const goesOn = (last: Fields, item: Fields): boolean =>
  !last.signature && last.type === item.type && last.index === item.index

/** The types of thoughts: Anthropic's, in `thinking_blocks`, and OpenRouter's, in `reasoning_details`. */
const THOUGHTS: ReadonlySet<unknown> = new Set(['thinking', 'reasoning.text', 'reasoning.summary'])

const isThought = (item: unknown): item is Fields => Fields.is(item) && THOUGHTS.has(item.type)

/** The texts that come in pieces: those of a thought, audio's transcript and bytes, and a `function_call`'s arguments. */
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
