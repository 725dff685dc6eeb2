import { isLeft } from '#fp/Either'
import { type FinishedSpan, spanFold } from '../tracing/foldSpans.js'
import { guarded, reporterOf } from '../tracing/guarded.js'
import type { Sink } from '../tracing/Sink.js'
import type { BufferSettings } from './BufferPolicy.js'
import { batchFlights } from './batchFlights.js'
import { batching } from './batching.js'
import { counted } from './counted.js'
import { deliveryWarnings, describeError } from './deliveryWarnings.js'
import { flowControl } from './flowControl.js'
import type { Entry } from './outbox.js'
import { type FlushOutcome, pendingFlushes } from './pendingFlushes.js'
import { settlement } from './settlement.js'
import { spanBook } from './spanBook.js'
import { spanBytes } from './spanBytes.js'
import { type Place, spanLedger } from './spanLedger.js'
import type { spooling } from './spooling.js'
import type { Transport } from './Transport.js'
import { timers } from './timers.js'
import { wakeTimer } from './wakeTimer.js'
import { watchLifecycle } from './watchLifecycle.js'

/** How long a process that has nothing else to do waits for a retry, ms. */
const EXIT_PATIENCE = 5_000

/** A time before any other: the next tick. */
const SOON = Number.NEGATIVE_INFINITY

/**
 * Makes a `bufferedSink` from validated, complete settings. The code for spools is a parameter, so that bundlers can drop
 * it where there is no spool.
 *
 * @param openSpool - `spooling`, if `settings` may have a spool
 */
