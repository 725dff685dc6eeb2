import { isoTime } from '../traceView.js'

/** With at most this many digits, of which there is at least one, after the point. */
const trimmed = (n: number, digits: number): string => n.toFixed(digits).replace(/\.?0+$/u, '')

const padded = (n: number): string => String(n).padStart(2, '0')

/** A duration for people to read: `0.42 ms`, `412 ms`, `1.25 s`, `2 m 05 s`, `3 h 20 m`, `12 d 04 h`. */
export const formatDuration = (ms: number): string => {
  if (!(ms > 0)) return '0 ms'
  if (ms < 10) return `${trimmed(ms, 2)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_995) return `${trimmed(ms / 1000, 2)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${padded(seconds % 60)} s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} m`
  const hours = Math.round(ms / 3_600_000)
  // More than a thousand years is a client's mistake, and may have three hundred digits.
  return hours < 8_766_000 ? `${Math.floor(hours / 24)} d ${padded(hours % 24)} h` : 'over 1,000 years'
}

/** A count with separators: `12,345`. */
export const formatCount = (n: number): string => n.toLocaleString('en-US')

/** A count of tokens; `~12` when it is a guess. */
export const formatTokens = (n: number, { estimated }: { readonly estimated: boolean }): string =>
  `${estimated ? '~' : ''}${formatCount(n)}`

/** An amount of USD, readable at any size: `$0.0000182`, `$0.012`, `$1.20`. */
export const formatCost = (usd: number): string => {
  if (usd === 0) return '$0'
  if (usd >= 0.01) return `$${usd.toFixed(usd < 1 ? 3 : 2)}`
  const digits = Math.min(12, 2 - Math.floor(Math.log10(usd)))
  return `$${trimmed(usd, digits)}`
}

/** A moment in UTC, to the ms: `2026-03-07 08:00:00.003`. */
export const formatTime = (ms: number): string => isoTime(ms)?.replace('T', ' ').replace('Z', '') ?? 'unknown'

/** At most 200 characters of a name, an id or another word, which is longer only when somebody means harm. */
export const shortened = (text: string): string => (text.length <= 200 ? text : `${text.slice(0, 200)}…`)
