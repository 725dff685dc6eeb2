import type { Ids } from '../tracing/ids.js'

/**
 * Ids that count: `…0001`, `…0002`, traces (32 hex digits) and spans (16) apart.
 *
 * @returns a new count, so that each test begins at 1
 */
export const deterministicIds = (): Ids => {
  const counter = (digits: number): (() => string) => {
    let count = 0
    return () => (++count).toString(16).padStart(digits, '0')
  }
  return { trace: counter(32), span: counter(16) }
}
