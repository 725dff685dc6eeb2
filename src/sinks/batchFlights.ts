import type { Either } from 'fp-ts/lib/Either.js'
import { defer, Subscription, take } from 'rxjs'
import { left, right } from '#fp/Either'
import { fieldOf } from '../codecs/fieldOf.js'
import { Timeout } from '../errors.js'
import { withSpan } from '../tracing/currentSpan.js'
import { type FinishedSpan, toSpan } from '../tracing/foldSpans.js'
import type { Span } from '../tracing/SpanEvent.js'
import type { Batch } from './outbox.js'
import { ALL_TAKEN } from './settlement.js'
import type { Receipt, Transport } from './Transport.js'
import type { Timers } from './timers.js'

/** A batch under way. */
export interface Flight {
  readonly batch: Batch
  readonly spans: ReadonlyArray<Span>
  /** How large its request is, if it outlives the page. */
  readonly keepaliveBytes: number | undefined
  /** Breaks it off: nothing comes of it any more. */
  readonly stop: () => void
  /** When its time is over, ms. */
  readonly until: number
  /** Ends it, since its time is over. */
  readonly runOut: () => void
}

/** The batches under way. */
export interface BatchFlights {
  readonly all: ReadonlySet<Flight>
  /** Sends a batch, by a request that outlives the page if it is told how large that is. */
  readonly launch: (batch: Batch, keepaliveBytes: number | undefined) => void
  /** Ends those whose time is over and whose timer is dead: in Cloudflare's Workers, a timer ends with the request that set it. */
  readonly expire: () => void
}

/** What flights tell. */
export interface BatchFlightsHost {
  readonly time: Timers
  /** A batch is among the flights, and about to be sent. */
  readonly departed: (batch: Batch) => void
  /** A flight is over, and not among them any more. */
  readonly landed: (flight: Flight, outcome: Either<unknown, Receipt>) => void
  /** A transport threw when it was broken off. */
  readonly unstoppable: (thrown: unknown) => void
}

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
  const { time, departed, landed, unstoppable } = host
  const all = new Set<Flight>()

  const launch = (batch: Batch, keepaliveBytes: number | undefined): void => {
    const spans = batch.entries.map(({ span }) => spanOf(span))
    const subscription = new Subscription()
    const stop = (): void => {
      all.delete(flight)
      try {
        subscription.unsubscribe()
      } catch (thrown) {
        unstoppable(thrown)
      }
    }
    const runOut = (): void => land(left(new Timeout('body', timeout)))
    const flight: Flight = { batch, spans, keepaliveBytes, stop, until: time.now() + timeout, runOut }
    const land = (outcome: Either<unknown, Receipt>): void => {
      if (!all.has(flight)) return
      stop()
      landed(flight, outcome)
    }
    all.add(flight)
    departed(batch)
    // `departed` can have broken it off.
    if (subscription.closed) return
    subscription.add(time.after(timeout, runOut))
    const receipt$ = defer(() => transport(spans, keepaliveBytes === undefined ? {} : { keepalive: true }))
    // Outside every trace, whichever one made it go out: a transport that is traced would feed itself for ever.
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
    for (const { until, runOut } of all) if (time.now() >= until) runOut()
  }

  return { all, launch, expire }
}
