import type { Ids } from '../tracing/Ids.js'

/**
 * Ids that count, `…0001`, `…0002`, separately for traces (32 hex digits) and spans (16).
 *
 * @returns ids that begin at 1, so that each test can name its own
 */
export const deterministicIds = (): Ids => {
  const counter = (digits: number): (() => string) => {
    let count = 0
    return () => (++count).toString(16).padStart(digits, '0')
  }
  return { trace: counter(32), span: counter(16) }
}
