import { identity } from 'rxjs'
import { contentTracingEnabled } from '../codecs/Environment.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import { defaultSink } from '../sinks/defaultSink.js'
import { anchoredClock } from '../tracing/anchoredClock.js'
import { scrubbed } from '../tracing/contentText.js'
import { contentMapper, guarded, guardedAsync, heeded, nameOf, reporter } from '../tracing/guarded.js'
import { type Ids, randomIds } from '../tracing/Ids.js'
import type { OpenSpan } from '../tracing/OpenSpan.js'
import type { Sink } from '../tracing/Sink.js'
import type { SpanEvent } from '../tracing/SpanEvent.js'
import type { Trace } from '../tracing/Trace.js'
import { mapTexts } from '../util/mapTexts.js'
import type { TraceOptions } from './TraceOptions.js'

const MAX_CONTENT_BYTES = 1_000_000

const emitTo = (name: string, sink: Sink, scrubs: Trace['scrubs']): ((event: SpanEvent) => void) => {
  const report = reporter(name, 'a sink')
  return (event) => {
    try {
      heeded(report, sink.next(scrubs.size === 0 ? event : mapTexts(event, (text) => scrubbed(text, scrubs))))
    } catch (error) {
      report(error)
    }
  }
}

const redactWith = (
  name: string,
  outer: (content: unknown) => unknown,
  options: TraceOptions,
): ((content: unknown) => unknown) => {
  const { redact } = options
  if (redact === undefined) return outer
  // Only the error's name, because its message can hold what was to be redacted.
  const map = contentMapper(name, 'redact', redact, nameOf)
  return (content) => {
    const inner = outer(content)
    return inner === undefined ? undefined : map(inner)
  }
}

const clockOf = (name: string, { clock }: TraceOptions): (() => number) => {
  if (clock === undefined) return anchoredClock()
  const report = reporter(name, 'clock')
  return () => {
    const now = guardedAsync(report, () => clock.now())
    return typeof now === 'number' ? now : Date.now()
  }
}

const idsOf = (name: string, { ids }: TraceOptions): Ids => {
  if (ids === undefined) return randomIds
  const report = reporter(name, 'ids')
  const idOf = (kind: keyof Ids): string => {
    const id = guardedAsync(report, () => ids[kind]())
    return typeof id === 'string' ? id : randomIds[kind]()
  }
  return { trace: () => idOf('trace'), span: () => idOf('span') }
}

const urlIn = (name: string, sink: Sink, traceId: string): string | undefined =>
  guarded(reporter(name, 'traceUrl'), () => sink.traceUrl?.(traceId))

const rootTrace = (name: string, options: TraceOptions): Trace => {
  const { sink = defaultSink() } = options
  const ids = idsOf(name, options)
  const id = ids.trace()
  const scrubs: Trace['scrubs'] = new Set()
  return {
    id,
    url: urlIn(name, sink, id),
    name,
    workflow: name,
    now: clockOf(name, options),
    spanId: ids.span,
    emit: emitTo(name, sink, scrubs),
    scrubs,
    redact: redactWith(name, identity, options),
    captureContent: options.captureContent ?? contentTracingEnabled(),
    maxContentBytes: options.maxContentBytes ?? MAX_CONTENT_BYTES,
    attributes: options.attributes,
    deep: options.deep ?? true,
    asyncContext: options.asyncContext ?? true,
    totals: { generations: 0, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  }
}

const nestedTrace = (outer: Trace, name: string, options: TraceOptions): Trace => ({
  ...outer,
  url: (options.sink === undefined ? undefined : urlIn(name, options.sink, outer.id)) ?? outer.url,
  workflow: name,
  spanId: options.ids === undefined ? outer.spanId : idsOf(name, options).span,
  emit: options.sink === undefined ? outer.emit : emitTo(name, options.sink, outer.scrubs),
  redact: redactWith(name, outer.redact, options),
  captureContent: outer.captureContent && (options.captureContent ?? true),
  maxContentBytes: Math.min(outer.maxContentBytes, options.maxContentBytes ?? outer.maxContentBytes),
  attributes:
    options.attributes === undefined
      ? outer.attributes
      : mergeAttributes(outer.attributes ?? {}, options.attributes),
  deep: options.deep ?? outer.deep,
})

/**
 * The trace of a run: a new one, or inside another trace a view of that one, with the options of the nested `respanTrace`,
 * which can only be stricter about content.
 */
export const openTrace = (parent: OpenSpan | null, name: string, options: TraceOptions): Trace =>
  parent === null ? rootTrace(name, options) : nestedTrace(parent.trace, name, options)
