import { html } from 'hono/html'
import { Fields } from '../../codecs/Fields.js'
import { parsedJson } from '../traceView.js'
import type { Markup } from './layout.js'

// A page with megabytes in it helps nobody; the API gives the whole.
const LONGEST = 60_000

const cut = (text: string): { readonly shown: string; readonly note: Markup | '' } =>
  text.length <= LONGEST
    ? { shown: text, note: '' }
    : {
        shown: text.slice(0, LONGEST),
        note: html`<p class="cut">… ${(text.length - LONGEST).toLocaleString('en-US')} more characters</p>`,
      }

/** A text as it is, with its line breaks. */
export const textView = (text: string): Markup => {
  const { note, shown } = cut(text)
  return html`<div class="text" dir="auto">${shown}</div>${note}`
}

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

// As `JSON.stringify` does it, but a short list of plain values, or a vector, on one line.
const indented = (value: unknown, indent = ''): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    const line = value.every(isScalar) ? `[${value.map((one) => JSON.stringify(one)).join(', ')}]` : undefined
    if (line !== undefined && (line.length <= 80 || value.every((one) => typeof one === 'number')))
      return line
    return value.length === 0
      ? '[]'
      : `[\n${value.map((one) => `${inner}${indented(one, inner)}`).join(',\n')}\n${indent}]`
  }
  const entries = Object.entries(value)
  return entries.length === 0
    ? '{}'
    : `{\n${entries.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${indented(one, inner)}`).join(',\n')}\n${indent}}`
}

/** A value as indented JSON. */
export const jsonView = (value: unknown): Markup => {
  const { note, shown } = cut(indented(value))
  return html`<pre>${coloured(shown)}</pre>${note}`
}

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool'])

const partView = (part: unknown): Markup => {
  if (!Fields.is(part)) return jsonView(part)
  if (typeof part.text === 'string') return textView(part.text)
  const image = Fields.is(part.image_url) ? part.image_url.url : part.image_url
  return typeof image === 'string'
    ? html`<div class="call"><b>image</b> <small>${image.slice(0, 200)}${image.length > 200 ? '…' : ''}</small></div>`
    : jsonView(part)
}

const callView = (call: unknown): Markup => {
  const made = Fields.is(call) && Fields.is(call.function) ? call.function : undefined
  if (!Fields.is(call) || made === undefined) return jsonView(call)
  const args = typeof made.arguments === 'string' ? parsedJson(made.arguments) : made.arguments
  return html`<div class="call"><b>${String(made.name ?? 'function')}</b><small>${String(call.id ?? '')}</small>${
    typeof args === 'string' ? html`<pre>${args}</pre>` : jsonView(args)
  }</div>`
}

const isMessage = (value: unknown): value is Fields =>
  Fields.is(value) && typeof value.role === 'string' && ('content' in value || 'tool_calls' in value)

const messageView = (message: Fields): Markup => {
  const { content, reasoning_content: reasoning, refusal, tool_calls: calls } = message
  const role = String(message.role)
  const look = role === 'developer' ? 'system' : ROLES.has(role) ? role : 'other'
  const answers =
    typeof message.tool_call_id === 'string' ? html` <small>${message.tool_call_id}</small>` : ''
  return html`<div class="msg r-${look}"><h3>${role}${answers}</h3>${
    typeof reasoning === 'string' && reasoning !== ''
      ? html`<div class="thought">${textView(reasoning)}</div>`
      : ''
  }${
    Array.isArray(content)
      ? content.map(partView)
      : typeof content === 'string' && content !== ''
        ? role === 'tool'
          ? valueView(parsedJson(content))
          : textView(content)
        : ''
  }${typeof refusal === 'string' ? html`<div class="warn">${refusal}</div>` : ''}${
    Array.isArray(calls) ? calls.map(callView) : ''
  }</div>`
}

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')

const isLongText = (value: unknown): boolean =>
  typeof value === 'string' && (value.length > 60 || value.includes('\n'))

const hasLongText = (value: unknown): boolean =>
  isLongText(value) || (isTexts(value) && value.some(isLongText))

const fieldView = (name: string, value: unknown): Markup =>
  html`<div class="field"><h3><bdi>${name}</bdi></h3>${isTexts(value) ? value.map(textView) : valueView(value)}</div>`

// What `respanGenerate` and Haystack's generators emit: the texts are what people look for.
const replyView = ({ replies, ...others }: Fields & { readonly replies: ReadonlyArray<string> }): Markup => {
  const { messages, ...rest } = others
  // A reply without text is a tool call or a refusal, which only its message shows.
  const whole = replies.includes('') && isMessages(messages)
  const folded = whole ? rest : others
  const names = Object.keys(folded)
  return html`${
    whole ? valueView(messages) : replies.map((reply) => html`<div class="field">${textView(reply)}</div>`)
  }${
    names.length === 0
      ? ''
      : html`<details class="raw"><summary>${names.slice(0, 6).join(', ')}</summary>${jsonView(folded)}</details>`
  }`
}

const isReply = (value: unknown): value is Fields & { readonly replies: ReadonlyArray<string> } =>
  Fields.is(value) && isTexts(value.replies)

const valueView = (value: unknown): Markup => {
  if (isReply(value)) return replyView(value)
  if (typeof value === 'string') return textView(value)
  if (Array.isArray(value) && value.length > 0 && value.every(isMessage))
    return html`${value.map(messageView)}`
  if (isMessage(value)) return messageView(value)
  const entries = Fields.is(value) ? Object.entries(value) : []
  // JSON escapes the line breaks of a text; an object with long texts reads better field by field.
  if (
    entries.length > 0 &&
    entries.length <= 20 &&
    entries.some(([, inner]) => hasLongText(inner) || isMessages(inner))
  ) {
    return html`${entries.map(([name, inner]) => fieldView(name, inner))}`
  }
  return jsonView(value)
}

const isMessages = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(isMessage)

/** A span's input or output: messages as a conversation, JSON by its structure, anything else as text. */
export const contentView = (text: string | undefined): Markup => {
  if (text === undefined || text === '') return html`<span class="none">nothing recorded</span>`
  return valueView(parsedJson(text))
}
