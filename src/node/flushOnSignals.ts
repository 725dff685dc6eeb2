import { refuse } from '../codecs/refuse.js'
import { checkSink } from '../sinks/checkSink.js'
import { oncePerProcess } from '../sinks/oncePerProcess.js'
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

interface Registration {
  readonly sink: Sink
  readonly stop: () => void
}

interface Watch {
  readonly listener: (signal: NodeJS.Signals) => void
  readonly registrations: Set<Registration>
}

// Two listeners would each take the other for somebody else, who ends the process.
const watches = oncePerProcess('signals', () => new Map<EndingSignal, Watch>())

const newWatch = (): Watch => {
  const registrations = new Set<Registration>()
  return { listener: answer(registrations), registrations }
}

const join = (signal: EndingSignal, registration: Registration): void => {
  const watch = watches().get(signal) ?? newWatch()
  // Somebody may have removed all listeners in between.
  const listens = process.listeners(signal).some((listener) => listener === watch.listener)
  // First: by the time that it counts the others, one that listens once has left.
  if (!listens) process.prependListener(signal, watch.listener)
  watches().set(signal, watch)
  watch.registrations.add(registration)
}

const leave = (signal: EndingSignal, registration: Registration): void => {
  const watch = watches().get(signal)
  if (watch === undefined) return
  watch.registrations.delete(registration)
  if (watch.registrations.size > 0) return
  watches().delete(signal)
  process.off(signal, watch.listener)
}

const answer =
  (registrations: ReadonlySet<Registration>) =>
  (signal: NodeJS.Signals): void => {
    const isOurs = process.listenerCount(signal) === 1
    const all = [...registrations]
    // A process that somebody else keeps alive may meet more of them.
    if (isOurs) for (const { stop } of all) stop()
    const sinks = new Set(all.map(({ sink }) => sink))
    const ends = [...sinks].map(async (sink) => (isOurs ? sink.close() : sink.flush()))
    void Promise.allSettled(ends).then(() => {
      // A warning of what was lost is printed in the next tick: the signal must not come before it.
      if (isOurs) setImmediate(() => process.kill(process.pid, signal))
    })
  }

/**
 * Delivers what a sink has before a signal ends the process; opt-in, since whoever listens for a signal keeps it from
 * ending the process.
 *
 * At the first signal the sink is closed, which writes what it has to its spool, if any, and delivers it; then the
 * signal ends the process as it would have done. A second signal ends it at once. When somebody else listens for the
 * signal too, be it once, the sink is flushed only, stays open, and the end of the process is theirs: `process.exit()`
 * then writes what is left to the spool. Called for several sinks, it ends the process once all are closed.
 *
 * @param sink - to be flushed or closed
 * @param signals - default SIGTERM, SIGINT and SIGHUP
 * @returns stops listening
 * @throws InvalidInput for what isn't a sink, and for what isn't a list of such signals
 */
export const flushOnSignals = (sink: Sink, signals: ReadonlyArray<EndingSignal> = SIGNALS): (() => void) => {
  checkSink('flushOnSignals', 'sink', sink)
  if (!Array.isArray(signals) || !signals.every(isEnding))
    refuse('flushOnSignals', 'signals', `a list of ${Object.keys(ENDING).join(', ')}`, signals)
  const own = [...signals]
  const stop = (): void => {
    for (const signal of own) leave(signal, registration)
  }
  const registration = { sink, stop }
  for (const signal of own) join(signal, registration)
  return stop
}
