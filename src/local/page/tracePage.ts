import { html } from 'hono/html'
import { identifierOf, type TraceView } from '../traceView.js'
import { axisOf, axisView } from './Axis.js'
import { contentView } from './contentView.js'
import { formatCost, formatCount, formatDuration, formatTime, formatTokens, shortened } from './format.js'
import { layout, type Markup, type PageRequest } from './layout.js'
import type { Room } from './Room.js'
import { spanView } from './spanView.js'
import { failures, statusPill } from './status.js'

const stat = (name: string, value: string | undefined, detail: Markup | '' = ''): Markup | '' =>
  value === undefined ? '' : html`<div><dt>${name}</dt><dd><bdi>${value}</bdi> ${detail}</dd></div>`

const textOf = (id: string | number | undefined): string | undefined =>
  id === undefined ? undefined : shortened(String(id))

const header = (trace: TraceView): Markup => {
  const total = trace.promptTokens + trace.completionTokens
  const stats = [
    stat('Duration', formatDuration(trace.end - trace.start)),
    stat('Started (UTC)', formatTime(trace.start)),
    stat('Spans', formatCount(trace.rows.length), failures(trace.errors)),
    stat('Model calls', trace.modelCalls === 0 ? undefined : formatCount(trace.modelCalls)),
    stat(
      'Tokens',
      total === 0 ? undefined : formatTokens(total, trace),
      html`<small>${formatTokens(trace.promptTokens, trace)} in, ${formatTokens(trace.completionTokens, trace)} out</small>`,
    ),
    stat('Cost', trace.cost === undefined ? undefined : formatCost(trace.cost)),
    stat('Customer', textOf(identifierOf(trace, 'customer_identifier'))),
    stat('Thread', textOf(identifierOf(trace, 'thread_identifier'))),
  ]
  return html`<h1><bdi>${shortened(trace.name)}</bdi>${statusPill(trace.status)}</h1>
<div class="id">${trace.id}</div>
<dl class="stats">${stats}</dl>`
}

const ends = (trace: TraceView, api: string, room: Room): Markup | '' => {
  const root = trace.root?.span
  // Until the root arrives, the first span stands in for it, but its input and output are not the trace's.
  if (trace.status === 'incomplete' || trace.rows.length < 2 || !(root?.input || root?.output)) return ''
  const card = (title: string, text: string | undefined): Markup =>
    html`<section class="card"><h2>${title}</h2><div class="content">${contentView(text, api, room)}</div></section>`
  return html`<div class="io ends">${card('Input', root.input)}${card('Output', root.output)}</div>`
}

// Rows, and characters of content: more than anybody reads; the API has the rest.
const MOST_ROWS = 2_000
const MOST_CONTENT = 2_000_000

// Reloading folds what a reader has opened.
const waiting = (trace: TraceView, isStill: boolean): Markup => {
  const href = `/traces/${encodeURIComponent(trace.id)}`
  return isStill
    ? html`<p class="wait">The root of this trace had not arrived when this page was loaded. <a href="${href}">Resume</a></p>`
    : html`<p class="wait">The root of this trace has not arrived; the page reloads until it has. <a href="${href}?still">Stop</a></p>`
}

/**
 * The page of one trace: its totals, its input and output, and the waterfall of its spans. It reloads while the root is
 * missing, unless told to stay still.
 */
export const tracePage = (trace: TraceView, { host, isStill }: PageRequest): Markup => {
  const axis = axisOf(trace)
  const hidden = trace.rows.length - MOST_ROWS
  const api = `/api/traces/${encodeURIComponent(trace.id)}`
  const room: Room = { left: MOST_CONTENT }
  const whole = ends(trace, api, room)
  const rows = trace.rows.slice(0, MOST_ROWS).map((row) => spanView(row, axis, api, room))
  const fall = html`<div class="card fall">${axisView(axis)}${rows}${
    hidden > 0 ? html`<p class="more">${formatCount(hidden)} more spans are not shown.</p>` : ''
  }</div>`
  return layout({
    title: `${shortened(trace.name)} · trace`,
    crumb: 'Traces',
    host,
    // A trace whose root is missing is still under way.
    ...(trace.status === 'incomplete' && !isStill ? { refresh: 2 } : {}),
    content: html`${header(trace)}${trace.status === 'incomplete' ? waiting(trace, isStill) : ''}${whole}${fall}`,
  })
}
