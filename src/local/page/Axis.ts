import { html } from 'hono/html'
import type { TraceView } from '../traceView.js'
import { formatDuration } from './format.js'
import type { Markup } from './layout.js'

/** The time axis of a trace. */
export interface Axis {
  /** ms since the epoch. */
  readonly start: number
  /** ms. */
  readonly duration: number
  /** Where it has marks, ms after the start. */
  readonly ticks: ReadonlyArray<number>
}

// Round numbers from 0 up to the duration, four to eight of them.
const ticksFor = (duration: number): ReadonlyArray<number> => {
  if (!(duration > 0) || !Number.isFinite(duration)) return [0]
  const rough = duration / 5
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude
  return Array.from({ length: Math.floor(duration / step + 1e-9) + 1 }, (_, index) => index * step)
}

/** The axis of a trace. */
export const axisOf = ({ end, start }: TraceView): Axis => {
  const duration = end - start
  return { start, duration, ticks: ticksFor(duration) }
}

/** Where a time, ms after the start, lies on the axis, from 0 to 100. */
export const percent = (ms: number, { duration }: Axis): number =>
  duration > 0 && Number.isFinite(duration) ? Math.min(100, Math.max(0, (ms / duration) * 100)) : 0

/** A place on the axis, or a width, as the value of an attribute. */
export const percentText = (percentage: number): string => `${Number(percentage.toFixed(3))}%`

/** The vertical lines of the axis, drawn in each row. */
export const gridLines = (axis: Axis): ReadonlyArray<Markup> =>
  axis.ticks.map((tick) => {
    const x = percentText(percent(tick, axis))
    return html`<line class="tick" x1="${x}" x2="${x}" y1="0" y2="100%"/>`
  })

/** The head of the waterfall, with the marks of the axis. */
export const axisView = (axis: Axis): Markup =>
  html`<div class="axis"><span>Span</span><svg height="34" aria-hidden="true">${axis.ticks.map((tick) => {
    const x = percent(tick, axis)
    const anchor = tick === 0 ? 'start' : x > 96 ? 'end' : 'middle'
    return html`<text x="${percentText(x)}" y="21" text-anchor="${anchor}">${tick === 0 ? '0' : formatDuration(tick)}</text>`
  })}</svg><span class="num">Duration</span><span class="num">Tokens in → out</span></div>`
