import {
  appendText,
  builtText,
  emptyText,
  replaceText,
  type TextBuilder,
  textLength,
} from '../util/textBuilder.js'
import { boundedText, jsonText, OVERSHOOT, scrubbed } from './contentText.js'
import { claimPart, type ReplyPart, type ReplyParts } from './replyParts.js'
import type { Trace } from './Trace.js'
import { withoutMedia } from './withoutMedia.js'

/** A text as it is, anything else as JSON. */
type Written = string | { readonly json: string }

/** What is kept of a value: its redacted form, or a reply's text, which is redacted once it is complete. */
type Item = Written | TextBuilder

/** The output of a span so far, within the trace's bound. Mutable, owned by the span. */
export interface Output {
  /** Values that came out. */
  count: number
  /** Characters kept. */
  size: number
  /** Values that were left out because there was no more room. */
  skipped: number
  items: Array<Item> | undefined
  /** The texts of replies among the items, by the id of their parts. */
  replies: Map<string, TextBuilder> | undefined
  /** Parts of replies that are about to come out. */
  parts: ReplyParts | undefined
}

export const emptyOutput = (): Output => ({
  count: 0,
  size: 0,
  skipped: 0,
  items: undefined,
  replies: undefined,
  parts: undefined,
})

// What a text takes up in a list besides its characters. Counting it also bounds the number of empty texts.
const QUOTES_AND_COMMA = 3
const COMMA = 1

/** What a reply event adds to its reply's text. `undefined` for any other value, which may have the same tag. */
const textOfEvent = (event: object & Record<'_tag', unknown>): string | undefined => {
  switch (event._tag) {
    case 'ReplyStarted':
      return 'model' in event ? '' : undefined
    case 'ToolCallDelta':
      return 'json' in event ? '' : undefined
    case 'TextDelta':
    case 'ReasoningDelta':
    case 'RefusalDelta':
      if (!('text' in event) || typeof event.text !== 'string') return undefined
      return event._tag === 'TextDelta' && 'choice' in event && event.choice === 0 ? event.text : ''
    case 'ReplyFinished':
      return 'reply' in event ? firstText(event.reply) : undefined
    default:
      return undefined
  }
}

const firstText = (reply: unknown): string | undefined => {
  if (typeof reply !== 'object' || reply === null || !('replies' in reply)) return undefined
  const { replies } = reply
  if (!Array.isArray(replies)) return undefined
  const first: unknown = replies.length === 0 ? '' : replies[0]
  return typeof first === 'string' ? first : undefined
}

const addItem = (output: Output, item: Item, size: number): void => {
  if (output.items === undefined) output.items = [item]
  else output.items.push(item)
  output.size += size
}

/** The text of a reply; a new one is put where the reply begins to come out. */
const replyIn = (output: Output, id: string): TextBuilder => {
  const known = output.replies?.get(id)
  if (known !== undefined) return known
  const reply = emptyText()
  output.replies ??= new Map()
  output.replies.set(id, reply)
  addItem(output, reply, QUOTES_AND_COMMA)
  return reply
}

const addText = (output: Output, id: string, text: string): void => {
  appendText(replyIn(output, id), text)
  output.size += text.length
}

/** Adds a value if it is a reply event. Returns whether it is one. */
const tookReplyEvent = (output: Output, value: unknown): boolean => {
  try {
    if (typeof value !== 'object' || value === null || !('_tag' in value)) return false
    if (!('id' in value) || typeof value.id !== 'string') return false
    const text = textOfEvent(value)
    if (text === undefined) return false
    // `ReplyFinished` has the whole text, which is added only if none of it came before.
    const isKnown = value._tag === 'ReplyFinished' && textLength(replyIn(output, value.id)) > 0
    addText(output, value.id, isKnown ? '' : text)
    return true
  } catch {
    // A revoked proxy, or a getter that throws.
    return false
  }
}

const addPart = (output: Output, { id, text, whole }: ReplyPart): void => {
  if (!whole) return addText(output, id, text)
  const reply = replyIn(output, id)
  output.size += text.length - textLength(reply)
  replaceText(reply, text)
}

const writtenOf = (content: unknown): Written | undefined => {
  if (typeof content === 'string') return withoutMedia(content)
  const json = jsonText(content)
  return json === undefined ? undefined : { json: withoutMedia(json) }
}

const addValue = (output: Output, trace: Trace, value: unknown): void => {
  const item = writtenOf(trace.redact(value))
  if (item === undefined) return
  // Now, because a trace forgets the oldest of many secrets before it ends.
  const text = scrubbed(textOf(item), trace.scrubs)
  if (typeof item === 'string') addItem(output, text, text.length + QUOTES_AND_COMMA)
  else addItem(output, { json: text }, text.length + COMMA)
}

/** Releases all that was kept. */
export const releaseOutput = (output: Output): void => {
  output.items = undefined
  output.replies = undefined
  output.parts = undefined
}

/**
 * Adds a value. A text is kept by reference; anything else is serialised at once, so that later changes to it don't show.
 *
 * @returns the part of a reply's text that the value was announced as, if it was
 */
export const addOutput = (output: Output, trace: Trace, value: unknown): ReplyPart | undefined => {
  output.count++
  const part = typeof value === 'string' && output.parts ? claimPart(output.parts, value) : undefined
  if (trace.captureContent) addContent(output, trace, value, part)
  return part
}

const addContent = (output: Output, trace: Trace, value: unknown, part: ReplyPart | undefined): void => {
  const over = output.size - trace.maxContentBytes
  // The whole text replaces what was kept of it, so it needs no more room.
  if (part?.whole === true && output.replies?.has(part.id) === true) addPart(output, part)
  else if (over > OVERSHOOT) output.skipped++
  else if (part !== undefined) addPart(output, part)
  else if (tookReplyEvent(output, value)) return
  else if (over > 0) output.skipped++
  else addValue(output, trace, value)
}

const isText = (item: Item): item is TextBuilder => typeof item === 'object' && 'pieces' in item

/** The redacted form of an item. */
const shown = (item: Item, trace: Trace): Written | undefined =>
  isText(item) ? writtenOf(trace.redact(builtText(item))) : item

const textOf = (item: Written): string => (typeof item === 'string' ? item : item.json)

const jsonOf = (item: Written): string => (typeof item === 'string' ? JSON.stringify(item) : item.json)

/** One item as it is, several as a list. */
const writtenOut = (items: ReadonlyArray<Item>, isCut: boolean, trace: Trace): string | undefined => {
  const written: Array<Written> = []
  for (const item of items) {
    const one = shown(item, trace)
    if (one !== undefined) written.push(one)
  }
  const [first, second] = written
  if (first === undefined) return undefined
  // A cut text stays a text, since it ends with a mark; the only item left of a cut list is shown as a list.
  const isOne = second === undefined && !(isCut && items.some((item) => !isText(item)))
  return isOne ? textOf(first) : `[${written.map(jsonOf).join(',')}]`
}

/** The output as it goes on the wire; `undefined` if nothing came out, or if content is off. */
export const outputText = (output: Output, trace: Trace): string | undefined => {
  const { items, skipped } = output
  if (items === undefined) return undefined
  const text = writtenOut(items, skipped > 0, trace)
  if (text === undefined) return undefined
  const kept = boundedText(text, trace)
  return skipped === 0 ? kept : `${kept}… [cut: ${skipped} more values]`
}
