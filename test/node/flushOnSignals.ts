import test from 'ava'
import { flushOnSignals } from '../../dist/node/flushOnSignals.js'
import { memorySink } from '../../dist/sinks/memorySink.js'

// How a process ends by a signal is in exits.ts: it takes a process.

test.serial(
  'where somebody else answers a signal, the sink is flushed at each, and stays open',
  async (t) => {
    const reload = (): void => undefined
    process.on('SIGHUP', reload)
    t.teardown(() => process.off('SIGHUP', reload))
    const calls: Array<string> = []
    const sink = memorySink()
    const stop = flushOnSignals({
      ...sink,
      flush: () => {
        calls.push('flush')
        return sink.flush()
      },
      close: () => {
        calls.push('close')
        return sink.close()
      },
    })
    t.teardown(stop)
    for (const times of [1, 2]) {
      // Not sent: a thread gets no signals.
      process.emit('SIGHUP', 'SIGHUP')
      t.deepEqual(
        calls,
        Array.from({ length: times }, () => 'flush'),
      )
    }
    t.is(process.listenerCount('SIGTERM'), 1)
    stop()
    t.is(process.listenerCount('SIGTERM'), 0)
  },
)

test.serial('a signal that is named twice is listened for once, and so ends the process', (t) => {
  const stop = flushOnSignals(memorySink(), ['SIGUSR2', 'SIGUSR2'])
  t.teardown(stop)
  t.is(process.listenerCount('SIGUSR2'), 1)
})
