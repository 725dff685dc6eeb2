import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from '#fp/Either'
import { Timeout } from '../errors.js'
import type { FlushReport, SinkError } from '../tracing/Sink.js'
import type { Entry } from './outbox.js'
import { NO_REPORT } from './sinkCounts.js'
import type { Timers } from './timers.js'

/** What can become of a span for good. */
export type Fate = 'delivered' | 'dropped' | 'rejected'

/** Somebody waits until the spans that were there when he came have met their fate. */
export interface FlushRequest {
  /** Number of the last span that it is about. */
  readonly upTo: number
  /** How many of them have not met their fate yet. */
  readonly waiting: number
  /** How many of these are on a disk alone. */
  readonly spooled: number
  /** Ends the wait, ms. */
  readonly timeout: number
  /** No retry later than this is worth waiting for, ms from now. */
  readonly patience: number
  /** What to do with what is left when the wait is over. */
  readonly lastResort: (() => void) | undefined
}

/** All flushes under way. */
export interface Flushes {
  readonly begin: (request: FlushRequest) => Promise<Either<SinkError, FlushReport>>
  /** Spans have met their fate; `error` is why it isn't `delivered`. */
  readonly settled: (entries: ReadonlyArray<Numbered>, fate: Fate, error: Error | undefined) => void
  /** Spans are on a disk alone now, or no longer. */
  readonly rested: (entries: ReadonlyArray<Numbered>, onDisk: boolean) => void
  /** Spans that are on a disk are somebody else's to deliver: nobody waits for them any more. */
  readonly ceded: (spans: ReadonlyArray<Numbered>) => void
  /** Every flush is about some more spans, which are on a disk. */
  readonly widen: (count: number) => void
  /** An attempt failed, and what it was about is still waiting. */
  readonly failed: (error: Error) => void
  /** Whether there is any. */
  readonly areWaiting: () => boolean
  /** Ends the flushes whose patience ends at a time that it is true of, ms of the timers: nothing will come by then. */
  readonly giveUp: (when: (patientUntil: number) => boolean) => void
}

type Numbered = Pick<Entry, 'number'>

/** Errors that one flush tells at most. */
const MAX_ERRORS = 10

interface Waiting {
  readonly patientUntil: number
  /** Returns whether the flush is about this span. */
  readonly add: (entry: Numbered, fate: Fate) => boolean
  readonly rest: (entry: Numbered, count: 1 | -1) => void
  readonly cede: (entry: Numbered) => void
  readonly widen: (count: number) => void
  readonly tell: (error: Error) => void
  readonly isDone: () => boolean
  readonly conclude: () => void
}

/**
 * Makes the book of flushes.
 *
 * @param sink - its name in a `SinkError`
 */
export const flushes = (sink: () => string, { now, after }: Timers): Flushes => {
  const waiting = new Set<Waiting>()

  const begin: Flushes['begin'] = ({ upTo, waiting: count, spooled, timeout, patience, lastResort }) => {
    const report = { ...NO_REPORT, queued: count - spooled, spooled }
    const errors = new Map<string, Error>()
    let concluding = false
    /** How many of the spooled ones are not waited for. */
    let ceded = 0
    let resolve: (outcome: Either<SinkError, FlushReport>) => void
    const done = new Promise<Either<SinkError, FlushReport>>((take) => {
      resolve = take
    })
    const flush: Waiting = {
      patientUntil: now() + patience,
      add: ({ number }, fate) => {
        if (number > upTo) return false
        report[fate]++
        report.queued--
        return true
      },
      tell: (error) => {
        if (errors.size < MAX_ERRORS) errors.set(`${error.name}: ${error.message}`, error)
      },
      rest: ({ number }, count) => {
        if (number > upTo) return
        report.spooled += count
        report.queued -= count
      },
      cede: ({ number }) => {
        if (number <= upTo) ceded++
      },
      widen: (count) => {
        report.spooled += count
      },
      isDone: () => report.queued + report.spooled === ceded,
      conclude: () => {
        if (concluding) return
        concluding = true
        cancel()
        if (report.queued > 0) lastResort?.()
        waiting.delete(flush)
        const failures = [...errors.values()].map((error) => ({ sink: sink(), error }))
        resolve(
          report.queued + report.dropped + report.rejected + report.spooled === 0
            ? right(report)
            : left({ failures, report }),
        )
      },
    }
    waiting.add(flush)
    // Somebody awaits this, so the process has to stay alive.
    const cancel = after(
      timeout,
      () => {
        flush.tell(new Timeout('flush', timeout))
        flush.conclude()
      },
      true,
    )
    if (flush.isDone()) flush.conclude()
    return done
  }

  return {
    begin,
    settled: (entries, fate, error) => {
      for (const flush of waiting) {
        let mine = false
        for (const entry of entries) mine = flush.add(entry, fate) || mine
        if (mine && error !== undefined) flush.tell(error)
        if (flush.isDone()) flush.conclude()
      }
    },
    rested: (entries, onDisk) => {
      for (const flush of waiting) for (const entry of entries) flush.rest(entry, onDisk ? 1 : -1)
    },
    ceded: (spans) => {
      for (const flush of waiting) {
        for (const span of spans) flush.cede(span)
        if (flush.isDone()) flush.conclude()
      }
    },
    widen: (count) => {
      for (const flush of waiting) flush.widen(count)
    },
    failed: (error) => {
      for (const flush of waiting) flush.tell(error)
    },
    areWaiting: () => waiting.size > 0,
    giveUp: (when) => {
      for (const flush of waiting) if (when(flush.patientUntil)) flush.conclude()
    },
  }
}
