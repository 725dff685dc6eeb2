import {
  identity,
  type MonoTypeOperatorFunction,
  Observable,
  type Subscriber,
  type Subscription,
  type TimestampProvider,
} from 'rxjs'
import { checked } from '../codecs/checked.js'
import { CONTENT_VARIABLES, contentTracingEnabled, readEnvironment } from '../codecs/Environment.js'
import { hasMethods } from '../codecs/hasMethods.js'
import { mapTexts } from '../codecs/mapTexts.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import { ownCopy } from '../codecs/ownCopy.js'
import { TraceAttributes } from '../codecs/RespanAttributes.js'
import { refuse } from '../codecs/refuse.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { defaultSink } from '../sinks/defaultSink.js'
import { anchoredClock } from '../tracing/anchoredClock.js'
import { scrubbed } from '../tracing/contentText.js'
import { deepenedFor } from '../tracing/deepen.js'
import { framed } from '../tracing/framed.js'
import { captureFrame, currentOpenSpan, runInFrame } from '../tracing/frames.js'
import { guarded, guardedOr, nameOf, reporter } from '../tracing/guarded.js'
import { homeFrame } from '../tracing/homeFrame.js'
import { type Ids, randomIds } from '../tracing/ids.js'
import { startSpan } from '../tracing/OpenSpan.js'
import type { Sink } from '../tracing/Sink.js'
import type { SpanEvent } from '../tracing/SpanEvent.js'
import { recordRun } from '../tracing/subscribers.js'
import type { Trace } from '../tracing/Trace.js'
import { nonEmptyName } from './nonEmptyName.js'

/** What is known of a trace before its pipeline runs. */
export interface TraceStart {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** The page that shows the trace once it is delivered; `undefined` where there is none. */
  readonly traceUrl: string | undefined
}

/** Where a trace goes, and what it holds. */
export interface TraceOptions {
  /** Where span events go. Default: the enclosing trace's sink, at the root `defaultSink()`. */
  readonly sink?: Sink
  /** Put on every span of the trace, never into requests; over those of an enclosing trace, `metadata` by key. */
  readonly attributes?: TraceAttributes
  /** Called before the source is subscribed. */
  readonly onStart?: (start: TraceStart) => void
  /**
   * `false` keeps inputs, outputs and foreign error messages out of the trace. Default: `RESPAN_TRACE_CONTENT`
   * and `HAYSTACK_CONTENT_TRACING_ENABLED`, read at subscription. A nested trace can only tighten it.
   */
  readonly captureContent?: boolean
  /**
   * Maps each input, output and foreign error message, and what a request says beside its messages (`{ tools, … }`), before
   * it enters an event. If it throws, the content is withheld.
   */
  readonly redact?: (content: unknown) => unknown
  /** Longer content is cut with a mark, UTF-8 bytes. Default 1,000,000. */
  readonly maxContentBytes?: number
  /**
   * ms since the epoch. Default: the wall clock once per trace, then the monotonic clock. If it throws, the wall clock. A
   * nested trace has that of its root.
   */
  readonly clock?: TimestampProvider
  /**
   * Where trace and span ids come from; in a nested trace span ids alone. Default: random ones, also in the place of any that
   * throws.
   */
  readonly ids?: Ids
  /**
   * `false` leaves the operators above unlinked: 13 ns less per operator and item. Then a function given to one of them may
   * find no span, or a foreign one: after a timer in a browser, or when something else feeds the stream.
   */
  readonly deep?: boolean
  /**
   * `false` uses no AsyncLocalStorage, which makes every `await` of a process dearer on Node 20 and 22; parents are then lost
   * after an `await`. With it, the functions of the chain above, and of those that its components return, find each
   * AsyncLocalStorage, yours too, as it was at subscription, also for what another context feeds into a Subject. A nested trace
   * does as its root.
   */
  readonly asyncContext?: boolean
}

// Complete by its type, so that none that is read is refused.
export const TRACE_OPTIONS: Readonly<Record<keyof TraceOptions, OptionKind>> = {
  sink: true,
  attributes: true,
  onStart: 'function',
  captureContent: 'boolean',
  redact: 'function',
  maxContentBytes: true,
  clock: true,
  ids: true,
  deep: 'boolean',
  asyncContext: 'boolean',
}

