import { left, right } from '#fp/Either'
import { Timeout } from '../errors.js'
import type { Sink, SinkStats } from '../tracing/Sink.js'
import type { Numbered } from './outbox.js'
import { NO_REPORT, type Whereabouts } from './sinkCounts.js'
import type { Timers } from './timers.js'

/** The result of a flush. */
export type FlushOutcome = Awaited<ReturnType<Sink['flush']>>

/** A flush, which waits until the spans that are there when it begins are settled. */
export interface FlushRequest {
  /** Number of the last span that it covers. */
  readonly upTo: number
  /** Where the spans that it waits for are now; `spooled` ones are only on a disk. */
  readonly waiting: Pick<SinkStats, 'queued' | 'inFlight' | 'spooled'>
  /** How long it waits at most, ms. */
  readonly timeout: number
  /** How long a retry is worth waiting for, ms from now. */
  readonly patience: number
  /** Called when the wait is over and spans are left in memory. */
  readonly lastResort: (() => void) | undefined
}

/** All flushes that have not ended. */
export interface PendingFlushes {
  readonly begin: (request: FlushRequest) => Promise<FlushOutcome>
  /** Spans were moved; `error` says why they are not delivered. */
  readonly moved: (
    spans: ReadonlyArray<Numbered>,
    from: Whereabouts,
    to: Whereabouts,
    error: Error | undefined,
  ) => void
  /** Spooled spans now belong to another process: flushes stop waiting for them. */
  readonly ceded: (spans: ReadonlyArray<Numbered>) => void
  /** Makes every flush cover so many more spans, which are spooled. */
  readonly addSpooled: (count: number) => void
  /** An attempt failed, and its spans still wait. */
  readonly failed: (error: Error) => void
  readonly hasAny: () => boolean
  /** Nothing can be delivered before a time, ms of the timers: ends the flushes whose patience ends earlier. */
  readonly giveUp: (until: number) => void
}

/** How many errors one flush reports at most. */
const MAX_ERRORS = 10

interface PendingFlush {
  readonly upTo: number
  readonly patientUntil: number
  /** Where the spans that it covers are. */
  readonly counts: Record<Whereabouts, number>
  /** How many of the spooled ones it does not wait for. */
  ceded: number
  readonly errors: Map<string, Error>
  readonly conclude: () => void
}

/** How many of these spans a flush covers. */
const covered = ({ upTo }: PendingFlush, spans: ReadonlyArray<Numbered>): number =>
  spans.reduce((count, { number }) => (number > upTo ? count : count + 1), 0)

const addError = ({ errors }: PendingFlush, error: Error): void => {
  if (errors.size < MAX_ERRORS) errors.set(`${error.name}: ${error.message}`, error)
}

const concludeIfDone = ({ counts: { queued, inFlight, spooled }, ceded, conclude }: PendingFlush): void => {
  if (queued + inFlight + spooled === ceded) conclude()
}

/**
 * Keeps track of a sink's flushes.
 *
 * @param sink - name of the sink in a `SinkError`
 */
export const pendingFlushes = (sink: () => string, { now, after }: Timers): PendingFlushes => {
  const pending = new Set<PendingFlush>()

  const begin: PendingFlushes['begin'] = ({ upTo, waiting, timeout, patience, lastResort }) =>
    new Promise((resolve) => {
      const counts = { ...NO_REPORT, ...waiting }
      const errors = new Map<string, Error>()
      let concluding = false
      const conclude = (): void => {
        if (concluding) return
        concluding = true
        cancel()
        if (counts.queued + counts.inFlight > 0) lastResort?.()
        pending.delete(flush)
        const { inFlight, ...others } = counts
        const report = { ...others, queued: others.queued + inFlight }
        const failures = [...errors.values()].map((error) => ({ sink: sink(), error }))
        resolve(
          report.queued + report.dropped + report.rejected + report.spooled === 0
            ? right(report)
            : left({ failures, report }),
        )
      }
      const flush: PendingFlush = {
        upTo,
        patientUntil: now() + patience,
        counts,
        ceded: 0,
        errors,
        conclude,
      }
      pending.add(flush)
      // The caller awaits this, so the process has to stay alive.
      const cancel = after(
        timeout,
        () => {
          addError(flush, new Timeout('flush', timeout))
          conclude()
        },
        true,
      )
      concludeIfDone(flush)
    })

  return {
    begin,
    moved: (spans, from, to, error) => {
      for (const flush of pending) {
        const count = covered(flush, spans)
        flush.counts[from] -= count
        flush.counts[to] += count
        if (count > 0 && error !== undefined) addError(flush, error)
        concludeIfDone(flush)
      }
    },
    ceded: (spans) => {
      for (const flush of pending) {
        flush.ceded += covered(flush, spans)
        concludeIfDone(flush)
      }
    },
    addSpooled: (count) => {
      for (const flush of pending) flush.counts.spooled += count
    },
    failed: (error) => {
      for (const flush of pending) addError(flush, error)
    },
    hasAny: () => pending.size > 0,
    giveUp: (until) => {
      for (const { patientUntil, conclude } of pending) if (until > patientUntil) conclude()
    },
  }
}
