import { forgetOldest } from '../util/forgetOldest.js'
import type { Mutable } from '../util/Mutable.js'
import type { Span, SpanEnded, SpanEvent, SpanStarted } from './SpanEvent.js'

/** A finished span as its events, which are cheaper to keep than the {@link Span} that {@link toSpan} makes of them. */
export interface FinishedSpan {
  readonly start: SpanStarted
  /** ms since the epoch. */
  readonly firstOutputAt: number | undefined
  readonly end: SpanEnded
}

/**
 * Takes the events of spans one at a time, and returns the span that an event finished: `'orphan'` for an end without a
 * known start, `undefined` for an event that isn't an end.
 */
export type SpanFold = (event: SpanEvent) => FinishedSpan | 'orphan' | undefined

/** Open spans that a fold remembers; beyond that, it forgets the oldest. An open span takes some 500 bytes. */
const MAX_OPEN_SPANS = 100_000

/** Starts after which the map of open spans is made anew, unless it holds more than half as many. */
const RENEWAL = 256

interface Open {
  readonly start: SpanStarted
  firstOutputAt: number | undefined
  /** An open span of another trace with the same id: span ids are unique only within a trace. */
  readonly other: Open | undefined
}

const find = (open: Open | undefined, traceId: string): Open | undefined => {
  let candidate = open
  while (candidate !== undefined && candidate.start.traceId !== traceId) candidate = candidate.other
  return candidate
}

const without = (open: Open | undefined, ended: Open): Open | undefined =>
  open === undefined || open === ended ? open?.other : { ...open, other: without(open.other, ended) }

/**
 * The incremental form of {@link foldSpans}, for sinks.
 *
 * @param maxOpen - how many open spans to remember
 */
export const spanFold = (maxOpen = MAX_OPEN_SPANS): SpanFold => {
  let open = new Map<string, Open>()
  let sinceRenewal = 0

  // A map whose entries come and go outgrows its table again and again, and V8 links each table to the next one. Once one
  // table is in the old generation, dead or not, all later tables survive there, with the spans that were in them.
  const renew = (): void => {
    sinceRenewal++
    if (sinceRenewal < RENEWAL || sinceRenewal < open.size * 2) return
    open = new Map(open)
    sinceRenewal = 0
  }

  const started = (event: SpanStarted): undefined => {
    const other = open.get(event.spanId)
    // The same start, emitted twice.
    if (find(other, event.traceId) !== undefined) return
    renew()
    open.set(event.spanId, { start: event, firstOutputAt: undefined, other })
    forgetOldest(open, maxOpen)
  }

  const ended = (event: SpanEnded): FinishedSpan | 'orphan' => {
    const first = open.get(event.spanId)
    const span = find(first, event.traceId)
    if (span === undefined) return 'orphan'
    const rest = without(first, span)
    if (rest === undefined) open.delete(event.spanId)
    else open.set(event.spanId, rest)
    return { start: span.start, firstOutputAt: span.firstOutputAt, end: event }
  }

  return (event) => {
    switch (event._tag) {
      case 'SpanStarted':
        return started(event)
      case 'SpanFirstOutput': {
        const span = find(open.get(event.spanId), event.traceId)
        if (span !== undefined) span.firstOutputAt ??= event.at
        return
      }
      case 'SpanEnded':
        return ended(event)
    }
  }
}

/** Makes a span of its events. */
export const toSpan = ({ start, firstOutputAt, end }: FinishedSpan): Span => {
  // Assigned one by one, because ten conditional spreads cost three times as much as all the rest of a sink.
  const span: Mutable<Span> = {
    traceId: start.traceId,
    spanId: start.spanId,
    parentId: start.parentId,
    name: start.name,
    type: start.type,
    path: start.path,
    workflow: start.workflow,
    trace: start.trace,
    startedAt: start.at,
    endedAt: end.at,
    status: end.status,
  }
  const input = start.input ?? end.input
  if (firstOutputAt !== undefined) span.firstOutputAt = firstOutputAt
  if (input !== undefined) span.input = input
  if (end.output !== undefined) span.output = end.output
  if (end.error !== undefined) span.error = end.error
  if (end.leftEarly !== undefined) span.leftEarly = end.leftEarly
  if (end.generation !== undefined) span.generation = end.generation
  if (end.totals !== undefined) span.totals = end.totals
  if (start.attributes !== undefined) span.attributes = start.attributes
  return span
}

/**
 * Folds span events into the finished spans, in the order of their ends. Events of different spans may be interleaved in
 * any way, as long as those of each span keep their order. A span that hasn't ended is left out, and so is an end without a
 * start.
 */
export const foldSpans = (events: Iterable<SpanEvent>): ReadonlyArray<Span> => {
  const fold = spanFold(Number.POSITIVE_INFINITY)
  const spans: Array<Span> = []
  for (const event of events) {
    const finished = fold(event)
    if (finished !== undefined && finished !== 'orphan') spans.push(toSpan(finished))
  }
  return spans
}
