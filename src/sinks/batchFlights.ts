import type { Either } from 'fp-ts/lib/Either.js'
import { defer, Subscription, take } from 'rxjs'
import { left, right } from '#fp/Either'
import { Timeout } from '../errors.js'
import { withSpan } from '../tracing/currentSpan.js'
import { type FinishedSpan, toSpan } from '../tracing/foldSpans.js'
import { guarded } from '../tracing/guarded.js'
import type { Span } from '../tracing/SpanEvent.js'
import { fieldOf } from '../util/fieldOf.js'
import type { Batch } from './outbox.js'
import { ALL_TAKEN } from './settlement.js'
import type { Receipt, Transport } from './Transport.js'
import type { Timers } from './timers.js'

/** A batch in flight. */
export interface Flight {
  readonly batch: Batch
  readonly spans: ReadonlyArray<Span>
  /** Size of the request, if it outlives the page. */
  readonly keepaliveBytes: number | undefined
  /** Aborts the flight, without an outcome. */
  readonly stop: () => void
  /** When it times out, ms. */
  readonly until: number
  /** Ends it with a `Timeout`. */
  readonly timeOut: () => void
}

/** The batches in flight. */
export interface BatchFlights {
  readonly all: ReadonlySet<Flight>
  /** Sends a batch. If `keepaliveBytes` is given, the request outlives the page. */
  readonly launch: (batch: Batch, keepaliveBytes: number | undefined) => void
  /** Ends flights that are overdue: in Cloudflare Workers, a timer dies with the request that set it. */
  readonly expire: () => void
}

/** The callbacks through which flights report. */
export interface BatchFlightsHost {
  readonly time: Timers
  /** A flight was added, and its batch is about to be sent. */
  readonly departed: (batch: Batch) => void
  /** A flight is over and was removed. */
  readonly landed: (flight: Flight, outcome: Either<unknown, Receipt>) => void
  /** A transport threw when it was unsubscribed. */
  readonly stopFailed: (thrown: unknown) => void
}

/** Flights of all sinks whose requests may outlive the page: the browser limits the bytes of all of them together. */
const outliving = new Set<Flight>()

/** Bytes of all requests in flight that may outlive the page. */
export const outlivingBytes = (): number =>
  [...outliving].reduce((sum, { keepaliveBytes = 0 }) => sum + keepaliveBytes, 0)

/** Events may have a getter that throws: then the span is sent without that field. */
const spanOf = (finished: FinishedSpan): Span => {
  try {
    return toSpan(finished)
  } catch {
    const { start, end } = finished
    return toSpan({ ...finished, start: lenient(start), end: lenient(end) })
  }
}

const lenient = <A extends object>(event: A): A => new Proxy<A>(event, { get: fieldOf })

/**
 * Sends batches over a transport, and reports exactly one outcome for each, whatever the transport does.
 *
 * @param timeout - limit of each flight, ms
 */
export const batchFlights = (transport: Transport, timeout: number, host: BatchFlightsHost): BatchFlights => {
  const { time, departed, landed, stopFailed } = host
  const all = new Set<Flight>()

  const launch = (batch: Batch, keepaliveBytes: number | undefined): void => {
    const spans = batch.entries.map(({ span }) => spanOf(span))
    const subscription = new Subscription()
    const stop = (): void => {
      all.delete(flight)
      outliving.delete(flight)
      guarded(stopFailed, () => subscription.unsubscribe())
    }
    const timeOut = (): void => land(left(new Timeout('body', timeout)))
    const flight: Flight = { batch, spans, keepaliveBytes, stop, until: time.now() + timeout, timeOut }
    const land = (outcome: Either<unknown, Receipt>): void => {
      if (!all.has(flight)) return
      stop()
      landed(flight, outcome)
    }
    all.add(flight)
    if (keepaliveBytes !== undefined) outliving.add(flight)
    departed(batch)
    // `departed` may have stopped it.
    if (subscription.closed) return
    subscription.add(time.after(timeout, timeOut))
    const receipt$ = defer(() => transport(spans, keepaliveBytes === undefined ? {} : { keepalive: true }))
    // Outside every trace, whichever one scheduled this: a traced transport would deliver its own spans, for ever.
    subscription.add(
      withSpan(undefined, () =>
        receipt$.pipe(take(1)).subscribe({
          next: (receipt) => land(right(receipt)),
          error: (thrown: unknown) => land(left(thrown)),
          complete: () => land(right(ALL_TAKEN)),
        }),
      ),
    )
  }

  const expire = (): void => {
    for (const { until, timeOut } of all) if (time.now() >= until) timeOut()
  }

  return { all, launch, expire }
}
