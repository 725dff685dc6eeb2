// npm run bench [-- --quick] [--parts=streaming,spans]
//
// Measures respan-rx beside its peers, on the same bytes, in the same run. Every contestant checks its own result and
// throws if it is off. A full run writes RESULTS.md and streaming.svg; `--quick` (three minutes) only shows that all of it
// works, and its figures are worth little; `--parts` prints some parts.

import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { install } from './install.js'
import { benchPath } from './lib/processes.js'

install()

// Only now, since some of them import what was installed.
const { plot } = await import('./lib/plot.js')
const { table } = await import('./lib/table.js')
const { withServer } = await import('./lib/withServer.js')

const PARTS = ['streaming', 'spans', 'pipelines', 'concurrency', 'start', 'growth', 'soak']

const flags = process.argv.slice(2)
const quick = flags.includes('--quick')
const chosen = flags
  .find((flag) => flag.startsWith('--parts='))
  ?.slice('--parts='.length)
  .split(',')
const names = PARTS.filter((name) => chosen === undefined || chosen.includes(name))

const json = (path) => JSON.parse(readFileSync(benchPath(path), 'utf8'))

const versionsIn = (folder) =>
  Object.keys(json(`${folder}/package.json`).dependencies).map((name) => {
    const { version } = json(`${folder}/node_modules/${name}/package.json`)
    return `${name} ${version}`
  })

const ownVersions = () => {
  const { version, dependencies, peerDependencies } = json('../package.json')
  const used = [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
  return [
    `respan-rx ${version}`,
    ...used.map((name) => `${name} ${json(`../node_modules/${name}/package.json`).version}`),
  ]
}

const began = Date.now()
const load = loadavg()[0]
const sections = []
const targets = []
let bars = []

for (const name of names) {
  console.error(`${name}`)
  const part = (await import(`./${name}/part.js`))[name]
  const results = await withServer((server) => part.run({ quick, server }))
  const section = [`## ${sections.length + 1}. ${part.title}`, part.question, ...part.report(results)].join(
    '\n\n',
  )
  sections.push(section)
  targets.push(...part.targets(results))
  bars = part.bars?.(results) ?? bars
  console.log(`${section}\n`)
}

const summary = table(
  ['', 'found', 'target', 'met'],
  targets.map(({ what, found, target, met }) => [what, found, target, met ? 'yes' : '**no**']),
)
console.log(`${summary}\n`)

const missed = targets
  .filter(({ met, why }) => !met && why !== undefined)
  .reduce((reasons, { what, why }) => reasons.set(why, [...(reasons.get(why) ?? []), what]), new Map())
const reasons = [...missed].map(([why, whats]) => `- *${whats.join('; ')}*: ${why}`).join('\n')

const machine = [
  `${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
  `load average ${load.toFixed(1)} at the beginning and ${loadavg()[0].toFixed(1)} at the end`,
  `every contestant on Node ${json('node_modules/node22/package.json').version}`,
].join('; ')

const document = `# Results

Made by \`npm run bench\` on ${new Date(began).toISOString().slice(0, 10)}, in ${Math.round((Date.now() - began) / 60_000)} minutes, and not edited.

Machine: ${machine}. The server shares it, and maybe others do: figures are CPU time of the whole contestant process
(all its threads, the collector and the compiler included) unless told otherwise; ratios are medians of the ratios of each
round; ± is half the interquartile range. Each contestant runs in a process of its own, once per round, in rotating order,
on the same bytes, and checks its own result.

## In short

${summary}
${reasons === '' ? '' : `\nWhy some are missed:\n\n${reasons}\n`}
![CPU time per chunk](streaming.svg)

${sections.join('\n\n')}

## Versions

${ownVersions().join(', ')}.

Peers: ${['.', 'peers/langfuse', 'peers/traceloop', 'peers/keywordsai'].flatMap(versionsIn).join(', ')}.
`

if (!quick && chosen === undefined) {
  writeFileSync(benchPath('RESULTS.md'), document)
  writeFileSync(
    benchPath('streaming.svg'),
    plot('CPU µs per streamed chunk (mss: 500 chunks of 310 bytes a stream)', bars),
  )
}
console.error(`${Math.round((Date.now() - began) / 1000)} s`)
