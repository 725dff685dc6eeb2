import { html } from 'hono/html'
import { Fields } from '../../codecs/Fields.js'
import { jsonOrText } from '../jsonOrText.js'
import { formatCount, shortened } from './format.js'
import type { Markup } from './layout.js'
import { atMost, each, type Room } from './Room.js'

// Characters of one text, and of a whole input or output: more than anybody reads; the API has the whole.
const LONGEST = 60_000
const LARGEST = 200_000

const block = (shown: string): Markup => html`<div class="text" dir="auto">${shown}</div>`

const preformatted = (shown: string): Markup => html`<pre>${shown}</pre>`

/**
 * A text as it is, with its line breaks.
 *
 * @param frame - puts what is shown into an element
 */
export const textView = (text: string, room: Room, frame: (shown: string) => Markup = block): Markup => {
  const shown = text.slice(0, Math.max(0, Math.min(room.left, LONGEST)))
  const hidden = text.length - shown.length
  room.left -= shown.length
  return html`${shown === '' && hidden > 0 ? '' : frame(shown)}${
    hidden > 0 ? html`<p class="cut">… ${formatCount(hidden)} more characters</p>` : ''
  }`
}

/** A text in which columns matter. */
export const preView = (text: string, room: Room): Markup => textView(text, room, preformatted)

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gu

const coloured = (json: string): ReadonlyArray<Markup | string> => {
  const pieces: Array<Markup | string> = []
  let from = 0
  for (const found of json.matchAll(TOKEN)) {
    const [whole, text, colon] = found
    pieces.push(json.slice(from, found.index))
    from = found.index + whole.length
    if (text === undefined) pieces.push(html`<span class="l">${whole}</span>`)
    else if (colon === undefined) pieces.push(html`<span class="s">${text}</span>`)
    else pieces.push(html`<span class="k">${text}</span>${colon}`)
  }
  return [...pieces, json.slice(from)]
}

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null

const jsonText = (value: unknown): string => JSON.stringify(value) ?? 'undefined'

// As `JSON.stringify` indents, but with a short list of plain values, or a vector, on one line. Piece by piece, because a
// deeply nested document indented whole would be many times as long as what is shown of it.
function* indented(value: unknown, indent = ''): Generator<string> {
  if (typeof value !== 'object' || value === null) return yield jsonText(value)
  if (Array.isArray(value)) {
    const line = value.every(isScalar) ? `[${value.map(jsonText).join(', ')}]` : undefined
    if (line !== undefined && (line.length <= 80 || value.every((one) => typeof one === 'number')))
      return yield line
  }
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  const inner = `${indent}  `
  let between = `${open}\n`
  for (const [key, one] of Object.entries(value)) {
    yield `${between}${inner}${Array.isArray(value) ? '' : `${JSON.stringify(key)}: `}`
    yield* indented(one, inner)
    between = ',\n'
  }
  yield between === ',\n' ? `\n${indent}${close}` : `${open}${close}`
}

const beginning = (pieces: Iterable<string>, most: number): string => {
  let text = ''
  for (const piece of pieces) {
    if (text.length > most) break
    text += piece
  }
  return text
}

// Characters. Colours make a text eight times as long.
const LONGEST_COLOURED = 5_000

/** A value as indented JSON. */
export const jsonView = (value: unknown, room: Room): Markup => {
  const most = Math.max(0, Math.min(room.left, LONGEST))
  const text = beginning(indented(value), most)
  const shown = text.slice(0, most)
  room.left -= shown.length
  return html`${shown === '' ? '' : html`<pre>${shown.length > LONGEST_COLOURED ? shown : coloured(shown)}</pre>`}${text.length > most ? html`<p class="cut">… and more</p>` : ''}`
}

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool'])

const partView = (part: unknown, room: Room): Markup => {
  if (!Fields.is(part)) return jsonView(part, room)
  if (typeof part.text === 'string') return textView(part.text, room)
  const image = Fields.is(part.image_url) ? part.image_url.url : part.image_url
  return typeof image === 'string'
    ? html`<div class="call"><b>image</b> <small>${shortened(image)}</small></div>`
    : jsonView(part, room)
}

/** What should be a word, and in a hostile trace may be anything. */
const wordOf = (value: unknown, otherwise: string): string =>
  shortened(typeof value === 'string' ? value : value == null ? otherwise : jsonText(value))

