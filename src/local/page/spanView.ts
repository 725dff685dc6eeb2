import { html } from 'hono/html'
import { Fields } from '../../codecs/Fields.js'
import type { SpanView } from '../traceView.js'
import { type Axis, gridLines, percent, percentText } from './Axis.js'
import { contentView, jsonView, preView, textView } from './contentView.js'
import { formatCost, formatCount, formatDuration, formatTokens, shortened } from './format.js'
import type { Markup } from './layout.js'
import { each, type Room } from './Room.js'

const GROUPS: Readonly<Record<string, string>> = {
  workflow: 'workflow',
  chat: 'chat',
  completion: 'chat',
  response: 'chat',
  generation: 'chat',
  text: 'chat',
  tool: 'tool',
  function: 'tool',
  task: 'task',
  agent: 'agent',
  handoff: 'agent',
  embedding: 'embedding',
}

const typeOf = ({ span }: SpanView): string => span.log_type ?? 'chat'

const rect = (kind: string, from: number, to: number): Markup =>
  html`<rect class="bar${kind}" x="${percentText(from)}" width="${percentText(to - from)}" y="12" height="14" rx="3"/>`

// Attributes, not styles: the page's policy forbids inline styles.
const lane = (view: SpanView, axis: Axis): Markup => {
  const from = percent(view.start - axis.start, axis)
  // Wide enough to be seen, and not past the end.
  const width = Math.max(0.35, percent(view.end - axis.start, axis) - from)
  const left = Math.min(from, 100 - width)
  const first = view.firstToken === undefined ? undefined : percent(view.firstToken - axis.start, axis)
  const waits = first !== undefined && first > left && first < left + width
  const title = [
    `starts at ${formatDuration(Math.max(0, view.start - axis.start))}`,
    `takes ${formatDuration(view.end - view.start)}`,
    ...(view.firstToken === undefined
      ? []
      : [`first token after ${formatDuration(view.firstToken - view.start)}`]),
  ].join(', ')
  const tint = view.status === 'cancelled' ? ' void' : ''
  return html`<svg height="38" role="img"><title>${title}</title>${gridLines(axis)}${
    waits
      ? html`${rect(' wait', left, left + width)}${rect(tint, first, left + width)}<line class="mark" x1="${percentText(first)}" x2="${percentText(first)}" y1="9" y2="29"/>`
      : rect(tint, left, left + width)
  }</svg>`
}

const fact = (name: string, value: unknown): Markup | '' =>
  value === undefined || value === null || value === ''
    ? ''
    : html`<div><dt>${name}</dt><dd><bdi>${shortened(String(value))}</bdi></dd></div>`

const tokens = (view: SpanView): Markup | '' => {
  const { completionTokens: output, promptTokens: input } = view
  return input === undefined && output === undefined
    ? ''
    : html`${formatTokens(input ?? 0, view)}${output === undefined ? '' : html`<span class="arrow">→</span>${formatTokens(output, view)}`}`
}

// Where this library's spans, and those of others, keep an error's stack.
const STACKS = ['error_stack', 'stack', 'error.stack', 'exception.stacktrace', 'stacktrace']

const stackOf = ({ metadata, properties }: SpanView['span']): unknown => {
  const own = properties?.respan_error
  return [Fields.is(own) ? own.stack : undefined, ...STACKS.map((key) => metadata?.[key])].find(
    (value) => typeof value === 'string',
  )
}

const strong = (shown: string): Markup => html`<strong>${shown}</strong>`

const failure = ({ span, status }: SpanView, room: Room): Markup | '' => {
  if (status !== 'error') return ''
  const stack = stackOf(span)
  const message = textView(span.error_message ?? 'Failed without a message', room, strong)
  return html`<div class="fault">${message}${typeof stack === 'string' ? preView(stack, room) : ''}</div>`
}

const plain = (shown: string): Markup => html`<bdi>${shown}</bdi>`

const warning = ({ span }: SpanView, room: Room): Markup | '' => {
  const { warnings } = span
  if (warnings === undefined || warnings === '') return ''
  const shown = typeof warnings === 'string' ? textView(warnings, room, plain) : jsonView(warnings, room)
  return html`<div class="warn">${shown}</div>`
}

