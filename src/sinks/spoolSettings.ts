import * as t from 'io-ts'
import type { TimestampProvider } from 'rxjs'
import { callable, integerWithin, numberWithin, oneOf } from '../codecs/wire.js'
import type { SpoolStrength } from './Spool.js'

/** The options that all spools have, with the defaults filled in. */
export interface SpoolSettings {
  readonly strength: SpoolStrength
  readonly maxBytes: number
  /** In ms. */
  readonly maxAge: number
  /** Measures the age of spans. */
  readonly clock: TimestampProvider
}

/** The codecs of these options, to which a spool adds those of its own. */
export const spoolOptions = {
  strength: oneOf('on-failure', 'always'),
  maxBytes: integerWithin(65_536),
  maxAge: numberWithin(1),
  clock: t.type({ now: callable }, 'a clock'),
} satisfies Readonly<Record<keyof SpoolSettings, t.Mixed>>

const WEEK = 7 * 24 * 3_600_000

/**
 * Fills in the defaults of validated options.
 *
 * @param defaultBytes - for `maxBytes`
 */
export const spoolSettings = (
  { strength = 'on-failure', maxBytes, maxAge = WEEK, clock = Date }: Partial<SpoolSettings>,
  defaultBytes: number,
): SpoolSettings => ({ strength, maxBytes: maxBytes ?? defaultBytes, maxAge, clock })
