import type { ExecutionContext } from 'ava'
import { type Observable, of, throwError } from 'rxjs'
import { HttpError } from '../../dist/errors.js'
import type { BufferPolicy, DeliveryWarning } from '../../dist/sinks/BufferPolicy.js'
import { bufferedSink } from '../../dist/sinks/bufferedSink.js'
import type { Receipt, Sending, Transport } from '../../dist/sinks/Transport.js'
import type { Sink } from '../../dist/tracing/Sink.js'
import type { Span } from '../../dist/tracing/SpanEvent.js'
import { numberOf, virtualTime } from './spans.js'

/** A batch as a transport got it. */
export interface Sent {
  readonly at: number
  /** Numbers of the spans. */
  readonly spans: ReadonlyArray<number>
  readonly keepalive: boolean
}

/** What a server makes of a batch: its own receipt or error, or `undefined` to take everything. */
export type Answers = (
  spans: ReadonlyArray<Span>,
  attempt: number,
  sending: Sending,
) => Observable<Receipt> | undefined

export const taken = of<Receipt>({ rejected: [] })

/** The error of an HTTP status. */
export const status = (code: number, body?: unknown): Observable<never> =>
  throwError(() => new HttpError(`HTTP ${code}: no`, { status: code, body }))

/** Refuses a batch with 400 when one of these spans is in it. */
export const refusing =
  (...numbers: ReadonlyArray<number>): Answers =>
  (spans) =>
    spans.some((span) => numbers.includes(numberOf(span))) ? status(400) : undefined

/** A buffered sink in virtual time over a transport that a test answers for. The random half makes every wait half its bound. */
export const rig = (t: ExecutionContext, answers: Answers = () => undefined, policy: BufferPolicy = {}) => {
  const time = virtualTime(t)
  const sent: Array<Sent> = []
  const warnings: Array<DeliveryWarning> = []
  const transport: Transport = (spans, sending = {}) => {
    sent.push({ at: time.now(), spans: spans.map(numberOf), keepalive: sending.keepalive === true })
    return answers(spans, sent.length, sending) ?? taken
  }
  const sink: Sink = bufferedSink(Object.assign(transport, { destination: 'test' }), {
    scheduler: time.scheduler,
    random: () => 0.5,
    onWarning: (warning) => warnings.push(warning),
    ...policy,
  })
  return { time, sink, sent, warnings, sizes: () => sent.map(({ spans }) => spans.length) }
}
