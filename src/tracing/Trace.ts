import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import type { Mutable } from '../util/Mutable.js'
import type { SpanEvent, SpanTotals } from './SpanEvent.js'

/** What all spans of a trace share. A nested `respanTrace` has its own, which can only be stricter about content. */
export interface Trace {
  readonly id: string
  readonly url: string | undefined
  /** The root's name. */
  readonly name: string
  /** The nearest workflow's name. */
  readonly workflow: string
  readonly now: () => number
  readonly spanId: () => string
  /** Hands an event to the sink; never throws. */
  readonly emit: (event: SpanEvent) => void
  /** The redacted form of content; `undefined` when redaction failed. Never throws. */
  readonly redact: (content: unknown) => unknown
  /** Functions that remove from a text the newest secrets that gateways have sent within the trace. Generations add them. */
  readonly scrubs: Set<(text: string) => string>
  readonly captureContent: boolean
  readonly maxContentBytes: number
  readonly attributes: TraceAttributes | undefined
  readonly deep: boolean
  readonly asyncContext: boolean
  /** The sums of the trace's generations, which add to them. */
  readonly totals: Mutable<SpanTotals>
}
