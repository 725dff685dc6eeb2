import type { TimestampProvider } from 'rxjs'
import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import type { Ids } from '../tracing/ids.js'
import type { Sink } from '../tracing/Sink.js'

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
   * Where trace and span ids come from; in a nested trace span ids alone. Default: random ones, also when one
   * of them throws.
   */
  readonly ids?: Ids
  /**
   * `false` leaves the operators above unlinked: 13 ns less per operator and item. Then a function given to one of them may
   * find no span, or a foreign one: after a timer in a browser, or when something else feeds the stream.
   */
  readonly deep?: boolean
  /**
   * `false` uses no AsyncLocalStorage, which slows down every `await` of a process on Node 20 and 22; parents are then lost
   * after an `await`. With it, the functions of the chain above, and of those that its components return, find each
   * AsyncLocalStorage, yours too, as it was at subscription, also for what another context feeds into a Subject. A nested trace
   * does as its root.
   */
  readonly asyncContext?: boolean
}
