import { describeError, numberOf } from './deliveryWarnings.js'
import type { Numbered } from './outbox.js'
import type { Spool } from './Spool.js'
import type { OpenDisk } from './spanLedger.js'
import { spooling } from './spooling.js'

/** A ledger's side of a spool: what the spool says of spans is counted, and told to those who wait for them. */
export const ledgerSpool =
  (spool: Spool): OpenDisk =>
  ({ counts, changed, move }, { waits, warnings, now, stir }) => {
    const lostOnDisk = (spans: ReadonlyArray<Numbered>, why: string): void => {
      const error = new Error(`The spool lost spans: ${why}.`)
      move(spans, 'spooled', 'dropped', error)
      const message = (): string => `${numberOf(spans.length, 'spooled span')} dropped: ${why}.`
      warnings.tell('lost', message, error)
    }

    return spooling(
      spool,
      {
        adopted: (count) => {
          counts.accepted += count
          counts.spooled += count
          waits.widen(count)
          changed()
        },
        lost: lostOnDisk,
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
  }
