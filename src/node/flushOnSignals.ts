import { refuse } from '../codecs/refuse.js'
import { checkSink } from '../sinks/checkSink.js'
import { oncePerProcess } from '../sinks/oncePerProcess.js'
import type { Sink } from '../tracing/Sink.js'

const ENDING = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2'] as const

/** A signal that asks a process to end, and that it can handle. */
export type EndingSignal = (typeof ENDING)[number]

const isEnding = (signal: unknown): boolean => ENDING.some((ending) => ending === signal)

const SIGNALS: ReadonlyArray<EndingSignal> = ['SIGTERM', 'SIGINT', 'SIGHUP']

interface Registration {
  readonly sink: Sink
  readonly stop: () => void
}

interface Watch {
  readonly listener: (signal: NodeJS.Signals) => void
  readonly registrations: Set<Registration>
}

// With a listener per copy of the library, each would leave it to the other one to end the process.
const watches = oncePerProcess('signals', () => new Map<EndingSignal, Watch>())

const newWatch = (): Watch => {
  const registrations = new Set<Registration>()
  return { listener: listenerFor(registrations), registrations }
}

const join = (signal: EndingSignal, registration: Registration): void => {
  const watch = watches().get(signal) ?? newWatch()
  // All listeners may have been removed in between, by `removeAllListeners`.
  const listens = process.listeners(signal).some((listener) => listener === watch.listener)
  // Prepended, since it counts the others, and a `once` listener that ran before it would not be there any more.
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

const listenerFor =
  (registrations: ReadonlySet<Registration>) =>
  (signal: NodeJS.Signals): void => {
    const isOurs = process.listenerCount(signal) === 1
    const all = [...registrations]
    // Otherwise the process may go on, and get more signals.
    if (isOurs) for (const { stop } of all) stop()
    const sinks = new Set(all.map(({ sink }) => sink))
    const outcomes = [...sinks].map(async (sink) => (isOurs ? sink.close() : sink.flush()))
    void Promise.allSettled(outcomes).then(() => {
      // A warning about lost spans is printed in the next tick, and the signal must not come before it.
      if (isOurs) setImmediate(() => process.kill(process.pid, signal))
    })
  }

/**
 * Delivers a sink's spans before a signal ends the process. It is opt-in, because a listener keeps a signal from ending
 * the process.
 *
 * At the first signal the sink is closed, which writes its spans to the spool, if any, and delivers them; then the signal
 * ends the process as usual. A second signal ends it at once. If there is another listener for the signal, even a `once`
 * listener, the sink is only flushed and stays open, and ending the process is up to that listener: its
 * `process.exit()` then writes the remaining spans to the spool. If it was called for several sinks, the process ends
 * once all of them are closed.
 *
 * @param sink - the sink to flush or close
 * @param signals - default SIGTERM, SIGINT and SIGHUP
 * @returns a function that stops listening
 * @throws InvalidInput if `sink` is not a sink, or `signals` not a list of such signals
 */
export const flushOnSignals = (sink: Sink, signals: ReadonlyArray<EndingSignal> = SIGNALS): (() => void) => {
  checkSink('flushOnSignals', 'sink', sink)
  if (!Array.isArray(signals) || !signals.every(isEnding))
    refuse('flushOnSignals', 'signals', `a list of signals among ${ENDING.join(', ')}`, signals)
  const own = [...signals]
  const stop = (): void => {
    for (const signal of own) leave(signal, registration)
  }
  const registration = { sink, stop }
  for (const signal of own) join(signal, registration)
  return stop
}
