import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft } from '#fp/Either'
import { GatewayError } from '../errors.js'
import type { SinkStats } from '../tracing/Sink.js'
import type { Span } from '../tracing/SpanEvent.js'
import { tried } from '../util/tried.js'
import type { BufferSettings } from './BufferPolicy.js'
import { complaints } from './complaints.js'
import { counted } from './counted.js'
import { type DeliveryDecision, deliveryDecision } from './deliveryDecision.js'
import { type DeliveryWarnings, describeError, inOneLine } from './deliveryWarnings.js'
import type { FlowControl } from './flowControl.js'
import { isReadableError } from './isReadableError.js'
import { type Batch, bytesIn, type Entry } from './outbox.js'
import type { PendingFlushes } from './pendingFlushes.js'
import type { SpanLedger } from './spanLedger.js'
import type { Receipt } from './Transport.js'

/** A batch that was sent, and its spans as the transport got them. */
interface Sent {
  readonly batch: Batch
  readonly spans: ReadonlyArray<Span>
}

/** Settles a batch that was sent: moves each span to where the receipt, or the failure of the transport, puts it. */
export type Settlement = (sent: Sent, outcome: Either<unknown, Receipt>) => void

/** The parts of a sink that a settlement updates. */
export interface SettlementHost {
  readonly counts: SinkStats
  readonly ledger: Pick<SpanLedger, 'settle' | 'moveToSpool' | 'putBack'>
  readonly flow: FlowControl
  readonly pending: Pick<PendingFlushes, 'failed' | 'hasAny'>
  readonly warnings: DeliveryWarnings
  readonly now: () => number
}

/** For a transport that completes without a receipt: since a failure would be an error, everything was delivered. */
export const ALL_TAKEN: Receipt = { rejected: [] }

/** How many of a receipt's warnings are passed on. */
const MAX_WARNINGS = 3

const NONE_NAMED: ReadonlyMap<number, string> = new Map()

const toError = (thrown: unknown): Error =>
  isReadableError(thrown) ? thrown : new Error(`The transport failed: ${describeError(thrown)}.`)

/** Deciding throws only for an object that has one of our tags but not the fields that belong to it. */
const decisionOn = (thrown: unknown, statuses: ReadonlyArray<number> | undefined): DeliveryDecision =>
  tried(() => deliveryDecision(thrown, statuses)) ?? { _tag: 'Retry', after: undefined }

const keyOf = ({ traceId, spanId }: Span): string => `${traceId}/${spanId}`

/** The keys of the spans that a receipt rejects; none if its shape is wrong, as it may be in JavaScript. */
const rejectedBy = (receipt: Receipt): ReadonlySet<string> =>
  tried(() => new Set(receipt.rejected.map(({ span }) => keyOf(span)))) ?? new Set()

/** The warnings of a receipt, as far as they can be converted to strings. */
const warningsOf = (receipt: Receipt): ReadonlyArray<string> => {
  const texts = tried(() => receipt.warnings?.flatMap((warning) => tried(() => String(warning)) ?? []))
  return [...new Set(texts)]
}

