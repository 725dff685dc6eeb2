import { setTimeout } from 'node:timers/promises'

/** Waits. Resolves to `true` when the time is over, to `false` when the signal is aborted first. */
export const sleep = async (ms: number, signal: AbortSignal): Promise<boolean> => {
  if (signal.aborted) return false
  if (ms <= 0) return true
  // Node's timers hold at most 2^31 - 1 ms; a longer wait would fire at once.
  return setTimeout(Math.min(ms, 0x7fffffff), true, { signal }).catch(() => false)
}
