import { guardedAsync, reporterOf } from '../tracing/guarded.js'
import type { DeliveryWarning } from './BufferPolicy.js'
import { isReadableError } from './isReadableError.js'
import { printable } from './printable.js'

/** What a sink warns about. */
export type WarningKind =
  | 'overflow'
  | 'paused'
  | 'dropped'
  | 'rejected'
  | 'answer'
  | 'exit'
  | 'closed'
  | 'spool'
  | 'spooled'
  | 'lost'
  | 'key'
  | 'internal'

/** A sink's warnings: few, however much goes wrong. */
export interface DeliveryWarnings {
  /** Warns, unless it has warned of the same kind since something was last delivered, or within the last minute. */
  readonly tell: (kind: WarningKind, message: () => string, error?: unknown) => void
  /** Something was delivered: what comes next is news. */
  readonly recovered: () => void
}

/** The same kind of warning is told once in this time, ms. */
const INTERVAL = 60_000

/** Longest text of somebody else's that goes into a warning, in UTF-16 code units. */
const MAX_TEXT = 300

/** An error in one line: its name, and its message, which is freed of secrets where the error is made. */
export const describeError = (error: unknown): string => {
  const text = !isReadableError(error)
    ? `a value of type ${typeof error} was thrown`
    : error.message === ''
      ? `${error.name}`
      : `${error.name}: ${error.message}`
  return inOneLine(text)
}

/** What somebody else says, as a warning repeats it. */
export const inOneLine = (text: string): string => {
  const line = printable(text).replace(/\s+/g, ' ')
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line
}

/**
 * Makes a sink's warnings.
 *
 * @param name - the sink's, which each of them begins with
 * @param onWarning - is told; the first thing that it throws is reported as a process warning
 * @param now - ms
 */
export const deliveryWarnings = (
  name: () => string,
  onWarning: (warning: DeliveryWarning) => void,
  now: () => number,
): DeliveryWarnings => {
  const lastTold = new Map<WarningKind, number>()
  const standing = new Set<WarningKind>()
  const message = (thrown: string): string =>
    `${name()}: a warning could not be handed to onWarning: ${thrown}`
  const report = reporterOf('RESPAN_DELIVERY', message)
  return {
    tell: (kind, text, error) => {
      const last = lastTold.get(kind)
      if (standing.has(kind) || (last !== undefined && now() - last < INTERVAL)) return
      lastTold.set(kind, now())
      standing.add(kind)
      const code = kind === 'key' ? 'RESPAN_MISSING_API_KEY' : 'RESPAN_DELIVERY'
      guardedAsync(report, () =>
        onWarning({ code, message: `${name()}: ${text()}`, ...(error === undefined ? {} : { error }) }),
      )
    },
    recovered: () => standing.clear(),
  }
}
