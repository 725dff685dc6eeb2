import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import type { Usage } from '../codecs/Usage.js'

/** What kind of work a span stands for; a `generation` goes on the wire as `log_type: "chat"`. */
export type SpanType = 'workflow' | 'task' | 'agent' | 'tool' | 'generation'

/** How a run ended. `cancelled`: work was interrupted. `truncated`: an answer broke off. */
export type SpanStatus = 'ok' | 'error' | 'cancelled' | 'truncated'

/** Where a token count comes from: the provider, our own estimate, or nowhere. */
export type UsageSource = 'reported' | 'estimated' | 'unknown'

/** A failure as a span records it. `message` and `stack` are absent when content is off and the error isn't ours. */
export interface SpanError {
  /** The `_tag` of one of ours, the `name` of another error, the type of what is none. */
  readonly tag: string
  readonly message?: string
  readonly stack?: string
  /** The HTTP status that stands for the failure: the server's own, 504 for a timeout, 502 for a cut answer, else 500. */
  readonly status: number
}

/** What only a generation's span has. */
export interface Generation {
  readonly model?: string
  readonly stream?: boolean
  readonly usage?: Usage
  readonly usageSource: UsageSource
  /** USD, when the gateway said so. */
  readonly cost?: number
  readonly finishReasons?: ReadonlyArray<string | null>
  /** Most chat parameters as they were sent, and a stored prompt's id; no messages, no secrets. */
  readonly request?: Readonly<Record<string, unknown>>
  readonly requestId?: string
  readonly logId?: string
  /** Requests made, the first one included. */
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
  readonly parentId: string | undefined
  readonly name: string
  readonly type: SpanType
  /** Names from the root down to this span's parent, joined by dots; `''` for a root. */
  readonly path: string
  /** The name of the nearest workflow: the root's, or a nested trace's. */
  readonly workflow: string
  /** The root's name. */
  readonly trace: string
  /** Text, or JSON as text; absent when content is off, and for `respanTrace` and `traced`, whose input comes later. */
  readonly input?: string
  readonly attributes?: TraceAttributes
}

/** A span's first output: a value, or the first non-empty token of a streamed reply. */
export interface SpanFirstOutput extends SpanEventHead {
  readonly _tag: 'SpanFirstOutput'
}

/** A span ended; exactly one for each `SpanStarted`. */
export interface SpanEnded extends SpanEventHead {
  readonly _tag: 'SpanEnded'
  readonly status: SpanStatus
  /** The input, unless the start had it: that of `respanTrace` and `traced`. */
  readonly input?: string
  /** What came out: text, or JSON as text; for an interrupted run what had arrived. */
  readonly output?: string
  readonly error?: SpanError
  /** The consumer had what it wanted and unsubscribed. */
  readonly leftEarly?: true
  readonly generation?: Generation
  /** A root's roll-up of its generations; under a name of its own, so that nothing is counted twice. */
  readonly totals?: SpanTotals
}

/** What the generations below a root used together. */
export interface SpanTotals {
  readonly generations: number
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  /** USD; absent when no generation knew its cost. */
  readonly cost?: number
  /** Some of the tokens are estimates, of replies that told none: left too early, or by a provider that counts none. */
  readonly estimated?: true
}

/** The life of spans as a stream of facts; the spans themselves are a fold of it. */
export type SpanEvent = SpanStarted | SpanFirstOutput | SpanEnded

/** A finished span: its start, its first output and its end in one value. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly name: string
  readonly type: SpanType
  readonly path: string
  readonly workflow: string
  readonly trace: string
  /** ms since the epoch. */
  readonly startedAt: number
  /** ms since the epoch; absent when nothing came out. */
  readonly firstOutputAt?: number
  /** ms since the epoch. */
  readonly endedAt: number
  readonly status: SpanStatus
  readonly input?: string
  readonly output?: string
  readonly error?: SpanError
  readonly leftEarly?: true
  readonly generation?: Generation
  readonly totals?: SpanTotals
  readonly attributes?: TraceAttributes
}