const facts = (view: SpanView, axis: Axis): Markup => {
  const { cost, firstToken, promptTokens, completionTokens, span } = view
  const counted = promptTokens !== undefined || completionTokens !== undefined
  const reasoning = span.reasoning_tokens ?? span.usage?.completion_tokens_details?.reasoning_tokens
  const seconds = (view.end - (firstToken ?? view.start)) / 1000
  const rate =
    firstToken !== undefined && completionTokens !== undefined && seconds > 0
      ? completionTokens / seconds
      : undefined
  const all = [
    fact('type', typeOf(view)),
    fact('model', span.model),
    fact('provider', span.provider_id),
    fact('starts at', formatDuration(Math.max(0, view.start - axis.start))),
    fact('takes', formatDuration(view.end - view.start)),
    fact('first token after', firstToken === undefined ? undefined : formatDuration(firstToken - view.start)),
    fact(
      'tokens',
      counted
        ? `${formatTokens(promptTokens ?? 0, view)} in, ${formatTokens(completionTokens ?? 0, view)} out`
        : undefined,
    ),
    fact('reasoning tokens', reasoning || undefined),
    fact('tokens per second', rate === undefined ? undefined : formatCount(Math.round(rate))),
    fact('cost', cost === undefined ? undefined : formatCost(cost)),
    fact('status', span.status_code),
    fact('prompt', span.prompt_id),
    fact('customer', span.customer_identifier),
    fact('thread', span.thread_identifier),
    fact('span', span.span_unique_id),
  ]
  return html`<dl class="facts">${all}</dl>`
}

const jsonOf = (value: unknown): string | undefined => JSON.stringify(value)

const metadataView = ({ span }: SpanView, room: Room): Markup | '' => {
  const entries = Object.entries(span.metadata ?? {}).filter(([key]) => !STACKS.includes(key))
  if (entries.length === 0) return ''
  const entry = ([key, value]: readonly [string, unknown]): Markup => {
    const text = typeof value === 'string' ? value : (jsonOf(value) ?? '')
    return html`<div><dt><bdi>${shortened(key)}</bdi></dt><dd>${textView(text, room, plain)}</dd></div>`
  }
  return html`<section><h2>Metadata</h2><dl class="facts">${each(entries, room, entry)}</dl></section>`
}

const folded = (title: string, fields: Fields, room: Room): Markup =>
  html`<details class="raw"><summary>${title}</summary>${jsonView(fields, room)}</details>`

const propertiesView = ({ span }: SpanView, room: Room): Markup | '' => {
  const entries = Object.entries(span.properties ?? {}).filter(([key]) => key !== 'respan_error')
  return entries.length === 0 ? '' : folded('Properties', Object.fromEntries(entries), room)
}

const section = (title: string, content: Markup): Markup =>
  html`<section><h2>${title}</h2><div class="content">${content}</div></section>`

const body = (view: SpanView, axis: Axis, api: string, room: Room): Markup => {
  const { input, output, prompt_messages, completion_message, metadata, properties, ...rest } = view.span
  const given = input ?? jsonOf(prompt_messages)
  const made = output === undefined || output === '' ? jsonOf(completion_message) : output
  const shown = [
    failure(view, room),
    warning(view, room),
    facts(view, axis),
    html`<div class="io">${section('Input', contentView(given, api, room))}${section('Output', contentView(made, api, room))}</div>`,
    metadataView(view, room),
    propertiesView(view, room),
    folded('All other fields as sent', rest, room),
  ]
  return html`<div class="body">${shown}</div>`
}

/** How a span ended, where the row's colour doesn't say. */
const ending = ({ status, span }: SpanView): string => {
  if (status === 'cancelled') return ' · cancelled'
  return span.metadata?.error_tag === 'StreamInterrupted' ? ' · truncated' : ''
}

const row = (view: SpanView, axis: Axis): Markup => {
  const name = shortened(view.name)
  const depth = Array.from({ length: Math.min(view.depth, 16) }, () => html`<i></i>`)
  const kind = `${shortened(view.span.model ?? typeOf(view))}${ending(view)}`
  const cells = [
    html`<span class="name">${depth}<span class="caret"></span><span class="dot"></span><bdi class="label" title="${name}">${name}</bdi><bdi class="kind">${kind}</bdi></span>`,
    html`<span class="lane">${lane(view, axis)}</span>`,
    html`<span class="num">${formatDuration(view.end - view.start)}</span>`,
    html`<span class="num tokens">${tokens(view)}</span>`,
  ]
  return html`<summary>${cells}</summary>`
}

/**
 * One span of the waterfall: a row, which opens to show what went in and came out.
 *
 * @param api - the path of the whole trace in the API
 */
export const spanView = (view: SpanView, axis: Axis, api: string, room: Room): Markup => {
  const group = GROUPS[typeOf(view)] ?? 'other'
  const failed = view.status === 'error'
  const isOpen = failed && view.children.every(({ status }) => status !== 'error')
  return html`<details class="span t-${group}${failed ? ' bad' : ''}"${isOpen ? html` open` : ''}>${row(view, axis)}${body(view, axis, api, room)}</details>`
}