export const buffering = (
  transport: Transport,
  settings: BufferSettings,
  openSpool?: typeof spooling,
): Sink => {
  const time = timers(settings.scheduler)
  const report = reporterOf('RESPAN_DELIVERY', (thrown) => `a transport's destination threw: ${thrown}`)
  const name = (): string => guarded(report, () => transport.destination) ?? 'bufferedSink'
  const warnings = deliveryWarnings(name, settings.onWarning, time.now)
  const pending = pendingFlushes(name, time)
  const book = spanBook(pending)
  const { counts, stats, stats$ } = book
  const disk =
    settings.spool &&
    openSpool?.(settings.spool, book, { pending, warnings, now: time.now, wake: () => pump() })
  const ledger = spanLedger(settings, book, warnings, disk)
  const { box, settle, moveToSpool } = ledger
  const flow = flowControl(settings, time.now)
  const fold = spanFold()
  const settleFlight = settlement(settings, { counts, ledger, flow, pending, warnings, now: time.now })
  const flights = batchFlights(transport, settings.timeout, {
    time,
    departed: ledger.takeOff,
    landed: (flight, outcome) => {
      settleFlight(flight, outcome)
      pump()
    },
    stopFailed: (thrown) =>
      warnings.tell('internal', () => `a delivery could not be stopped: ${describeError(thrown)}`, thrown),
  })

  const spooled = (): number => disk?.spooled() ?? 0

  const { isFull, mayGoOut, limits, nextBatch, keepaliveBytes } = batching(transport, settings, {
    box,
    flow,
    flights: flights.all,
  })

  /** Number of the last span that was accepted. */
  let last = 0
  /** Spans up to this number don't wait for a full batch. */
  let dueUpTo = 0
  /** When the queued spans stop waiting for a full batch, ms. */
  let dueAt: number | undefined
  let closed = false
  /** Spooled spans are not read back any more. */
  let leavesSpooled = false
  let closing: Promise<FlushOutcome> | undefined

  // ── sending

  /** Reads the oldest spooled spans back. */
  const refill = (): void => {
    if (leavesSpooled || box.hasReturned()) return
    ledger.refill(limits(), () => {
      // The sink was closed while they were read.
      if (leavesSpooled) abandon(last, 'The sink was closed.')
      else pump()
    })
  }

  let pumping = false

  /** Sends what is due. A transport that answers synchronously re-enters here: the loop handles that, not the stack. */
  const pump = (): void => {
    if (pumping) return
    pumping = true
    try {
      if (dueAt !== undefined && time.now() >= dueAt) {
        dueAt = undefined
        dueUpTo = last
      }
      while (mayGoOut()) {
        refill()
        const batch = nextBatch(dueUpTo)
        if (batch === undefined) break
        flow.departed()
        flights.launch(batch, keepaliveBytes(batch))
      }
    } finally {
      pumping = false
    }
    const opensAt = flow.opensAt()
    if (flights.all.size === 0 && opensAt !== undefined)
      pending.giveUp(flow.isHopeless() ? Number.POSITIVE_INFINITY : opensAt)
    arm()
    watch()
  }

  const timer = wakeTimer(time, () => {
    flow.openIfDue()
    pump()
  })

  const arm = (): void => {
    const opensAt = flow.opensAt()
    dueAt = counts.queued === 0 ? undefined : (dueAt ?? time.now() + settings.maxDelay)
    if (dueAt === undefined && (opensAt === undefined || leavesSpooled || spooled() === 0)) {
      timer.off()
    } else if (opensAt !== undefined) timer.set(opensAt)
    // Otherwise something is in flight, and calls `pump` when it lands.
    else if (dueAt !== undefined && mayGoOut()) timer.set(dueAt)
  }

  // ── taking in

  /** Drops a span that ends without a start, or after the sink was closed. */
  const dropOrphan = (): void => {
    book.accept('dropped')
    const what = closed ? 'that end after the sink was closed' : 'whose start was not seen, or was forgotten,'
    warnings.tell(closed ? 'closed' : 'internal', () => `spans ${what} are dropped.`)
  }

  const takeIn = (span: FinishedSpan): void => {
    let bytes: number
    try {
      bytes = spanBytes(span)
    } catch (thrown) {
      // Counted here, because here it is certain that it has not been counted yet.
      book.accept('dropped')
      throw thrown
    }
    ledger.admit({ span, bytes, number: ++last }, scheduleDelivery)
  }

  /** Called before `stats$` emits: a subscriber may end the process, and the exit hooks must be in place by then. */
  const scheduleDelivery = (): void => {
    if (dueAt === undefined) arm()
    // Not in this tick: serialising a batch takes time, and would hold up the pipeline.
    if (timer.at() !== SOON && isFull() && mayGoOut()) timer.set(SOON)
    watch()
  }

  // ── flushing, closing, and the end of everything

  const flush = (timeout: number, patience: number, lastResort?: () => void): Promise<FlushOutcome> => {
    flights.expire()
    const done = pending.begin({
      upTo: last,
      waiting: { queued: counts.queued, inFlight: counts.inFlight, spooled: spooled() },
      timeout,
      patience,
      lastResort,
    })
    sendNow()
    if (leavesSpooled) {
      // Whatever is left is on the disk, and stays there.
      pending.failed(new Error('The sink was closed.'))
      pending.giveUp(Number.POSITIVE_INFINITY)
    }
    return done
  }

  /**
   * Begins a flush one microtask later, and with a spool only after looking for spans that other owners left on the disk,
   * since the flush covers them too. A disk that does not answer gets half of the time.
   *
   * @param work - called with the time that is left, ms
   */
  const begin = async (work: (timeout: number) => Promise<FlushOutcome>): Promise<FlushOutcome> => {
    await undefined
    const began = time.now()
    const looking = disk?.look()
    if (looking === undefined) return work(settings.flushTimeout)
    await waitAtMost(settings.flushTimeout / 2, looking)
    return work(Math.max(0, Math.ceil(settings.flushTimeout - (time.now() - began))))
  }

  const waitAtMost = (limit: number, done: Promise<void>): Promise<void> =>
    new Promise((resolve) => {
      const cancel = time.after(limit, resolve, true)
      void done.then(() => {
        cancel()
        resolve()
      })
    })

  /** Sends everything at once, even when paused or waiting to retry. */
  const sendNow = (): void => {
    flow.openNow()
    dueUpTo = last
    // `pump` sets a new timer. The old one may be dead: in Cloudflare Workers, a timer dies with the request that set it.
    timer.off()
    pump()
  }

  /** Spools or drops every span up to a number, and keeps later ones. Returns how many were dropped. */
  const abandon = (upTo: number, why: string): number => {
    const error = new Error(why)
    const before = counts.dropped
    leavesSpooled = true
    disk?.retryWrites()
    const giveUp = (entries: ReadonlyArray<Entry>, from: Place): void =>
      settle(moveToSpool(entries, from), from, 'dropped', error)
    // The live set rather than a copy: a callback that hears of one flight may abandon the others.
    for (const { stop, batch } of flights.all) {
      const due = batch.entries.filter(({ number }) => number <= upTo)
      if (due.length === 0) continue
      stop()
      giveUp(due, 'inFlight')
      ledger.putBack(batch.entries.filter(({ number }) => number > upTo))
    }
    giveUp(box.takeUpTo(upTo), 'queued')
    pump()
    leavesSpooled = closed
    return counts.dropped - before
  }

  const inMemory = (): ReadonlyArray<Entry> => [
    ...[...flights.all].flatMap(({ batch }) => batch.entries),
    ...box.entries(),
  ]

  /** A flush with no other after it: spans that it does not deliver are abandoned, with a warning. */
  const lastFlush = async (timeout: number, patience: number, end: string): Promise<FlushOutcome> => {
    const upTo = last
    let lost = 0
    const outcome = await flush(timeout, patience, () => {
      lost = abandon(upTo, `The ${end}.`)
    })
    if (lost > 0 && isLeft(outcome)) {
      const errors = outcome.left.failures.map(({ error }) => error)
      const message = (): string =>
        `${counted(lost, 'span')} not delivered before the ${end}: ${errors.map(describeError).join('; ')}`
      warnings.tell('exit', message, errors[0])
    }
    return outcome
  }

  const close = async (timeout: number): Promise<FlushOutcome> => {
    closed = true
    disk?.retryWrites()
    // Nothing is lost if the process is killed while this waits.
    disk?.writeAhead(inMemory())
    const outcome = await lastFlush(timeout, timeout, 'sink was closed')
    leavesSpooled = true
    disk?.close()
    arm()
    watch()
    return outcome
  }

  /** Flushes everything once; the flush keeps the process alive until it is over. */
  const onIdle = (): void => {
    if (counts.queued + counts.inFlight > 0)
      void lastFlush(settings.flushTimeout, EXIT_PATIENCE, 'process ended')
  }

  const onExit = (): void => {
    const lost = abandon(last, 'The process ended.')
    disk?.close()
    if (lost === 0) return
    warnings.tell('exit', () => `${counted(lost, 'span')} lost when the process ended.`)
  }

  /** Sends what it can and writes down the rest; a request that outlives the page is safe if the server is healthy. */
  const onHidden = (): void => {
    sendNow()
    const outliving = flow.isHealthy()
      ? [...flights.all].filter(({ keepaliveBytes }) => keepaliveBytes !== undefined)
      : []
    const safe = new Set(outliving.flatMap(({ batch }) => batch.entries))
    const atRisk = inMemory().filter((entry) => !safe.has(entry))
    disk?.retryWrites()
    disk?.writeAhead(atRisk)
    disk?.leave()
  }

  const hooks = { onIdle, onExit, onHidden }

  const watch = (): void =>
    watchLifecycle(hooks, counts.queued + counts.inFlight > 0 || disk?.isOpen() === true)

  return {
    next: (event) => {
      try {
        const finished = closed ? (event._tag === 'SpanEnded' ? 'orphan' : undefined) : fold(event)
        if (finished === 'orphan') dropOrphan()
        else if (finished !== undefined) takeIn(finished)
      } catch (thrown) {
        warnings.tell('internal', () => `a span could not be accepted: ${describeError(thrown)}`, thrown)
      }
    },
    flush: () => begin((timeout) => flush(timeout, timeout)),
    close: () => {
      closing ??= begin(close)
      return closing
    },
    stats,
    stats$,
    get traceUrl() {
      return transport.traceUrl
    },
  }
}
