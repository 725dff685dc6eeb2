import { forgetOldest } from '../codecs/forgetOldest.js'
import type { Mutable } from '../codecs/Mutable.js'
import type { Span, SpanEnded, SpanEvent, SpanStarted } from './SpanEvent.js'

/** A span that has ended, as its events: cheaper to keep than the {@link Span} that {@link toSpan} makes of it. */
export interface FinishedSpan {
  readonly start: SpanStarted
  /** ms since the epoch. */
  readonly firstOutputAt: number | undefined
  readonly end: SpanEnded
}

/**
 * Takes in the events of spans, one at a time, and gives the span that an event finished: `'orphan'` for the end of a span
 * whose start is not known, `undefined` for what isn't an end.
 */
export type SpanFold = (event: SpanEvent) => FinishedSpan | 'orphan' | undefined

/** Spans under way that a fold remembers; beyond that, it forgets the oldest. A span under way takes some 500 bytes. */
const MAX_OPEN_SPANS = 100_000

/** Starts after which the map of those under way is made anew, unless it holds more than half as many. */
const RENEWAL = 256

interface Open {
  readonly start: SpanStarted
  firstOutputAt: number | undefined
  /** A span of another trace with the same id: ids are unique within a trace only. */
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
 * @param maxOpen - spans under way that are remembered
 */
export const spanFold = (maxOpen = MAX_OPEN_SPANS): SpanFold => {
  let open = new Map<string, Open>()
  let sinceRenewal = 0

  // A map whose entries come and go outgrows its table again and again, and V8 links each table to the next one: once one of
  // them is in the old generation, dead or not, all later ones survive there with the spans that were in them.
  const renew = (): void => {
    sinceRenewal++
    if (sinceRenewal < RENEWAL || sinceRenewal < open.size * 2) return
    open = new Map(open)
    sinceRenewal = 0
  }

  const started = (event: SpanStarted): undefined => {
    const other = open.get(event.spanId)
    // A start that is told twice opens nothing twice.
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

/** Makes one value of a finished span's events. */
export const toSpan = ({ start, firstOutputAt, end }: FinishedSpan): Span => {
  // Assigned one by one: ten conditional spreads cost three times as much as all the rest of a sink.
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
 * Folds span events to the spans that they finished, in the order of their ends. Pure; events of different spans may
 * be interleaved in any way, as long as those of one span keep their order. What has not ended is not in it, and an
 * end without a start is left out.
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
