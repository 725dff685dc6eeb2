import type { SpanPayload } from '../codecs/SpanPayload.js'
import { grouped } from '../util/grouped.js'
import { costOf } from './models.js'

/** How a span ended, as far as its payload tells. */
export type ViewStatus = 'ok' | 'error' | 'cancelled'

/** A span, ready to be shown. Times are ms since the epoch, with fractions. */
export interface SpanView {
  readonly span: SpanPayload
  readonly name: string
  readonly depth: number
  readonly start: number
  readonly end: number
  /** When the first token came. */
  readonly firstToken: number | undefined
  readonly status: ViewStatus
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  /** Whether the tokens are the client's guess. */
  readonly estimated: boolean
  /** USD: as sent, or else by the price table. */
  readonly cost: number | undefined
  readonly children: ReadonlyArray<SpanView>
}

/** A trace, ready to be shown. */
export interface TraceView {
  readonly id: string
  readonly name: string
  /** `incomplete`: the root has not arrived. */
  readonly status: ViewStatus | 'incomplete'
  readonly start: number
  readonly end: number
  readonly modelCalls: number
  readonly errors: number
  readonly promptTokens: number
  readonly completionTokens: number
  /** Whether some of the tokens are the client's guess. */
  readonly estimated: boolean
  readonly cost: number | undefined
  /** The span that stands for the whole: the one without a parent, or else the first. */
  readonly root: SpanView | undefined
  readonly roots: ReadonlyArray<SpanView>
  /** The spans from top to bottom, children under their parents, siblings by start. */
  readonly rows: ReadonlyArray<SpanView>
}

/** ms since the epoch of an RFC 3339 time, with the fractions of a ms that `Date` drops. */
export const parseTime = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) return undefined
  const beyond = /\.\d{3}(\d+)/u.exec(text)?.[1]
  return beyond === undefined ? ms : ms + Number(`0.${beyond}`)
}

interface TimedSpan {
  readonly span: SpanPayload
  readonly start: number
  readonly end: number
}

const timed = (span: SpanPayload): TimedSpan => {
  const started = parseTime(span.start_time)
  const ended = parseTime(span.timestamp)
  const duration = span.latency === undefined ? undefined : span.latency * 1000
  const start = started ?? (ended === undefined ? 0 : ended - (duration ?? 0))
  // A monotonic clock measured the latency; between the two times, the wall clock may have been set.
  const end = Math.max(start, duration === undefined ? (ended ?? start) : start + duration)
  return { span, start, end }
}

const statusOf = ({ status, status_code, error_bit, error_message, metadata }: SpanPayload): ViewStatus => {
  if (status === 'error' || error_bit === 1 || (status_code ?? 200) >= 400 || error_message) return 'error'
  const cancelled = metadata?.cancelled
  return cancelled === true || cancelled === 'true' ? 'cancelled' : 'ok'
}

const MODEL_CALLS: ReadonlySet<string> = new Set(['chat', 'completion', 'response', 'generation', 'text'])

const isModelCall = ({ log_type, model }: SpanPayload): boolean =>
  MODEL_CALLS.has(log_type ?? 'chat') && (log_type !== undefined || model !== undefined)

// What is nested deeper is shown at this depth: a hostile chain of parents must not exhaust the stack.
const DEEPEST = 200

const viewOf = (
  { end, span, start }: TimedSpan,
  depth: number,
  children: ReadonlyArray<SpanView>,
): SpanView => {
  const promptTokens = span.prompt_tokens ?? span.usage?.prompt_tokens ?? undefined
  const completionTokens = span.completion_tokens ?? span.usage?.completion_tokens ?? undefined
  const priced =
    span.model === undefined || (promptTokens === undefined && completionTokens === undefined)
      ? undefined
      : costOf(span.model, { prompt_tokens: promptTokens ?? 0, completion_tokens: completionTokens ?? 0 })
  return {
    span,
    name: span.span_name?.trim() || span.span_unique_id,
    depth,
    start,
    end,
    firstToken: span.time_to_first_token === undefined ? undefined : start + span.time_to_first_token * 1000,
    status: statusOf(span),
    promptTokens,
    completionTokens,
    estimated: span.metadata?.usage_source === 'estimated',
    cost: span.cost ?? priced,
    children,
  }
}