/** Makes the settlement of a sink's batches; see `deliveryDecision` for what each answer means. */
export const settlement = (settings: BufferSettings, host: SettlementHost): Settlement => {
  const { retry, spool } = settings
  const { counts, ledger, flow, pending, warnings } = host
  const { settle, moveToSpool, putBack } = ledger

  const delivered = ({ batch: { entries }, spans }: Sent, receipt: Receipt): void => {
    flow.responded()
    const rejected = rejectedBy(receipt)
    const isRejected = (index: number): boolean => {
      const span = spans[index]
      return span !== undefined && rejected.has(keyOf(span))
    }
    const taken = rejected.size === 0 ? entries : entries.filter((_, index) => !isRejected(index))
    if (taken.length > 0) {
      flow.delivered()
      warnings.recovered()
    }
    settle(taken, 'inFlight', 'delivered')
    if (taken.length < entries.length) {
      const reason = tried(() => `${receipt.rejected[0]?.reason ?? ''}`) || 'no reason given'
      reject(
        entries.filter((_, index) => isRejected(index)),
        new GatewayError(`The server refused spans of a batch: ${reason}`, { type: 'rejected_spans' }),
      )
    }
    const remarks = warningsOf(receipt)
    if (remarks.length === 0) return
    const lines = (): ReadonlyArray<string> => remarks.slice(0, MAX_WARNINGS).map(inOneLine)
    warnings.tell('answer', () => `the server accepted the spans and says: ${lines().join('; ')}`)
  }

  const failed = (sent: Sent, thrown: unknown): void => {
    const { batch, spans } = sent
    const { entries } = batch
    const error = toError(thrown)
    const decision = decisionOn(thrown, retry.statuses)
    switch (decision._tag) {
      case 'Delivered':
        delivered(sent, ALL_TAKEN)
        break
      case 'Retry':
        if (error.name === 'Timeout') flow.batchTimedOut(bytesIn(entries))
        retryOrGiveUp(batch, error, decision.after)
        break
      case 'Pause':
        pause(entries, error, decision.after)
        break
      case 'Isolate':
        flow.responded()
        isolate(entries, complaints(decision.body, spans).named, error)
        break
      case 'Split':
        flow.responded()
        // A single span that is too large says nothing about the size of batches.
        if (entries.length > 1) flow.batchTooLarge(bytesIn(entries))
        isolate(entries, NONE_NAMED, error)
        break
      case 'Discard':
        // Spooled spans must not be read back at once.
        if (spool !== undefined) flow.pause()
        lose(error.name === 'MissingApiKey' ? 'key' : 'dropped', entries, error)
    }
  }

  const retryOrGiveUp = ({ entries, ...before }: Batch, error: Error, after: number | undefined): void => {
    const now = host.now()
    const { wait, wasEarly } = flow.failed(after)
    const since = before.since ?? now
    // However often the sink is flushed, that uses up none of a batch's attempts.
    const failures = wasEarly ? before.failures : before.failures + 1
    if (failures <= retry.count && now + wait - since <= retry.deadline) {
      putBack(entries, { failures, since })
      pending.failed(error)
    } else {
      if (spool !== undefined) flow.retriesExhausted(wait)
      lose('dropped', entries, error)
    }
  }

  const pause = (entries: ReadonlyArray<Entry>, error: Error, after: number | undefined): void => {
    flow.pause(after)
    // Without its history: the time until the key, address or quota is fixed doesn't count against a batch.
    putBack(entries)
    pending.failed(error)
    const message = (): string =>
      `paused; ${counted(counts.queued, 'span')} kept and retried from time to time: ${describeError(error)}`
    warnings.tell('paused', message, error)
  }

  /** Narrows down which spans a batch was refused for: those that were named, a lone one, or those in one half. */
  const isolate = (entries: ReadonlyArray<Entry>, named: ReadonlyMap<number, string>, error: Error): void => {
    const half = Math.ceil(entries.length / 2)
    if (entries.length === 1) reject(entries, error)
    else if (named.size === 0) {
      putBack(entries.slice(half))
      putBack(entries.slice(0, half))
    } else {
      putBack(entries.filter((_, index) => !named.has(index)))
      reject(
        entries.filter((_, index) => named.has(index)),
        error,
      )
    }
  }

  const reject = (entries: ReadonlyArray<Entry>, error: Error): void => {
    settle(entries, 'inFlight', 'rejected', error)
    const message = (): string => `${counted(entries.length, 'span')} rejected: ${describeError(error)}`
    warnings.tell('rejected', message, error)
    // An `InvalidInput` means that the span could not be serialised, so the server has not seen it.
    if (error.name !== 'InvalidInput') flow.rejected(entries.length, pending.hasAny())
  }

  const lose = (kind: 'dropped' | 'key', entries: ReadonlyArray<Entry>, error: Error): void => {
    const lost = moveToSpool(entries, 'inFlight')
    if (lost.length > 0) {
      settle(lost, 'inFlight', 'dropped', error)
      const message = (): string => `${counted(lost.length, 'span')} dropped: ${describeError(error)}`
      warnings.tell(kind, message, error)
    } else {
      pending.failed(error)
      const message = (): string => `${counted(entries.length, 'span')} spooled: ${describeError(error)}`
      warnings.tell(kind === 'key' ? kind : 'spooled', message, error)
    }
  }

  return (sent, outcome) => {
    if (isLeft(outcome)) failed(sent, outcome.left)
    else delivered(sent, outcome.right)
  }
}
