import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { type EndingSignal, flushOnSignals } from '../../dist/node/flushOnSignals.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { moduleFile } from '../helpers/moduleFile.js'

const own = new URL('../../dist/node/flushOnSignals.js', import.meta.url).href

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

test('several sinks, also of several copies of the library, are closed before the signal ends the process', async (t) => {
  const script = `
    import { noopSink } from 'respan-rx'
    import { flushOnSignals } from '${own}'
    import { flushOnSignals as again } from '${own}?again'
    const named = (name) => ({
      ...noopSink,
      close: () => {
        console.log(name)
        return noopSink.close()
      },
    })
    const twice = named('twice')
    for (const listen of [flushOnSignals, again]) listen(twice)
    flushOnSignals(named('other'), ['SIGTERM'])
    again(named('stopped'))()
    const ended = { ...noopSink, close: () => Promise.reject(new Error('closed')) }
    flushOnSignals(ended)
    setInterval(() => undefined, 1_000)
    console.log(process.listenerCount('SIGTERM'), process.listenerCount('SIGINT'))
    process.kill(process.pid, 'SIGTERM')`
  const child = spawn(process.execPath, [moduleFile(t, script)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  const [printed, [, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  t.is(signal, 'SIGTERM')
  t.is(printed, '1 1\ntwice\nother\n')
})

for (const order of ['before', 'after'])
  test(`an application that answers a signal once, and began to listen ${order}, ends by itself`, async (t) => {
    const script = `
      import { createServer } from 'node:http'
      import { noopSink } from 'respan-rx'
      import { flushOnSignals } from '${own}'
      const server = createServer((_, response) => {
        process.kill(process.pid, 'SIGTERM')
        setTimeout(() => response.end('answered'), 100)
      })
      const shutDown = () => {
        console.log('shutting down')
        server.close(() => {
          process.exitCode = 3
        })
      }
      const listen = () => process.once('SIGTERM', shutDown)
      if ('${order}' === 'before') listen()
      flushOnSignals({
        ...noopSink,
        flush: () => {
          console.log('flushed')
          return noopSink.flush()
        },
        close: () => console.log('closed'),
      })
      if ('${order}' === 'after') listen()
      server.listen(0, '127.0.0.1', async () => {
        const answer = await fetch('http://127.0.0.1:' + server.address().port, { headers: { connection: 'close' } })
        console.log(await answer.text())
      })`
    const child = spawn(process.execPath, [moduleFile(t, script)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
      killSignal: 'SIGKILL',
    })
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    t.is(code, 3)
    t.deepEqual(printed.trim().split('\n').sort(), ['answered', 'flushed', 'shutting down'])
  })

test.serial('a hot reload that listens again for the same sink adds no listener', (t) => {
  const sink = memorySink()
  const stops = Array.from({ length: 11 }, () => flushOnSignals(sink, ['SIGQUIT']))
  t.is(process.listenerCount('SIGQUIT'), 1)
  for (const stop of stops) {
    t.is(process.listenerCount('SIGQUIT'), 1)
    stop()
  }
  t.is(process.listenerCount('SIGQUIT'), 0)
})

test.serial('listens again where somebody has removed all listeners in between', (t) => {
  const stops = [1, 2].map(() => {
    process.removeAllListeners('SIGQUIT')
    return flushOnSignals(memorySink(), ['SIGQUIT'])
  })
  t.is(process.listenerCount('SIGQUIT'), 1)
  for (const stop of stops) stop()
  t.is(process.listenerCount('SIGQUIT'), 0)
})

test.serial('stops listening for what it was given, whatever becomes of the list', (t) => {
  const signals: Array<EndingSignal> = ['SIGQUIT']
  const stop = flushOnSignals(memorySink(), signals)
  signals.length = 0
  stop()
  t.is(process.listenerCount('SIGQUIT'), 0)
})
