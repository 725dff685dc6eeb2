import type { ReplyEvent } from '../codecs/Reply.js'
import { appendText, builtText, emptyText, type TextBuilder } from '../codecs/textBuilder.js'
import { BEYOND_THE_BOUND, boundedText, jsonText } from './contentText.js'
import type { Trace } from './Trace.js'

/** How the values of an operator make up its output: as a list, as pieces of one text, or by the last one alone. */
export type OutputForm = 'list' | 'text' | 'last'

/** Redacted content: a text as it is, anything else as JSON. */
type Item = string | { readonly json: string }

/** What has come out of a span so far, within the trace's bound. */
export interface Output {
  form: OutputForm
  /** Values that came out. */
  count: number
  /** Characters kept. */
  size: number
  /** Values that came out when there was no more room. */
  skipped: number
  /** One text out of pieces, not yet redacted. */
  text: TextBuilder | undefined
  items: Array<Item> | undefined
  /** Texts of replies that came out as events, by the reply's id; not yet redacted. */
  replies: Map<string, TextBuilder> | undefined
}

export const emptyOutput = (): Output => ({
  form: 'list',
  count: 0,
  size: 0,
  skipped: 0,
  text: undefined,
  items: undefined,
  replies: undefined,
})

// What a text takes in a list beside its characters: quotes and a comma. It bounds the number of empty ones, too.
const QUOTES_AND_COMMA = 3
const COMMA = 1

/** Whether what is read of an event is there: others have such tags, too. */
const isReadable = (event: object & Record<'_tag', unknown>): boolean => {
  switch (event._tag) {
    case 'ReplyStarted':
      return 'model' in event
    case 'ToolCallDelta':
      return 'json' in event
    case 'TextDelta':
    case 'ReasoningDelta':
    case 'RefusalDelta':
      return 'text' in event && typeof event.text === 'string'
    case 'ReplyFinished':
      return 'reply' in event && isReadableReply(event.reply)
    default:
      return false
  }
}

const isReadableReply = (reply: unknown): boolean => {
  if (typeof reply !== 'object' || reply === null || !('replies' in reply)) return false
  const { replies } = reply
  return Array.isArray(replies) && (replies.length === 0 || typeof replies[0] === 'string')
}

const isReplyEvent = (value: unknown): value is ReplyEvent => {
  try {
    return (
      typeof value === 'object' &&
      value !== null &&
      '_tag' in value &&
      'id' in value &&
      typeof value.id === 'string' &&
      isReadable(value)
    )
  } catch {
    // A revoked proxy, or a getter that throws.
    return false
  }
}

const addReplyEvent = (output: Output, event: ReplyEvent): void => {
  output.replies ??= new Map()
  let reply = output.replies.get(event.id)
  if (reply === undefined) {
    reply = emptyText()
    if (output.replies.size > 0) output.size += QUOTES_AND_COMMA
    output.replies.set(event.id, reply)
  }
  const text =
    event._tag === 'TextDelta' && event.choice === 0
      ? event.text
      : event._tag === 'ReplyFinished' && builtText(reply) === ''
        ? (event.reply.replies[0] ?? '')
        : ''
  appendText(reply, text)
  output.size += text.length
}

const itemOf = (trace: Trace, value: unknown): Item | undefined => {
  const content = trace.redact(value)
  if (typeof content === 'string') return content
  const json = jsonText(content)
  return json === undefined ? undefined : { json }
}

const addItem = (output: Output, trace: Trace, value: unknown): void => {
  const item = itemOf(trace, value)
  if (item === undefined) return
  if (output.items === undefined) output.items = [item]
  else output.items.push(item)
  output.size += typeof item === 'string' ? item.length + QUOTES_AND_COMMA : item.json.length + COMMA
}

const forget = (output: Output): void => {
  output.size = 0
  output.text = undefined
  output.items = undefined
}

/** Lets go of all that was kept. */
export const releaseOutput = (output: Output): void => {
  forget(output)
  output.replies = undefined
}

/** Takes in one value. Text is kept by reference; anything else is written down at once, so later changes to it don't show. */
export const addOutput = (output: Output, trace: Trace, value: unknown): void => {
  output.count++
  if (!trace.captureContent) return
  if (output.form === 'last') forget(output)
  const over = output.size - trace.maxContentBytes
  if (over > BEYOND_THE_BOUND) output.skipped++
  else if (output.form !== 'list' && typeof value === 'string') {
    output.text ??= emptyText()
    appendText(output.text, value)
    output.size += value.length
  } else if (isReplyEvent(value)) addReplyEvent(output, value)
  else if (over > 0) output.skipped++
  else addItem(output, trace, value)
}

const NOTHING: ReadonlyArray<Item> = []

const itemsOf = (output: Output, trace: Trace): ReadonlyArray<Item> => {
  const { replies, text } = output
  const items = output.items ?? NOTHING
  if (replies === undefined && text === undefined) return items
  const texts = Array.from(replies?.values() ?? [], builtText)
  if (text !== undefined) texts.push(builtText(text))
  return texts.length === 0 ? items : [...items, ...texts.flatMap((joined) => itemOf(trace, joined) ?? [])]
}

const textOf = (item: Item): string => (typeof item === 'string' ? item : item.json)

const jsonOf = (item: Item): string => (typeof item === 'string' ? JSON.stringify(item) : item.json)

/** The output as it goes on the wire; `undefined` when nothing came out or content is off. */
export const outputText = (output: Output, trace: Trace): string | undefined => {
  if (!trace.captureContent) return undefined
  const items = itemsOf(output, trace)
  const [first] = items
  if (first === undefined) return undefined
  const isOne = items.length === 1 && (output.skipped === 0 || output.items === undefined)
  const text = isOne ? textOf(first) : `[${items.map(jsonOf).join(',')}]`
  const kept = boundedText(text, trace)
  return output.skipped === 0 ? kept : `${kept}… [cut: ${output.skipped} more values]`
}
