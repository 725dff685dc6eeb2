import * as t from 'io-ts'
import type { TimestampProvider } from 'rxjs'
import { callable, integerWithin, numberWithin, oneOf } from '../codecs/wire.js'
import type { SpoolStrength } from './Spool.js'

/** What every spool can be told, with the defaults filled in. */
export interface SpoolSettings {
  readonly strength: SpoolStrength
  readonly maxBytes: number
  /** ms. */
  readonly maxAge: number
  /** Tells the age of spans. */
  readonly clock: TimestampProvider
}

/** The codecs of these options, to be completed by those of a spool's own. */
export const spoolOptions = {
  strength: oneOf('on-failure', 'always'),
  maxBytes: integerWithin(65_536),
  maxAge: numberWithin(1),
  clock: t.type({ now: callable }, 'a clock'),
} satisfies Readonly<Record<keyof SpoolSettings, t.Mixed>>

const WEEK = 7 * 24 * 3_600_000

/**
 * Fills in the defaults of checked options.
 *
 * @param defaultBytes - for `maxBytes`
 */
export const spoolSettings = (
  { strength = 'on-failure', maxBytes, maxAge = WEEK, clock = Date }: Partial<SpoolSettings>,
  defaultBytes: number,
): SpoolSettings => ({ strength, maxBytes: maxBytes ?? defaultBytes, maxAge, clock })