const treeOf = (spans: ReadonlyArray<SpanPayload>): ReadonlyArray<SpanView> => {
  const ordered = spans.map(timed).toSorted((a, b) => a.start - b.start || b.end - a.end)
  const known = new Set(spans.map(({ span_unique_id }) => span_unique_id))
  const byParent = grouped(ordered, ({ span: { span_parent_id: parent, span_unique_id: id } }) =>
    parent == null || parent === id || !known.has(parent) ? undefined : parent,
  )
  const seen = new Set<string>()
  const build = (one: TimedSpan, depth: number): SpanView => {
    seen.add(one.span.span_unique_id)
    if (depth >= DEEPEST) return viewOf(one, depth, flattened(one, depth))
    const children = (byParent.get(one.span.span_unique_id) ?? [])
      .filter(({ span }) => !seen.has(span.span_unique_id))
      .map((child) => build(child, depth + 1))
    return viewOf(one, depth, children)
  }
  // Everything under a span at the deepest level, side by side.
  const flattened = (top: TimedSpan, depth: number): ReadonlyArray<SpanView> => {
    const views: Array<SpanView> = []
    const queue = [top.span.span_unique_id]
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      for (const child of byParent.get(id) ?? []) {
        if (seen.has(child.span.span_unique_id)) continue
        seen.add(child.span.span_unique_id)
        views.push(viewOf(child, depth + 1, []))
        queue.push(child.span.span_unique_id)
      }
    }
    return views
  }
  const roots = (byParent.get(undefined) ?? []).map((one) => build(one, 0))
  // Spans that are each other's parents hang on no root: they are shown as roots.
  const circular = ordered.flatMap((one) => (seen.has(one.span.span_unique_id) ? [] : [build(one, 0)]))
  return [...roots, ...circular]
}

const rowsOf = (views: ReadonlyArray<SpanView>): ReadonlyArray<SpanView> =>
  views.flatMap((view) => [view, ...rowsOf(view.children)])

const sum = (numbers: ReadonlyArray<number | undefined>): number =>
  numbers.reduce<number>((total, n) => total + (n ?? 0), 0)

/** A trace out of its spans: their tree, whatever their parents are, and the totals. */
export const traceView = (id: string, spans: ReadonlyArray<SpanPayload>): TraceView => {
  const roots = treeOf(spans)
  const rows = rowsOf(roots)
  const root = roots.find(({ span }) => span.span_parent_id == null)
  const costs = rows.map(({ cost }) => cost).filter((cost) => cost !== undefined)
  const first = root ?? rows[0]
  const starts = rows.map(({ start }) => start).filter((start) => start > 0)
  return {
    id,
    name: first?.span.trace_name?.trim() || first?.span.span_workflow_name?.trim() || first?.name || id,
    status: root?.status ?? 'incomplete',
    start: starts.length === 0 ? 0 : starts.reduce((a, b) => Math.min(a, b)),
    end: rows.reduce((latest, { end }) => Math.max(latest, end), 0),
    modelCalls: rows.filter(({ span }) => isModelCall(span)).length,
    errors: rows.filter(({ status }) => status === 'error').length,
    promptTokens: sum(rows.map(({ promptTokens }) => promptTokens)),
    completionTokens: sum(rows.map(({ completionTokens }) => completionTokens)),
    estimated: rows.some(({ estimated }) => estimated),
    cost: costs.length === 0 ? undefined : sum(costs),
    root: first,
    roots,
    rows,
  }
}

/** A moment as RFC 3339 in UTC; `undefined` for what isn't one that `Date` can hold. */
export const isoTime = (ms: number): string | undefined =>
  ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : undefined

/** Whom or what a trace belongs to: as its root says, or else the first span that says so. */
export const identifierOf = (
  trace: TraceView,
  field: 'customer_identifier' | 'thread_identifier',
): string | number | undefined =>
  trace.root?.span[field] ?? trace.rows.find(({ span }) => span[field] !== undefined)?.span[field]
