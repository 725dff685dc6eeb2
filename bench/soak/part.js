// 7. Soak: a million spans through a service, delivered over HTTP; and the same with a server that is down half the time.

import { run } from '../lib/processes.js'
import { figure, table } from '../lib/table.js'

const RATE = 10_000
const OUTAGE = 2_000

const VARIANTS = {
  noop: 'spans made, none kept (noopSink)',
  delivered: 'delivered',
  interrupted: 'delivered, server down half the time',
}

const variant = async (name, server, spans) => {
  let down = false
  const toggle = () => {
    down = !down
    server.refuse(down)
  }
  const outages = name === 'interrupted' ? setInterval(toggle, OUTAGE) : undefined
  const before = await server.counts()
  const sink = name === 'noop' ? 'noop' : 'buffered'
  const running = run('soak/contestant.js', { server: server.ingest, sink, spans, rate: RATE })
  try {
    const result = await running
    const { spans: arrived } = await server.counts()
    return { ...result, arrived: arrived - before.spans }
  } finally {
    clearInterval(outages)
    server.refuse(false)
  }
}

const checked = (name, result) => {
  const { accepted, delivered, dropped, rejected, spooled, queued, inFlight } = result.stats
  if (accepted !== delivered + dropped + rejected + spooled + queued + inFlight)
    throw new Error(`${name}: the sum is off.`)
  if (name === 'noop') return result
  if (accepted !== result.spans)
    throw new Error(`${name}: ${accepted} of ${result.spans} spans were accepted.`)
  if (result.arrived < delivered)
    throw new Error(`${name}: ${result.arrived} of ${delivered} delivered spans arrived.`)
  return result
}

export const soak = {
  title: 'Soak',
  question: `What does a service feel that records ${RATE.toLocaleString('en-US')} spans a second for minutes?`,

  run: async ({ quick, server }) => {
    const results = new Map()
    for (const name of Object.keys(VARIANTS)) {
      const spans = quick ? 60_000 : name === 'noop' ? 200_000 : 1_000_000
      results.set(name, checked(name, await variant(name, server, spans)))
      process.stderr.write('.')
    }
    process.stderr.write('\n')
    return results
  },

  report: (results) => {
    const rss = (samples, part) =>
      samples[Math.min(samples.length - 1, Math.floor(samples.length * part))].rss / 1e6
    const rows = [...results].map(([name, { spans, cpu, late, took, samples, stats }]) => [
      VARIANTS[name],
      figure(spans),
      figure(cpu),
      `${figure(late.p99)} / ${figure(late.max)}`,
      `${figure(took.p50)} / ${figure(took.p99)}`,
      [0.1, 0.5, 0.99].map((part) => figure(rss(samples, part))).join(' → '),
      figure(stats.delivered),
      figure(stats.dropped),
      figure(Math.max(...samples.map(({ queued }) => queued))),
    ])
    return [
      table(
        [
          '',
          'spans',
          'CPU µs/span',
          'timers late, ms (p99 / max)',
          'operation, ms (p50 / p99)',
          'RSS MB (early → half → end)',
          'delivered',
          'dropped',
          'longest queue',
        ],
        rows,
      ),
    ]
  },

  targets: (results) => {
    const all = (name) => {
      const { stats, spans } = results.get(name)
      return {
        found: `${figure(stats.delivered)} of ${figure(spans)}`,
        target: 'all',
        met: stats.delivered === spans,
      }
    }
    const grown = ({ samples }) => samples.at(-1).rss / samples[Math.floor(samples.length / 2)].rss
    const growth = Math.max(grown(results.get('delivered')), grown(results.get('interrupted')))
    return [
      { what: 'Spans delivered in the soak', ...all('delivered') },
      { what: 'Spans delivered, server down half the time', ...all('interrupted') },
      {
        what: 'RSS at the end of a soak against half way, the worse of both',
        found: `${figure(growth)}×`,
        target: '≤ 1.2×',
        met: growth <= 1.2,
      },
    ]
  },
}
