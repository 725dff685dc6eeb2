import { left, right } from '#fp/Either'
import { Timeout } from '../errors.js'
import type { Sink, SinkStats } from '../tracing/Sink.js'
import type { Numbered } from './outbox.js'
import { NO_REPORT, type Whereabouts } from './sinkCounts.js'
import type { Timers } from './timers.js'

/** How a flush ends. */
export type FlushOutcome = Awaited<ReturnType<Sink['flush']>>

/** A wait until the spans that are there when it begins have met their fate. */
export interface FlushRequest {
  /** Number of the last span that it is about. */
  readonly upTo: number
  /** Where those are that have not met their fate yet; `spooled` are on a disk alone. */
  readonly waiting: Pick<SinkStats, 'queued' | 'inFlight' | 'spooled'>
  /** Ends the wait, ms. */
  readonly timeout: number
  /** No retry later than this is worth waiting for, ms from now. */
  readonly patience: number
  /** What to do with what is left when the wait is over. */
  readonly lastResort: (() => void) | undefined
}

/** All flushes under way. */
export interface Flushes {
  readonly begin: (request: FlushRequest) => Promise<FlushOutcome>
  /** Spans are somewhere else now; `error` is why they are not delivered. */
  readonly moved: (
    spans: ReadonlyArray<Numbered>,
    from: Whereabouts,
    to: Whereabouts,
    error: Error | undefined,
  ) => void
  /** Spans that are on a disk are somebody else's to deliver: nobody waits for them any more. */
  readonly ceded: (spans: ReadonlyArray<Numbered>) => void
  /** Every flush is about some more spans, which are on a disk. */
  readonly widen: (count: number) => void
  /** An attempt failed, and what it was about is still waiting. */
  readonly failed: (error: Error) => void
  /** Whether there is any. */
  readonly areWaiting: () => boolean
  /** Nothing will come before this time, ms of the timers: ends the flushes whose patience ends earlier. */
  readonly giveUp: (until: number) => void
}

/** Errors that one flush tells at most. */
const MAX_ERRORS = 10

interface Waiting {
  readonly upTo: number
  readonly patientUntil: number
  /** Where the spans are that it is about. */
  readonly counts: Record<Whereabouts, number>
  /** How many of the spooled ones are not waited for. */
  ceded: number
  readonly errors: Map<string, Error>
  readonly conclude: () => void
}

/** How many of these spans a flush is about. */
const concerned = ({ upTo }: Waiting, spans: ReadonlyArray<Numbered>): number =>
  spans.reduce((count, { number }) => (number > upTo ? count : count + 1), 0)

const tell = ({ errors }: Waiting, error: Error): void => {
  if (errors.size < MAX_ERRORS) errors.set(`${error.name}: ${error.message}`, error)
}

const concludeIfDone = ({ counts: { queued, inFlight, spooled }, ceded, conclude }: Waiting): void => {
  if (queued + inFlight + spooled === ceded) conclude()
}

/**
 * Makes the book of flushes.
 *
 * @param sink - its name in a `SinkError`
 */
export const flushes = (sink: () => string, { now, after }: Timers): Flushes => {
  const waiting = new Set<Waiting>()

  const begin: Flushes['begin'] = ({ upTo, waiting: there, timeout, patience, lastResort }) =>
    new Promise((resolve) => {
      const counts = { ...NO_REPORT, ...there }
      const errors = new Map<string, Error>()
      let concluding = false
      const conclude = (): void => {
        if (concluding) return
        concluding = true
        cancel()
        if (counts.queued + counts.inFlight > 0) lastResort?.()
        waiting.delete(flush)
        const { inFlight, ...others } = counts
        const report = { ...others, queued: others.queued + inFlight }
        const failures = [...errors.values()].map((error) => ({ sink: sink(), error }))
        resolve(
          report.queued + report.dropped + report.rejected + report.spooled === 0
            ? right(report)
            : left({ failures, report }),
        )
      }
      const flush: Waiting = { upTo, patientUntil: now() + patience, counts, ceded: 0, errors, conclude }
      waiting.add(flush)
      // Somebody awaits this, so the process has to stay alive.
      const cancel = after(
        timeout,
        () => {
          tell(flush, new Timeout('flush', timeout))
          conclude()
        },
        true,
      )
      concludeIfDone(flush)
    })

  return {
    begin,
    moved: (spans, from, to, error) => {
      for (const flush of waiting) {
        const count = concerned(flush, spans)
        flush.counts[from] -= count
        flush.counts[to] += count
        if (count > 0 && error !== undefined) tell(flush, error)
        concludeIfDone(flush)
      }
    },
    ceded: (spans) => {
      for (const flush of waiting) {
        flush.ceded += concerned(flush, spans)
        concludeIfDone(flush)
      }
    },
    widen: (count) => {
      for (const flush of waiting) flush.counts.spooled += count
    },
    failed: (error) => {
      for (const flush of waiting) tell(flush, error)
    },
    areWaiting: () => waiting.size > 0,
    giveUp: (until) => {
      for (const { patientUntil, conclude } of waiting) if (until > patientUntil) conclude()
    },
  }
}