const callView = (call: unknown, room: Room): Markup => {
  const made = Fields.is(call) && Fields.is(call.function) ? call.function : undefined
  if (!Fields.is(call) || made === undefined) return jsonView(call, room)
  const args = typeof made.arguments === 'string' ? jsonOrText(made.arguments) : made.arguments
  const name = wordOf(made.name, 'function')
  const id = wordOf(call.id, '')
  const shown = typeof args === 'string' ? preView(args, room) : jsonView(args, room)
  return html`<div class="call"><b>${name}</b><small>${id}</small>${shown}</div>`
}

const isMessage = (value: unknown): value is Fields =>
  Fields.is(value) && typeof value.role === 'string' && ('content' in value || 'tool_calls' in value)

const messageContent = (role: string, content: unknown, room: Room): Markup | '' => {
  if (Array.isArray(content)) return each(content, room, partView)
  if (typeof content !== 'string' || content === '') return ''
  return role === 'tool' ? valueView(jsonOrText(content), room) : textView(content, room)
}

const messageView = (message: Fields, room: Room): Markup => {
  const { content, reasoning_content: reasoning, refusal, tool_calls: calls } = message
  const role = shortened(String(message.role))
  const look = role === 'developer' ? 'system' : ROLES.has(role) ? role : 'other'
  const answers =
    typeof message.tool_call_id === 'string' ? html` <small>${shortened(message.tool_call_id)}</small>` : ''
  const shown = [
    typeof reasoning === 'string' && reasoning !== ''
      ? html`<div class="thought">${textView(reasoning, room)}</div>`
      : '',
    messageContent(role, content, room),
    typeof refusal === 'string'
      ? textView(refusal, room, (text) => html`<div class="warn">${text}</div>`)
      : '',
    Array.isArray(calls) ? each(calls, room, callView) : '',
  ]
  return html`<div class="msg r-${look}"><h3>${role}${answers}</h3>${shown}</div>`
}

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')

const isLongText = (value: unknown): boolean =>
  typeof value === 'string' && (value.length > 60 || value.includes('\n'))

const hasLongText = (value: unknown): boolean =>
  isLongText(value) || (isTexts(value) && value.some(isLongText))

const fieldView = ([name, value]: readonly [string, unknown], room: Room): Markup => {
  const shown = isTexts(value) ? each(value, room, textView) : valueView(value, room)
  return html`<div class="field"><h3><bdi>${shortened(name)}</bdi></h3>${shown}</div>`
}

// What `respanGenerate` and Haystack's generators emit. People look for the texts.
const replyView = (
  { replies, ...others }: Fields & { readonly replies: ReadonlyArray<string> },
  room: Room,
): Markup => {
  const { messages, ...rest } = others
  // A reply without text is a tool call or a refusal, which only the message shows.
  const whole = replies.includes('') && isMessages(messages)
  const folded = whole ? rest : others
  const names = Object.keys(folded)
  const field = (reply: string): Markup => html`<div class="field">${textView(reply, room)}</div>`
  return html`${whole ? valueView(messages, room) : each(replies, room, field)}${
    names.length === 0
      ? ''
      : html`<details class="raw"><summary>${shortened(names.slice(0, 6).join(', '))}</summary>${jsonView(folded, room)}</details>`
  }`
}

const isReply = (value: unknown): value is Fields & { readonly replies: ReadonlyArray<string> } =>
  Fields.is(value) && isTexts(value.replies)

const isMessages = (value: unknown): value is ReadonlyArray<Fields> =>
  Array.isArray(value) && value.length > 0 && value.every(isMessage)

const valueView = (value: unknown, room: Room): Markup => {
  if (isReply(value)) return replyView(value, room)
  if (typeof value === 'string') return textView(value, room)
  if (isMessages(value)) return each(value, room, messageView)
  if (isMessage(value)) return messageView(value, room)
  const entries = Fields.is(value) ? Object.entries(value) : []
  // JSON escapes line breaks, so an object with long texts reads better field by field.
  if (
    entries.length > 0 &&
    entries.length <= 20 &&
    entries.some(([, inner]) => hasLongText(inner) || isMessages(inner))
  ) {
    return each(entries, room, fieldView)
  }
  return jsonView(value, room)
}

/**
 * A span's input or output: messages as a conversation, JSON by its structure, anything else as text.
 *
 * @param api - the path of the whole trace in the API, shown when there is no room for the content
 */
export const contentView = (text: string | undefined, api: string, room: Room): Markup => {
  if (text === undefined || text === '') return html`<span class="none">nothing recorded</span>`
  if (room.left <= 0) return html`<span class="none">content in the API: ${api}</span>`
  return atMost(LARGEST, room, (own) => valueView(jsonOrText(text), own))
}
