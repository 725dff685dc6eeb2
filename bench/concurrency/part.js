// 4. Concurrency: many streams at once, and one very long one.

import { inRounds, run } from '../lib/processes.js'
import { median } from '../lib/statistics.js'
import { figure, rowsOf, table } from '../lib/table.js'

const CONTESTANTS = {
  parser: 'fetch + eventsource-parser + JSON.parse',
  respan: 'respan-rx, validated',
  respanTraced: 'respan-rx, traced',
  openaiCreate: 'openai `create`',
}

const BURSTS = [1, 100, 1_000, 5_000]
const PACED = [
  { streams: 100, shape: 'paced', ramp: 500 },
  { streams: 1_000, shape: 'paced', ramp: 1_500 },
  { streams: 5_000, shape: 'slow', ramp: 4_000 },
]

const WHY_LATE =
  'How late a timer fires is wall time, with the server on the same two cores: 25,000 tokens a second keep both of them busy.'

export const concurrency = {
  title: 'Concurrency',
  question: 'What happens with many streams at once, and with one that is larger than the heap?',

  run: async ({ quick, server }) => {
    const names = Object.keys(CONTESTANTS)
    const bursts = quick ? [1, 100] : BURSTS
    const paces = quick ? PACED.slice(0, 1) : PACED
    const rounds = await inRounds(names, quick ? 1 : 3, async (name) => {
      const common = { name, server: server.chat }
      const result = {}
      for (const streams of bursts) {
        const total = Math.max(streams, quick ? 200 : 1_500)
        result[`burst ${streams}`] = await run('concurrency/contestant.js', {
          ...common,
          mode: 'burst',
          shape: 'burst',
          streams,
          total,
        })
      }
      for (const pace of paces) {
        result[`paced ${pace.streams}`] = await run(
          'concurrency/contestant.js',
          { ...common, mode: 'paced', ...pace },
          { flags: ['--expose-gc'] },
        )
      }
      return result
    })
    const memory = []
    for (const traced of quick ? [false] : [false, true]) {
      memory.push({
        traced,
        ...(await run(
          'concurrency/memory.js',
          { server: server.chat, traced },
          { flags: ['--max-old-space-size=80'] },
        )),
      })
    }
    return { rounds, memory }
  },

  report: ({ rounds, memory }) => {
    const keys = Object.keys([...rounds.values()][0][0])
    const bursts = keys.filter((key) => key.startsWith('burst'))
    const paced = keys.filter((key) => key.startsWith('paced'))
    const of = (name, key, field) => median(rounds.get(name).map((round) => round[key][field]))
    return [
      'Bursts: chunks per second, and CPU µs per chunk, with so many streams of 100 chunks at once:',
      table(
        ['', ...bursts.map((key) => key.slice(6))],
        rowsOf(
          CONTESTANTS,
          bursts,
          (name, key) => `${figure(of(name, key, 'chunksPerSecond'))} · ${figure(of(name, key, 'cpu'))}`,
        ),
      ),
      'At the pace of a model (25 tokens a second for each stream, 10 with 5,000): how late timers fire (p99, ms), what an ' +
        'open stream holds (KB), and how busy a core is:',
      table(
        ['', ...paced.map((key) => key.slice(6))],
        rowsOf(CONTESTANTS, paced, (name, key) =>
          [
            `${figure(of(name, key, 'p99'))} ms`,
            `${figure(of(name, key, 'bytes') / 1000)} KB`,
            `${Math.round(of(name, key, 'busy') * 100)} %`,
          ].join(' · '),
        ),
      ),
      ...memory.map(
        ({ traced, characters, peakHeap, peakRss }) =>
          `A reply of ${figure(characters / 1e6)} million characters with \`collect: false\`${traced ? ', traced' : ''}, under ` +
          `\`--max-old-space-size=80\`: peak heap ${figure(peakHeap / 1e6)} MB, peak RSS ${figure(peakRss / 1e6)} MB.`,
      ),
    ]
  },

  targets: ({ rounds, memory }) => {
    const key = rounds.get('respan')[0]['paced 1000'] === undefined ? 'paced 100' : 'paced 1000'
    const late = (name) => median(rounds.get(name).map((round) => round[key].p99))
    const [own, plain] = [Math.max(late('respan'), late('respanTraced')), late('parser')]
    return [
      {
        what: `Loop delay p99 with ${key.slice(6)} streams, ms (the plain loop: ${figure(plain)})`,
        why: WHY_LATE,
        found: figure(own),
        target: '≤ 20, or as the plain loop',
        met: own <= Math.max(20, plain * 1.1),
      },
      {
        what: '96 MB through a heap of 80 MB',
        found: `${figure(Math.max(...memory.map(({ peakHeap }) => peakHeap)) / 1e6)} MB`,
        target: 'it arrives',
        met: memory.length > 0,
      },
    ]
  },
}
