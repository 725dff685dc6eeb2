import { html } from 'hono/html'
import type { TraceView } from '../traceView.js'
import { formatCount } from './format.js'
import type { Markup } from './layout.js'

const STATUS: Readonly<Record<TraceView['status'], string>> = {
  ok: 'OK',
  error: 'Failed',
  cancelled: 'Cancelled',
  incomplete: 'Incomplete',
}

/** How a trace ended, as a coloured word. */
export const statusPill = (status: TraceView['status']): Markup =>
  html`<span class="pill ${status}">${STATUS[status]}</span>`

/** How many spans failed, in red; nothing when none did. */
export const failures = (errors: number): Markup | '' =>
  errors === 0 ? '' : html`<small class="bad">${formatCount(errors)} failed</small>`