const OPTIONS: Readonly<Record<keyof TraceOptions | 'output', OptionKind>> = {
  ...TRACE_OPTIONS,
  output: 'function',
}

type OutputOption<T> = {
  /** Maps each emitted value before it is recorded as the root's output. */
  readonly output?: (value: T) => unknown
}

/** Of the options that are objects: the methods that are called, and what has them. */
const OBJECTS = [
  ['sink', ['next'], 'a sink, such as bufferedSink(respanTransport()) makes'],
  ['clock', ['now'], 'a clock, such as Date'],
  ['ids', ['trace', 'span'], 'an object with the functions trace and span'],
] as const satisfies ReadonlyArray<readonly [keyof TraceOptions, ReadonlyArray<string>, string]>

const MAX_CONTENT_BYTES = 1_000_000

const emitTo = (sink: Sink, scrubs: Trace['scrubs']): ((event: SpanEvent) => void) => {
  const report = reporter('a sink')
  return (event) => {
    try {
      sink.next(scrubs.size === 0 ? event : mapTexts(event, (text) => scrubbed(text, scrubs)))
    } catch (error) {
      report(error)
    }
  }
}

const redactWith = (
  outer: (content: unknown) => unknown,
  options: TraceOptions,
): ((content: unknown) => unknown) => {
  const { redact } = options
  if (redact === undefined) return outer
  // By name, because the message can hold what was to be redacted.
  const report = reporter('redact', nameOf)
  return (content) => {
    const inner = outer(content)
    return inner === undefined ? undefined : guarded(report, () => redact(inner))
  }
}

const clockOf = ({ clock }: TraceOptions): (() => number) => {
  if (clock === undefined) return anchoredClock()
  const report = reporter('clock')
  return () => guardedOr(report, () => clock.now(), Date.now)
}

const idsOf = ({ ids }: TraceOptions): Ids => {
  if (ids === undefined) return randomIds
  const report = reporter('ids')
  return {
    trace: () => guardedOr(report, () => ids.trace(), randomIds.trace),
    span: () => guardedOr(report, () => ids.span(), randomIds.span),
  }
}

const urlIn = (sink: Sink, traceId: string): string | undefined =>
  guarded(reporter('traceUrl'), () => sink.traceUrl?.(traceId))

