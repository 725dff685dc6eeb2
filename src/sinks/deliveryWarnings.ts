import { guardedAsync, reporterOf } from '../tracing/guarded.js'
import type { DeliveryWarning } from './BufferPolicy.js'
import { isReadableError } from './isReadableError.js'
import { printable } from './printable.js'

/** The subject of a sink's warning. */
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

/** A sink's warnings, which stay few however much goes wrong. */
export interface DeliveryWarnings {
  /** Warns, unless there was a warning of this kind since something was last delivered, or within the last minute. */
  readonly tell: (kind: WarningKind, message: () => string, error?: unknown) => void
  /** Something was delivered: the next failure is news. */
  readonly recovered: () => void
}

/** The shortest time between two warnings of the same kind, ms. */
const INTERVAL = 60_000

/** Longest foreign text that a warning quotes, in UTF-16 code units. */
const MAX_TEXT = 300

/** An error in one line: its name and its message, which was scrubbed of secrets when the error was made. */
export const describeError = (error: unknown): string => {
  const text = !isReadableError(error)
    ? `a value of type ${typeof error} was thrown`
    : error.message === ''
      ? `${error.name}`
      : `${error.name}: ${error.message}`
  return inOneLine(text)
}

/** Foreign text as a warning quotes it: in one line, and bounded. */
export const inOneLine = (text: string): string => {
  const line = printable(text).replace(/\s+/g, ' ')
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line
}

/**
 * Makes a sink's warnings.
 *
 * @param name - name of the sink, with which each warning begins
 * @param onWarning - receives the warnings; the first thing that it throws is reported as a process warning
 * @param now - ms
 */
export const deliveryWarnings = (
  name: () => string,
  onWarning: (warning: DeliveryWarning) => void,
  now: () => number,
): DeliveryWarnings => {
  const lastTold = new Map<WarningKind, number>()
  const sinceRecovery = new Set<WarningKind>()
  const message = (thrown: string): string => `${name()}: onWarning failed: ${thrown}`
  const report = reporterOf('RESPAN_DELIVERY', message)
  return {
    tell: (kind, text, error) => {
      const last = lastTold.get(kind)
      if (sinceRecovery.has(kind) || (last !== undefined && now() - last < INTERVAL)) return
      lastTold.set(kind, now())
      sinceRecovery.add(kind)
      const code = kind === 'key' ? 'RESPAN_MISSING_API_KEY' : 'RESPAN_DELIVERY'
      guardedAsync(report, () =>
        onWarning({ code, message: `${name()}: ${text()}`, ...(error === undefined ? {} : { error }) }),
      )
    },
    recovered: () => sinceRecovery.clear(),
  }
}
