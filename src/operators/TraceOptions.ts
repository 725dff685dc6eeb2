import type { TimestampProvider } from 'rxjs'
import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import type { Ids } from '../tracing/Ids.js'
import type { Sink } from '../tracing/Sink.js'

/** What is known about a trace before its pipeline runs. */
export interface TraceStart {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** The page that shows the trace once it is delivered; `undefined` where there is none. */
  readonly traceUrl: string | undefined
}

/** Where a trace goes, and what is in it. */
export interface TraceOptions {
  /** Where span events go. Default: the enclosing trace's sink, or `defaultSink()` for a root. */
  readonly sink?: Sink
  /**
   * Put on every span of the trace, never into requests. They override those of an enclosing trace; `metadata` merges by
   * key.
   */
  readonly attributes?: TraceAttributes
  /** Called before the source is subscribed to. */
  readonly onStart?: (start: TraceStart) => void
  /**
   * `false` keeps inputs, outputs, the messages of foreign errors and what a server says in an error out of the trace.
   * Default: as `RESPAN_TRACE_CONTENT` and `HAYSTACK_CONTENT_TRACING_ENABLED` say, read at subscription. A nested trace can
   * turn it off, never on again.
   */
  readonly captureContent?: boolean
  /**
   * Maps each input, output and message of a foreign error, what a server says in an error, and what a request holds besides
   * its messages (`{ tools, … }`), before it enters an event. If it throws, or returns a promise, the content is withheld.
   */
  readonly redact?: (content: unknown) => unknown
  /** The longest content, in UTF-8 bytes; longer content is cut, and marked as cut. Default 1,000,000. */
  readonly maxContentBytes?: number
  /**
   * Gives the time, in ms since the epoch. Default: the wall clock, read once per trace, and the monotonic clock from
   * there. If it throws, the wall clock is read instead. A nested trace uses its root's.
   */
  readonly clock?: TimestampProvider
  /**
   * Where trace and span ids come from; in a nested trace, span ids only. Default: random ids, which also replace those of
   * a function that throws.
   */
  readonly ids?: Ids
  /**
   * `false` adds no links between the operators above, which saves 13 ns per operator and item. A function given to one of
   * them may then find no span, or a foreign one: after a timer in a browser, or when something else feeds the stream.
   */
  readonly deep?: boolean
  /**
   * `false` uses no AsyncLocalStorage, which slows down every `await` of the process on Node 20 and 22; parents are then
   * lost after an `await`. With it, the functions in the chain above, and in the chains that its components return, find
   * every AsyncLocalStorage, yours too, as it was at subscription, even for values that another context feeds into a
   * Subject. A nested trace follows its root.
   */
  readonly asyncContext?: boolean
}
