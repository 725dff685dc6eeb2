import { type DeliveryWarnings, describeError, numberOf } from './deliveryWarnings.js'
import type { Flushes } from './flushes.js'
import type { Spool } from './Spool.js'
import type { SpanBook } from './spanBook.js'
import { type Spooling, spooling } from './spooling.js'

/** Whom a sink's side of its spool tells. */
export interface DiskHost {
  readonly waits: Pick<Flushes, 'failed' | 'ceded' | 'widen'>
  readonly warnings: DeliveryWarnings
  readonly now: () => number
  /** There may be something to do. */
  readonly stir: () => void
}

/** Makes a sink's side of its spool. */
export type OpenDisk = (book: SpanBook, host: DiskHost) => Spooling

/** A sink's side of its spool: what the spool says of spans is counted, and told to those who wait for them. */
export const openDisk =
  (spool: Spool): OpenDisk =>
  ({ accept, move }, { waits, warnings, now, stir }) =>
    spooling(
      spool,
      {
        adopted: (count) => {
          waits.widen(count)
          accept('spooled', count)
        },
        lost: (spans, why) => {
          const error = new Error(`The spool lost spans: ${why}.`)
          move(spans, 'spooled', 'dropped', error)
          const message = (): string => `${numberOf(spans.length, 'spooled span')} dropped: ${why}.`
          warnings.tell('lost', message, error)
        },
        ceded: (spans) => {
          const error = new Error('Another process took this one for dead, and its spool over.')
          waits.failed(error)
          waits.ceded(spans)
          const message = (): string =>
            `${numberOf(spans.length, 'spooled span')} left to another process, which took this one for dead.`
          warnings.tell('spool', message, error)
        },
        trouble: (error) => {
          const message = (): string => `the spool fails: ${describeError(error)}`
          warnings.tell('spool', message, error)
        },
        stir,
      },
      now,
    )
