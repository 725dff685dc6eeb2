import type { SpanPayload } from '../codecs/SpanPayload.js'

/** The spans that the local gateway keeps, by trace. */
export interface TraceStore {
  /** Stores spans, a resent one in place of its first copy; returns the ids of new traces. */
  readonly add: (spans: ReadonlyArray<SpanPayload>) => ReadonlyArray<string>
  /** The spans of a trace in the order of their arrival. */
  readonly trace: (id: string) => ReadonlyArray<SpanPayload> | undefined
  /** The ids of the traces kept, the newest first. */
  readonly ids: () => ReadonlyArray<string>
  /** All spans kept, the oldest trace first. */
  readonly spans: () => ReadonlyArray<SpanPayload>
}

/** How much a trace store keeps; the oldest traces go first. The newest trace is kept, however large. */
export interface TraceLimits {
  readonly maxTraces: number
  readonly maxSpans: number
  /** Of the spans as JSON, in UTF-16 code units. */
  readonly maxLength: number
}

interface Kept {
  readonly span: SpanPayload
  readonly length: number
}

/** An empty trace store. */
export const traceStore = ({ maxLength, maxSpans, maxTraces }: TraceLimits): TraceStore => {
  const traces = new Map<string, Map<string, Kept>>()
  let count = 0
  let length = 0
  const evict = (): void => {
    for (const [id, spans] of traces) {
      const fits = traces.size <= maxTraces && count <= maxSpans && length <= maxLength
      if (fits || traces.size <= 1) return
      traces.delete(id)
      count -= spans.size
      for (const kept of spans.values()) length -= kept.length
    }
  }
  return {
    add: (spans) => {
      const created = new Set<string>()
      for (const span of spans) {
        const id = span.trace_unique_id
        const trace = traces.get(id) ?? new Map<string, Kept>()
        if (!traces.has(id)) {
          traces.set(id, trace)
          created.add(id)
        }
        const before = trace.get(span.span_unique_id)
        const kept = { span, length: JSON.stringify(span).length }
        if (before === undefined) count += 1
        length += kept.length - (before?.length ?? 0)
        trace.set(span.span_unique_id, kept)
      }
      evict()
      return [...created]
    },
    trace: (id) => {
      const spans = traces.get(id)
      return spans && [...spans.values()].map(({ span }) => span)
    },
    ids: () => [...traces.keys()].toReversed(),
    spans: () => [...traces.values()].flatMap((trace) => [...trace.values()].map(({ span }) => span)),
  }
}
