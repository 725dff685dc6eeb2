import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import type { Usage } from '../codecs/Usage.js'

/** What kind of work a span stands for; a `generation` goes on the wire as `log_type: "chat"`. */
export type SpanType = 'workflow' | 'task' | 'agent' | 'tool' | 'generation'

/** How a span ended. `cancelled`: work was interrupted. `truncated`: an answer broke off. */
export type SpanStatus = 'ok' | 'error' | 'cancelled' | 'truncated'

/** Where a token count comes from: the provider, an estimate of this library, or nowhere. */
export type UsageSource = 'reported' | 'estimated' | 'unknown'

/** An error as a span records it. `message` and `stack` are absent if content is off and the error isn't a `RespanError`. */
export interface SpanError {
  /** The `_tag` of a `RespanError`, the `name` of any other error, or the `typeof` of a value that isn't an error. */
  readonly tag: string
  readonly message?: string
  readonly stack?: string
  /** The HTTP status that stands for the error: the server's own, 504 for a timeout, 502 for a cut answer, otherwise 500. */
  readonly status: number
}

/** What only the span of a generation has. */
export interface Generation {
  /** The model that answered, or else the one that was asked for. */
  readonly model?: string
  /** Whether the reply was streamed. */
  readonly stream?: boolean
  /** Tokens; absent if `usageSource` is `unknown`. */
  readonly usage?: Usage
  readonly usageSource: UsageSource
  /** USD; absent if the gateway didn't say. */
  readonly cost?: number
  /** Why each choice ended, in order of their indexes; `null` for one that didn't. */
  readonly finishReasons?: ReadonlyArray<string | null>
  /** Most chat parameters as they were sent, and a stored prompt's id; no messages, no secrets. */
  readonly request?: Readonly<Record<string, unknown>>
  /** The gateway's id of the request. */
  readonly requestId?: string
  /** The gateway's id of its log of the request. */
  readonly logId?: string
  /** Requests made, including the first one. */
  readonly attempts?: number
}

interface SpanEventHead {
  /** 32 lower-case hex digits. */
  readonly traceId: string
  /** 16 lower-case hex digits. */
  readonly spanId: string
  /** ms since the epoch, with fractions. */
  readonly at: number
}

/** A span began. */
export interface SpanStarted extends SpanEventHead {
  readonly _tag: 'SpanStarted'
  /** `undefined` for a root. */
  readonly parentId: string | undefined
  readonly name: string
  readonly type: SpanType
  /** The names from the root down to the span's parent, joined by dots; `''` for a root. */
  readonly path: string
  /** The name of the nearest workflow: the root's, or a nested trace's. */
  readonly workflow: string
  /** The root's name. */
  readonly trace: string
  /** Text, or JSON as text. Absent if content is off, and for `respanTrace` and `traced`, whose `SpanEnded` has it. */
  readonly input?: string
  readonly attributes?: TraceAttributes
}

/** A span's first output: a value, or the first non-empty token of a streamed reply. */
export interface SpanFirstOutput extends SpanEventHead {
  readonly _tag: 'SpanFirstOutput'
}

/** A span ended. There is exactly one for each `SpanStarted`. */
export interface SpanEnded extends SpanEventHead {
  readonly _tag: 'SpanEnded'
  readonly status: SpanStatus
  /** The input, if `SpanStarted` couldn't have it: that of `respanTrace` and `traced`. */
  readonly input?: string
  /** What came out, as text, or JSON as text; for an interrupted span, what had arrived. */
  readonly output?: string
  readonly error?: SpanError
  /** The consumer unsubscribed while nothing was at work: it had what it wanted. */
  readonly leftEarly?: true
  readonly generation?: Generation
  /** The sums of a root's generations. They aren't in `generation`, so that nothing is counted twice. */
  readonly totals?: SpanTotals
}

/** What all generations below a root used together. */
export interface SpanTotals {
  readonly generations: number
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  /** USD; absent if no generation's cost is known. */
  readonly cost?: number
  /** Some token counts are estimates: of replies that were interrupted, or whose provider reports no usage. */
  readonly estimated?: true
}

/** What happens to spans. `foldSpans` makes finished spans of these events. */
export type SpanEvent = SpanStarted | SpanFirstOutput | SpanEnded

/** A finished span: the events of its start, its first output and its end as one value. */
export interface Span
  extends Omit<SpanStarted, '_tag' | 'at' | 'input'>,
    Omit<SpanEnded, keyof SpanEventHead | '_tag' | 'input'> {
  /** ms since the epoch. */
  readonly startedAt: number
  /** ms since the epoch; absent if nothing came out. */
  readonly firstOutputAt?: number
  /** ms since the epoch. */
  readonly endedAt: number
  /** What came in, as text, or JSON as text; absent if content is off. */
  readonly input?: string
}
