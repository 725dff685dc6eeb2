import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import type { Span, SpanStatus } from '../tracing/SpanEvent.js'
import { grouped } from '../util/grouped.js'
import { counted } from './counted.js'
import { printable } from './printable.js'

/** How a trace is written. */
export interface RenderOptions {
  /** Whether to use ANSI colours. Default false. */
  readonly colors?: boolean
  /**
   * Maximum width of a line, in columns. A wider tree leaves out the types, then shortens or leaves out the models, and
   * lines that are still too long are cut. Default: no limit.
   */
  readonly width?: number | undefined
}

const OPTIONS: Readonly<Record<keyof RenderOptions, OptionKind>> = { colors: 'boolean', width: 'number' }

const MAX_NAME = 60
const MAX_MESSAGE = 100

const printed = (text: string, length: number): string => {
  const characters = Array.from(printable(text.slice(0, length * 4)).trim())
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : characters.join('')
}

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u
const MARK = /\p{M}/u

/** The width of a text in a terminal, in columns. */
const widthOf = (text: string): number => {
  let width = 0
  for (const character of text) width += MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))
const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - widthOf(text))) + text

/** Cuts a text to a number of columns; what was cut ends in `…`. */
const cutTo = (text: string, columns: number): string => {
  if (widthOf(text) <= columns) return text
  const trimmed = text.trimEnd()
  if (widthOf(trimmed) <= columns) return trimmed
  let kept = ''
  let width = 0
  for (const character of text) {
    width += widthOf(character)
    if (width >= columns) break
    kept += character
  }
  return columns < 1 ? '' : `${kept}…`
}

/** A duration for humans: `0.4 ms`, `12 ms`, `1.25 s`, `2 min 05 s`. */
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

const tokensOf = ({ generation, totals }: Span): string => {
  const sum = generation === undefined ? totals : undefined
  const tokens = sum ?? generation?.usage
  // A sum of zero means that no generation reported its tokens.
  if (tokens === undefined || sum?.total_tokens === 0) return ''
  const sign = sum === undefined ? '' : 'Σ '
  const about = sum?.estimated === true || generation?.usageSource === 'estimated' ? '~' : ''
  const cost = (sum ?? generation)?.cost
  const price = cost === undefined ? '' : ` ${money(cost)}`
  return `${sign}${about}${tokens.prompt_tokens} → ${about}${tokens.completion_tokens} tokens${price}`
}

const failureOf = ({ error }: Span): string => {
  if (error === undefined) return ''
  const message =
    error.message === undefined ? '' : `: ${printed(error.message, MAX_MESSAGE).replace(/\.$/u, '')}`
  return ` ${error.status} ${printed(error.tag, MAX_NAME)}${message}`
}

const statusOf = (span: Span): string =>
  [
    `${span.status}${span.status === 'ok' ? '' : failureOf(span)}`,
    ...(span.leftEarly === true ? ['left early'] : []),
    ...(span.generation?.stream === true && span.firstOutputAt !== undefined
      ? [`first token after ${duration(span.firstOutputAt - span.startedAt)}`]
      : []),
    ...(span.generation?.attempts !== undefined && span.generation.attempts > 1
      ? [counted(span.generation.attempts, 'attempt')]
      : []),
  ].join(', ')

interface Line {
  readonly branch: string
  readonly span: Span
}

const byStart = (first: Span, second: Span): number => first.startedAt - second.startedAt

const keyOf = (traceId: string, spanId: string): string => `${traceId}/${spanId}`

/** The spans as lines of a tree. A span with an unknown parent, or one that is its own ancestor, is at the top level. */
const treeLines = (spans: ReadonlyArray<Span>): ReadonlyArray<Line> => {
  const known = new Set(spans.map(({ traceId, spanId }) => keyOf(traceId, spanId)))
  const parentOf = ({ traceId, parentId }: Span): string | undefined => {
    const parent = parentId === undefined ? undefined : keyOf(traceId, parentId)
    return parent !== undefined && known.has(parent) ? parent : undefined
  }
  const children = grouped([...spans].sort(byStart), parentOf)
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
  children.get(undefined)?.forEach(walk)
  spans.forEach(walk)
  return lines
}

