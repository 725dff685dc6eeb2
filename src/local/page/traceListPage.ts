import { html } from 'hono/html'
import type { TraceView } from '../traceView.js'
import { formatCost, formatCount, formatDuration, formatTime, formatTokens, shortened } from './format.js'
import { layout, type Markup, type PageRequest } from './layout.js'
import { failures, statusPill } from './status.js'

const example = (host: string): string => `# a program that sets neither a gateway nor a sink
RESPAN_BASE_URL=http://${host} node app.js

# or, from any process, in any language
POST http://${host}/api/v1/traces/ingest`

const empty = (host: string): Markup =>
  html`<div class="card empty"><p>No trace has arrived yet. Point a program at this server, and its traces will appear here.</p><pre>${example(host)}</pre></div>`

const row = (trace: TraceView, longest: number): Markup => {
  const href = `/traces/${encodeURIComponent(trace.id)}`
  const duration = trace.end - trace.start
  const width = longest > 0 ? Math.max(1, (duration / longest) * 100) : 1
  const tokens = trace.promptTokens + trace.completionTokens
  const cell = (content: Markup | string): Markup | '' =>
    content === '' ? '' : html`<a href="${href}" tabindex="-1">${content}</a>`
  const bar = html`<svg height="8" aria-hidden="true" class="${trace.status === 'error' ? 'bad' : 't-chat'}"><rect class="bar" width="${Number(width.toFixed(2))}%" height="8" rx="2"/></svg>`
  const cells = [
    html`<td class="title"><a href="${href}"><bdi>${shortened(trace.name)}</bdi><small>${shortened(trace.id)}</small></a></td>`,
    html`<td>${cell(statusPill(trace.status))}</td>`,
    html`<td>${cell(formatTime(trace.start))}</td>`,
    html`<td class="long">${cell(html`<span>${formatDuration(duration)}</span>${bar}`)}</td>`,
    html`<td class="r">${cell(html`${failures(trace.errors)} ${formatCount(trace.rows.length)}`)}</td>`,
    html`<td class="r">${cell(tokens === 0 ? '' : formatTokens(tokens, trace))}</td>`,
    html`<td class="r">${cell(trace.cost === undefined ? '' : formatCost(trace.cost))}</td>`,
  ]
  return html`<tr>${cells}</tr>`
}

/** Where the list reloads by itself, and where it stays as it is. */
const LIVE = '/traces'
const STILL = '/traces?still'

const SECONDS = 3

// Each reload loses a reader's place: the keyboard's focus, and what is selected.
const liveliness = (isStill: boolean): Markup =>
  isStill
    ? html`<p class="live">Not reloading. <a href="${LIVE}">Resume</a></p>`
    : html`<p class="live">Reloads every ${SECONDS} s. <a href="${STILL}">Stop</a></p>`

/** The page of all traces kept, the newest first. It reloads every few seconds, unless told to stay still. */
export const traceListPage = (
  traces: ReadonlyArray<TraceView>,
  total: number,
  { host, isStill }: PageRequest,
): Markup => {
  const longest = traces.reduce((most, { end, start }) => Math.max(most, end - start), 0)
  return layout({
    title: 'Traces',
    host,
    ...(isStill ? {} : { refresh: SECONDS }),
    content: html`<h1>Traces<span class="count">${total > traces.length ? `the newest ${formatCount(traces.length)} of ${formatCount(total)}` : total > 0 ? formatCount(total) : ''}</span></h1>${liveliness(isStill)}${
      traces.length === 0
        ? empty(host)
        : html`<div class="card list"><table><thead><tr><th>Trace</th><th>Status</th><th>Started (UTC)</th><th>Duration</th><th class="r">Spans</th><th class="r">Tokens</th><th class="r">Cost</th></tr></thead><tbody>${traces.map(
            (trace) => row(trace, longest),
          )}</tbody></table></div>`
    }`,
  })
}
