import { refuse } from '../codecs/refuse.js'
import { checkSink } from '../sinks/checkSink.js'
import type { Sink } from '../tracing/Sink.js'

/** A signal that asks a process to end, and that it may answer. */
export type EndingSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGQUIT' | 'SIGBREAK' | 'SIGUSR2'

const ENDING: Readonly<Record<EndingSignal, true>> = {
  SIGTERM: true,
  SIGINT: true,
  SIGHUP: true,
  SIGQUIT: true,
  SIGBREAK: true,
  SIGUSR2: true,
}

const isEnding = (signal: unknown): boolean => typeof signal === 'string' && Object.hasOwn(ENDING, signal)

const SIGNALS: ReadonlyArray<EndingSignal> = ['SIGTERM', 'SIGINT', 'SIGHUP']

/**
 * Delivers what a sink has before a signal ends the process; opt-in, since whoever listens for a signal keeps it from
 * ending the process.
 *
 * At the first signal the sink is closed, which writes what it has to its spool, if any, and delivers it; then the
 * signal ends the process as it would have done. A second signal ends it at once. When somebody else listens for the
 * signal too, the sink is flushed only, stays open, and the end of the process is theirs: `process.exit()` then writes
 * what is left to the spool.
 *
 * @param sink - to be flushed or closed; for several, their `sinkMonoid` sum
 * @param signals - default SIGTERM, SIGINT and SIGHUP
 * @returns stops listening
 * @throws InvalidInput for what is no sink, and for what is no list of such signals
 */
export const flushOnSignals = (sink: Sink, signals: ReadonlyArray<EndingSignal> = SIGNALS): (() => void) => {
  checkSink('flushOnSignals', 'sink', sink)
  if (!Array.isArray(signals) || !signals.every(isEnding))
    refuse('flushOnSignals', 'signals', `a list of ${Object.keys(ENDING).join(', ')}`, signals)
  // Whoever listens twice is somebody else to himself.
  const own = new Set(signals)
  const stop = (): void => {
    for (const signal of own) process.off(signal, onSignal)
  }
  const onSignal = (signal: EndingSignal): void => {
    const isOurs = process.listenerCount(signal) === 1
    // A process that somebody else keeps alive may meet more of them.
    if (isOurs) stop()
    const done = (): void => {
      // A warning of what was lost is printed in the next tick: the signal must not come before it.
      if (isOurs) setImmediate(() => process.kill(process.pid, signal))
    }
    void (isOurs ? sink.close() : sink.flush()).then(done, done)
  }
  for (const signal of own) process.on(signal, onSignal)
  return stop
}
