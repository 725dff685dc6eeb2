import { html } from 'hono/html'
import { Fields } from '../../codecs/Fields.js'
import { parsedJson } from '../parsedJson.js'
import { formatCount, shortened } from './format.js'
import type { Markup } from './layout.js'
import { always, atMost, each, framed, inOrder, type View } from './View.js'

// Of one text, and of a whole input or output, characters: more than anybody reads; the API gives the whole.
const LONGEST = 60_000
const LARGEST = 200_000

const block = (shown: string): Markup => html`<div class="text" dir="auto">${shown}</div>`

const preformatted = (shown: string): Markup => html`<pre>${shown}</pre>`

/**
 * A text as it is, with its line breaks.
 *
 * @param frame - what it stands in
 */
export const textView =
  (text: string, frame: (shown: string) => Markup = block): View =>
  (room) => {
    const shown = text.slice(0, Math.max(0, Math.min(room, LONGEST)))
    const hidden = text.length - shown.length
    return {
      markup: html`${shown === '' && hidden > 0 ? '' : frame(shown)}${
        hidden > 0 ? html`<p class="cut">… ${formatCount(hidden)} more characters</p>` : ''
      }`,
      room: room - shown.length,
    }
  }

/** A text in which columns matter. */
export const preView = (text: string): View => textView(text, preformatted)

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

// As `JSON.stringify` does it, but a short list of plain values, or a vector, on one line. Piece by piece: indented
// whole, a deeply nested document would be many times as long as what is shown of it.
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

// Colours make a text eight times as long.
const LONGEST_COLOURED = 5_000

/** A value as indented JSON. */
export const jsonView =
  (value: unknown): View =>
  (room) => {
    const most = Math.max(0, Math.min(room, LONGEST))
    const text = beginning(indented(value), most)
    const shown = text.slice(0, most)
    return {
      markup: html`${shown === '' ? '' : html`<pre>${shown.length > LONGEST_COLOURED ? shown : coloured(shown)}</pre>`}${text.length > most ? html`<p class="cut">… and more</p>` : ''}`,
      room: room - shown.length,
    }
  }

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool'])

const partView = (part: unknown): View => {
  if (!Fields.is(part)) return jsonView(part)
  if (typeof part.text === 'string') return textView(part.text)
  const image = Fields.is(part.image_url) ? part.image_url.url : part.image_url
  return typeof image === 'string'
    ? always(html`<div class="call"><b>image</b> <small>${shortened(image)}</small></div>`)
    : jsonView(part)
}

const callView = (call: unknown): View => {
  const made = Fields.is(call) && Fields.is(call.function) ? call.function : undefined
  if (!Fields.is(call) || made === undefined) return jsonView(call)
  const args = typeof made.arguments === 'string' ? parsedJson(made.arguments) : made.arguments
  const name = shortened(String(made.name ?? 'function'))
  const id = shortened(String(call.id ?? ''))
  return framed(
    typeof args === 'string' ? preView(args) : jsonView(args),
    (inner) => html`<div class="call"><b>${name}</b><small>${id}</small>${inner}</div>`,
  )
}

const isMessage = (value: unknown): value is Fields =>
  Fields.is(value) && typeof value.role === 'string' && ('content' in value || 'tool_calls' in value)

const messageContent = (role: string, content: unknown): View => {
  if (Array.isArray(content)) return each(content, partView)
  if (typeof content !== 'string' || content === '') return always('')
  return role === 'tool' ? valueView(parsedJson(content)) : textView(content)
}

const messageView = (message: Fields): View => {
  const { content, reasoning_content: reasoning, refusal, tool_calls: calls } = message
  const role = shortened(String(message.role))
  const look = role === 'developer' ? 'system' : ROLES.has(role) ? role : 'other'
  const answers =
    typeof message.tool_call_id === 'string' ? html` <small>${shortened(message.tool_call_id)}</small>` : ''
  const views = [
    typeof reasoning === 'string' && reasoning !== ''
      ? framed(textView(reasoning), (inner) => html`<div class="thought">${inner}</div>`)
      : always(''),
    messageContent(role, content),
    typeof refusal === 'string'
      ? textView(refusal, (shown) => html`<div class="warn">${shown}</div>`)
      : always(''),
    Array.isArray(calls) ? each(calls, callView) : always(''),
  ]
  return framed(
    inOrder(views),
    (inner) => html`<div class="msg r-${look}"><h3>${role}${answers}</h3>${inner}</div>`,
  )
}

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')

const isLongText = (value: unknown): boolean =>
  typeof value === 'string' && (value.length > 60 || value.includes('\n'))

const hasLongText = (value: unknown): boolean =>
  isLongText(value) || (isTexts(value) && value.some(isLongText))

const fieldView = ([name, value]: readonly [string, unknown]): View =>
  framed(
    isTexts(value) ? each(value, textView) : valueView(value),
    (inner) => html`<div class="field"><h3><bdi>${shortened(name)}</bdi></h3>${inner}</div>`,
  )

// What `respanGenerate` and Haystack's generators emit: the texts are what people look for.
const replyView = ({ replies, ...others }: Fields & { readonly replies: ReadonlyArray<string> }): View => {
  const { messages, ...rest } = others
  // A reply without text is a tool call or a refusal, which only its message shows.
  const whole = replies.includes('') && isMessages(messages)
  const folded = whole ? rest : others
  const names = Object.keys(folded)
  const field = (reply: string): View =>
    framed(textView(reply), (inner) => html`<div class="field">${inner}</div>`)
  return inOrder([
    whole ? valueView(messages) : each(replies, field),
    names.length === 0
      ? always('')
      : framed(
          jsonView(folded),
          (inner) =>
            html`<details class="raw"><summary>${shortened(names.slice(0, 6).join(', '))}</summary>${inner}</details>`,
        ),
  ])
}

const isReply = (value: unknown): value is Fields & { readonly replies: ReadonlyArray<string> } =>
  Fields.is(value) && isTexts(value.replies)

const isMessages = (value: unknown): value is ReadonlyArray<Fields> =>
  Array.isArray(value) && value.length > 0 && value.every(isMessage)

const valueView = (value: unknown): View => {
  if (isReply(value)) return replyView(value)
  if (typeof value === 'string') return textView(value)
  if (isMessages(value)) return each(value, messageView)
  if (isMessage(value)) return messageView(value)
  const entries = Fields.is(value) ? Object.entries(value) : []
  // JSON escapes the line breaks of a text; an object with long texts reads better field by field.
  if (
    entries.length > 0 &&
    entries.length <= 20 &&
    entries.some(([, inner]) => hasLongText(inner) || isMessages(inner))
  ) {
    return each(entries, fieldView)
  }
  return jsonView(value)
}

/**
 * A span's input or output: messages as a conversation, JSON by its structure, anything else as text.
 *
 * @param api - where the whole is to be had when there is no room for it
 */
export const contentView =
  (text: string | undefined, api: string): View =>
  (room) => {
    if (text === undefined || text === '')
      return { markup: html`<span class="none">nothing recorded</span>`, room }
    if (room <= 0) return { markup: html`<span class="none">content in the API: ${api}</span>`, room }
    return atMost(LARGEST, valueView(parsedJson(text)))(room)
  }