const STATUS_COLOR: Readonly<Record<SpanStatus, number>> = { ok: 32, error: 31, cancelled: 33, truncated: 33 }

/** A cell's text and its ANSI colour. */
type Cell = readonly [text: string, color?: number | undefined]

/** The columns that can be left out or narrowed. */
interface Layout {
  /** Whether the types are shown. */
  readonly type: boolean
  /** Width of the models; 0 leaves them out. */
  readonly model: number
}

// A model's name must not be cut so short that models can't be told apart.
const SHORTEST_MODEL = 12

const GAP = '  '

/**
 * Renders finished spans as a tree, one line each: name, type, duration, tokens and cost, model, and how it ended.
 * Columns are aligned; names and messages are stripped of control characters and cut.
 *
 * Pure. Children are below their parent, in order of start; a span whose parent is not among the spans is at the top
 * level. The lines are joined with `\n`; without spans the text is empty.
 *
 * @param spans - the spans of one trace, in any order
 * @throws InvalidInput for an unknown option
 */
export const renderTrace = (spans: ReadonlyArray<Span>, options: RenderOptions = {}): string => {
  refuseUnknown('renderTrace', options, OPTIONS)
  const { colors = false, width = Number.POSITIVE_INFINITY } = options
  const paint = (text: string, code: number | undefined): string =>
    colors && code !== undefined && text.trim() !== '' ? `\u001b[${code}m${text}\u001b[0m` : text
  const rows = treeLines(spans).map(({ branch, span }) => ({
    span,
    branch,
    name: printed(span.name, MAX_NAME),
    type: span.type,
    duration: duration(span.endedAt - span.startedAt),
    tokens: tokensOf(span),
    model: printed(span.generation?.model ?? '', MAX_NAME),
    status: statusOf(span),
  }))
  type Row = (typeof rows)[number]
  const widest = (cell: (row: Row) => string): number =>
    rows.reduce((most, row) => Math.max(most, widthOf(cell(row))), 0)
  const nameWidth = widest(({ branch, name }) => branch + name)
  const typeWidth = widest(({ type }) => type)
  const durationWidth = widest((row) => row.duration)
  const tokensWidth = widest(({ tokens }) => tokens)
  const modelWidth = widest(({ model }) => model)
  const cellsOf = (row: Row, { model, type }: Layout): ReadonlyArray<Cell> => [
    [pad(row.branch + row.name, nameWidth), row.branch === '' ? 1 : undefined],
    ...(type ? [[pad(row.type, typeWidth), 2] as const] : []),
    [padStart(row.duration, durationWidth)],
    ...(tokensWidth === 0 ? [] : [[pad(row.tokens, tokensWidth)] as const]),
    ...(model === 0 ? [] : [[pad(cutTo(row.model, model), model), 36] as const]),
    [row.status, STATUS_COLOR[row.span.status]],
  ]
  // Failed spans don't count: their messages, which may be of any length, are cut before a column is left out.
  const needed = (layout: Layout): number =>
    widest((row) => {
      const texts = cellsOf(row, layout).map(([text]) => text)
      return row.span.status === 'ok' ? texts.join(GAP) : ''
    })
  const layoutWithin = (): Layout => {
    const full = { type: true, model: modelWidth }
    if (needed(full) <= width) return full
    const narrow = { type: false, model: 0 }
    const room = Math.min(modelWidth, width - needed(narrow) - GAP.length)
    return { ...narrow, model: room < Math.min(modelWidth, SHORTEST_MODEL) ? 0 : room }
  }
  const lineOf = (row: Row, layout: Layout): string => {
    let room = width
    const shown = cellsOf(row, layout).map(([text, color], index) => {
      const kept = cutTo(text, room)
      room -= widthOf(text) + GAP.length
      return index > 0
        ? paint(kept, color)
        : paint(kept.slice(0, row.branch.length), 2) + paint(kept.slice(row.branch.length), color)
    })
    return shown.join(GAP).trimEnd()
  }
  const layout = layoutWithin()
  return rows.map((row) => lineOf(row, layout)).join('\n')
}
