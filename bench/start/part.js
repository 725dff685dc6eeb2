// 5. Start: what importing costs, and what a browser has to load.

import { nodeEntry } from '../lib/build.js'
import { benchPath, inRounds, run } from '../lib/processes.js'
import { median } from '../lib/statistics.js'
import { figure, table } from '../lib/table.js'
import { bundles } from './bundles.js'

const peer = (...entries) => ({ folder: benchPath('.'), entries })
const inFolder = (folder, ...entries) => ({ folder: benchPath(`peers/${folder}`), entries })

const IMPORTS = {
  rxjs: { label: 'rxjs alone', ...peer('rxjs') },
  respan: { label: 'respan-rx (rxjs included)', folder: benchPath('.'), entries: [nodeEntry.href] },
  kyRxjs: { label: 'ky + rxjs', ...peer('ky', 'rxjs') },
  openai: { label: 'openai', ...peer('openai') },
  ai: { label: 'ai + @ai-sdk/openai-compatible', ...peer('ai', '@ai-sdk/openai-compatible') },
  langchain: {
    label: '@langchain/openai + runnables',
    ...peer('@langchain/openai', '@langchain/core/runnables'),
  },
  openTelemetry: {
    label: 'OpenTelemetry api + sdk-trace-base',
    ...peer('@opentelemetry/api', '@opentelemetry/sdk-trace-base'),
  },
  langfuse: {
    label: 'Langfuse tracing + otel',
    ...inFolder('langfuse', '@langfuse/tracing', '@langfuse/otel'),
  },
  traceloop: { label: 'Traceloop', ...inFolder('traceloop', '@traceloop/node-server-sdk') },
  keywordsai: { label: '@keywordsai/tracing (Respan)', ...inFolder('keywordsai', '@keywordsai/tracing') },
}

const WHY_IMPORT =
  'A third of it is io-ts with fp-ts, in some twenty files; the rest is the reading and compiling of our own few.'

const whyBundle = (size) =>
  'It holds the codecs of the whole wire and what compiles them, and the default sink with its policy for everything a server ' +
  `may answer: a trace without a \`sink\` must be delivered. Tracing alone is ${size('respanTrace')} KB and generating alone ` +
  `${size('respanGenerate')}, since both hold the codecs and the way out to the network; ky is 9 of each, loaded with the first ` +
  'request. What is used by neither is gone; no part is left whose absence would halve it.'

export const start = {
  title: 'Start',
  question: 'What does a cold import cost, and what does a browser load?',

  run: async ({ quick }) => ({
    imports: await inRounds(Object.keys(IMPORTS), quick ? 2 : 11, (name) => {
      const { folder, entries } = IMPORTS[name]
      return run('start/contestant.js', { folder, entries }, { flags: ['--expose-gc'] })
    }),
    bundles: await bundles(),
  }),

  report: ({ imports, bundles: made }) => {
    const of = (name, key) => median(imports.get(name).map((round) => round[key]))
    return [
      'Cold import, median of fresh processes (files in the page cache):',
      table(
        ['', 'ms', 'CPU ms', 'heap MB', 'RSS MB'],
        [...imports.keys()].map((name) => [
          IMPORTS[name].label,
          figure(of(name, 'wall')),
          figure(of(name, 'cpu')),
          figure(of(name, 'heap') / 1e6),
          figure(of(name, 'rss') / 1e6),
        ]),
      ),
      'Browser bundle by esbuild, minified, KB (1000 bytes):',
      table(
        ['', 'min', 'gzip'],
        made.map(({ label, min, gzip }) => [label, figure(min / 1000), figure(gzip / 1000)]),
      ),
    ]
  },

  targets: ({ imports, bundles: made }) => {
    const of = (name) => median(imports.get(name).map(({ wall }) => wall))
    const added = of('respan') - of('rxjs')
    const kb = (name) => made.find(({ key }) => key === name).gzip / 1000
    const size = (name) => figure(kb(name))
    const own = kb('respan')
    return [
      {
        what: 'Import over rxjs alone, ms',
        why: WHY_IMPORT,
        found: figure(added),
        target: '≤ 60',
        met: added <= 60,
      },
      {
        what: 'Trace + generate in a browser, peers external, KB gzip',
        why: whyBundle(size),
        found: figure(own),
        target: '≤ 25',
        met: own <= 25,
      },
    ]
  },
}