const rootTrace = (name: string, options: TraceOptions): Trace => {
  const { sink = defaultSink() } = options
  const ids = idsOf(options)
  const id = ids.trace()
  const scrubs: Trace['scrubs'] = new Set()
  return {
    id,
    url: urlIn(sink, id),
    name,
    workflow: name,
    now: clockOf(options),
    spanId: ids.span,
    emit: emitTo(sink, scrubs),
    scrubs,
    redact: redactWith(identity, options),
    captureContent: options.captureContent ?? contentTracingEnabled(readEnvironment(CONTENT_VARIABLES)),
    maxContentBytes: options.maxContentBytes ?? MAX_CONTENT_BYTES,
    attributes: options.attributes,
    deep: options.deep ?? true,
    asyncContext: options.asyncContext ?? true,
    totals: { generations: 0, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  }
}

const nestedTrace = (outer: Trace, name: string, options: TraceOptions): Trace => ({
  ...outer,
  url: (options.sink === undefined ? undefined : urlIn(options.sink, outer.id)) ?? outer.url,
  workflow: name,
  spanId: options.ids === undefined ? outer.spanId : idsOf(options).span,
  emit: options.sink === undefined ? outer.emit : emitTo(options.sink, outer.scrubs),
  redact: redactWith(outer.redact, options),
  captureContent: outer.captureContent && (options.captureContent ?? true),
  maxContentBytes: Math.min(outer.maxContentBytes, options.maxContentBytes ?? outer.maxContentBytes),
  attributes:
    options.attributes === undefined
      ? outer.attributes
      : mergeAttributes(outer.attributes ?? {}, options.attributes),
  deep: options.deep ?? outer.deep,
})

const checkObjects = (operator: string, options: TraceOptions): void => {
  for (const [key, methods, expected] of OBJECTS) {
    const value = options[key]
    if (value !== undefined && !hasMethods(value, ...methods)) refuse(operator, key, expected, value)
  }
}

const checkBytes = (operator: string, { maxContentBytes }: TraceOptions): void => {
  if (maxContentBytes === undefined || (typeof maxContentBytes === 'number' && maxContentBytes >= 0)) return
  refuse(operator, 'maxContentBytes', 'number of bytes from 0', maxContentBytes)
}

/**
 * `respanTrace`, under the name of the operator that makes it.
 *
 * @param subject - who was given the options: the first word of an error's message
 * @throws InvalidInput
 */
export const traceFor = <T>(
  subject: string,
  name: string,
  options: TraceOptions & OutputOption<T>,
): MonoTypeOperatorFunction<T> => {
  refuseUnknown(subject, options, OPTIONS)
  checkObjects(subject, options)
  checkBytes(subject, options)
  const own: TraceOptions =
    options.attributes === undefined
      ? options
      : {
          ...options,
          attributes: ownCopy(checked(subject, TraceAttributes, options.attributes, 'attributes')),
        }
  const { output, onStart } = options
  const reportOutput = reporter('output')
  const recorded =
    output === undefined ? identity : (value: T): unknown => guarded(reportOutput, () => output(value))
  return (source) => {
    const sourceFor = deepenedFor(source)
    const subscribe = (subscriber: Subscriber<T>): Subscription => {
      const home = homeFrame(subscriber)
      if (home !== undefined) return runInFrame(home, subscribe, subscriber, undefined)
      // RxJS subscribes a source even for a subscriber that has left (`forkJoin` after an error). That is no run.
      if (subscriber.closed) return source.subscribe(subscriber)
      const parent = currentOpenSpan()
      const trace = parent === null ? rootTrace(name, own) : nestedTrace(parent.trace, name, own)
      const here = captureFrame(trace.asyncContext)
      const span = startSpan(trace, parent, { name, type: 'workflow' })
      if (onStart !== undefined) {
        guarded(reporter('onStart'), () =>
          onStart({ traceId: trace.id, spanId: span.id, traceUrl: trace.url }),
        )
      }
      return recordRun(span, here, subscriber, (s) => sourceFor(trace).subscribe(s), recorded)
    }
    return framed(new Observable(subscribe))
  }
}

/**
 * Records everything above it as one trace: a root span for the subscription, and a span for each component.
 *
 * ```
 * source                    --a-----b--|
 * respanTrace('My flow')    --a-----b--|      every notification untouched, in the same tick
 * events                    S-o--------E      S = SpanStarted, o = SpanFirstOutput, E = SpanEnded
 * ```
 *
 * A trace is one subscription: what retries below makes new ones, and `traceEach` makes one per item. Inside
 * another trace it becomes a span of that trace, and uses its sink. The end is honest: `ok`, `error`,
 * `truncated`, or `cancelled` if unsubscribing interrupted work; a consumer that had its value and left
 * (`firstValueFrom`, `take(1)`) while nothing was at work ends it `ok`.
 *
 * A failing, slow or full sink never delays, breaks or reorders values. A throw in `onStart`, `redact`,
 * `output`, `clock`, `ids` or a sink is reported as a process warning (`RESPAN_TRACE`; what `sinkMonoid` and `redacted` keep
 * from going further, under codes of their own).
 *
 * Errors: `InvalidInput`, thrown at once, for an empty name, an unknown option or one of the wrong kind, attributes
 * of the wrong shape or a `maxContentBytes` that is no number from 0.
 *
 * @param name - the root's name
 * @param options - `output` maps each emitted value before it is recorded as the root's output
 * @returns an operator that mirrors its source
 *
 * @see traceEach
 */
export const respanTrace = <T>(
  name: string,
  options: TraceOptions & OutputOption<T> = {},
): MonoTypeOperatorFunction<T> => {
  nonEmptyName('respanTrace', name)
  return traceFor(`respanTrace ${name}`, name, options)
}
