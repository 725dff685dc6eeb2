import type { Span, SpanStatus } from '../tracing/SpanEvent.js'

/** How a trace is written. */
export interface RenderOptions {
  /** ANSI colours; default false. */
  readonly colors?: boolean
}

const MAX_NAME = 60
const MAX_MESSAGE = 100

// Control characters could drive a terminal, bidirectional marks reorder what it shows.
const UNPRINTABLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu

const printable = (text: string, length: number): string => {
  const characters = Array.from(
    text
      .slice(0, length * 4)
      .replace(UNPRINTABLE, ' ')
      .trim(),
  )
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : characters.join('')
}

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u
const MARK = /\p{M}/u

/** Columns that a text takes in a terminal. */
const widthOf = (text: string): number => {
  let width = 0
  for (const character of text) width += MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))
const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - widthOf(text))) + text

/** A duration for people: `0.4 ms`, `12 ms`, `1.25 s`, `2 min 05 s`. */
const duration = (ms: number): string => {
  if (!(ms >= 0)) return '?'
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${ms.toFixed(0)} ms`
  const seconds = ms / 1000
  if (seconds < 59.995) return `${seconds.toFixed(2)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

const money = (usd: number): string => `$${usd >= 0.01 ? usd.toFixed(2) : usd.toPrecision(2)}`

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

const tokensOf = ({ generation, totals }: Span): string => {
  if (generation !== undefined) {
    const { usage, usageSource, cost } = generation
    if (usage === undefined) return ''
    const about = usageSource === 'estimated' ? '~' : ''
    const price = cost === undefined ? '' : ` ${money(cost)}`
    return `${about}${usage.prompt_tokens} → ${about}${usage.completion_tokens} tokens${price}`
  }
  if (totals === undefined) return ''
  const price = totals.cost === undefined ? '' : ` ${money(totals.cost)}`
  return `Σ ${totals.prompt_tokens} → ${totals.completion_tokens} tokens${price}`
}

const failureOf = ({ error }: Span): string => {
  if (error === undefined) return ''
  const message = error.message === undefined ? '' : `: ${printable(error.message, MAX_MESSAGE)}`
  return ` ${error.status} ${printable(error.tag, MAX_NAME)}${message}`
}

const statusOf = (span: Span): string =>
  [
    `${span.status}${span.status === 'ok' ? '' : failureOf(span)}`,
    ...(span.leftEarly === true ? ['left early'] : []),
    ...(span.generation?.stream === true && span.firstOutputAt !== undefined
      ? [`first token after ${duration(span.firstOutputAt - span.startedAt)}`]
      : []),
    ...(span.generation?.attempts !== undefined && span.generation.attempts > 1
      ? [count(span.generation.attempts, 'attempt')]
      : []),
  ].join(', ')

interface Line {
  readonly branch: string
  readonly span: Span
}

const byStart = (first: Span, second: Span): number => first.startedAt - second.startedAt

const keyOf = (traceId: string, spanId: string | undefined): string => `${traceId}/${spanId ?? ''}`

/** The spans as lines of a tree; what is its own ancestor, or has an unknown parent, stands at the top. */
const lay = (spans: ReadonlyArray<Span>): ReadonlyArray<Line> => {
  const known = new Set(spans.map(({ traceId, spanId }) => keyOf(traceId, spanId)))
  const children = new Map<string, Array<Span>>()
  const tops: Array<Span> = []
  for (const span of [...spans].sort(byStart)) {
    const parent = keyOf(span.traceId, span.parentId)
    const siblings = span.parentId === undefined || !known.has(parent) ? tops : (children.get(parent) ?? [])
    siblings.push(span)
    if (siblings !== tops) children.set(parent, siblings)
  }
  const lines: Array<Line> = []
  const seen = new Set<Span>()
  // An explicit stack: a trace may be deeper than the call stack.
  const walk = (top: Span): void => {
    const stack: Array<{ readonly span: Span; readonly branch: string; readonly indent: string }> = [
      { span: top, branch: '', indent: '' },
    ]
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      const { span, branch, indent } = entry
      if (seen.has(span)) continue
      seen.add(span)
      lines.push({ branch, span })
      const below = children.get(keyOf(span.traceId, span.spanId)) ?? []
      for (const [index, child] of [...below].reverse().entries())
        stack.push({
          span: child,
          branch: `${indent}${index === 0 ? '└─ ' : '├─ '}`,
          indent: `${indent}${index === 0 ? '   ' : '│  '}`,
        })
    }
  }
  tops.forEach(walk)
  spans.forEach(walk)
  return lines
}

const STATUS_COLOR: Readonly<Record<SpanStatus, number>> = { ok: 32, error: 31, cancelled: 33, truncated: 33 }

/**
 * Writes finished spans as a tree, one line each: name, type, duration, tokens and cost, model, how it ended. Columns
 * are aligned; names and messages are stripped of control characters and cut.
 *
 * Pure. Children stand below their parent in the order of their start; a span whose parent is not among the spans
 * stands at the top. The lines are joined by `\n`; without spans the text is empty.
 *
 * @param spans - of one trace, in any order
 */
export const renderTrace = (spans: ReadonlyArray<Span>, { colors = false }: RenderOptions = {}): string => {
  const paint = (code: number, text: string): string =>
    colors && text.trim() !== '' ? `\u001b[${code}m${text}\u001b[0m` : text
  const rows = lay(spans).map(({ branch, span }) => ({
    span,
    branch,
    name: printable(span.name, MAX_NAME),
    type: span.type,
    duration: duration(span.endedAt - span.startedAt),
    tokens: tokensOf(span),
    model: printable(span.generation?.model ?? '', MAX_NAME),
    status: statusOf(span),
  }))
  const widest = (cell: (row: (typeof rows)[number]) => string): number =>
    rows.reduce((width, row) => Math.max(width, widthOf(cell(row))), 0)
  const nameWidth = widest(({ branch, name }) => branch + name)
  const typeWidth = widest(({ type }) => type)
  const durationWidth = widest((row) => row.duration)
  const tokensWidth = widest(({ tokens }) => tokens)
  const modelWidth = widest(({ model }) => model)
  const cells = (row: (typeof rows)[number]): ReadonlyArray<string> => {
    const { span, branch, name, status } = row
    const title = pad(name, nameWidth - widthOf(branch))
    return [
      paint(2, branch) + (branch === '' ? paint(1, title) : title),
      paint(2, pad(row.type, typeWidth)),
      padStart(row.duration, durationWidth),
      ...(tokensWidth === 0 ? [] : [pad(row.tokens, tokensWidth)]),
      ...(modelWidth === 0 ? [] : [paint(36, pad(row.model, modelWidth))]),
      paint(STATUS_COLOR[span.status], status),
    ]
  }
  return rows.map((row) => cells(row).join('  ').trimEnd()).join('\n')
}
