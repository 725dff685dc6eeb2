// node tools/pack-test.mjs: packs the library, installs the tarball into empty projects, and runs it there in plain
// Node: JavaScript by import and by require, and TypeScript as strict as it gets. Types don't notice a specifier
// that Node can't resolve, so only this does. Run with the Node to be tested.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The oldest that can compile a use of the library, and the last of each line since. */
const TYPESCRIPTS = ['5.2.2', '5.9.3', '6.0.3', '7.0.2']

const root = process.cwd()
const workshop = mkdtempSync(join(tmpdir(), 'respan-rx-pack-'))
const run = (cwd, command, ...args) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

const { devDependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
run(root, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', workshop)
const tarball = join(
  workshop,
  readdirSync(workshop).find((file) => file.endsWith('.tgz')),
)

const peers = Object.keys(peerDependencies).map((name) => `${name}@${devDependencies[name]}`)

const project = (name, manifest, files, extra = []) => {
  const folder = join(workshop, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, ...manifest }))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  run(folder, 'npm', 'install', '--silent', '--no-audit', '--no-fund', tarball, ...peers, ...extra)
  return folder
}

const body = `
const main = async () => {
  const local = await startLocal()
  const kept = memorySink()
  let url
  const reply = await firstValueFrom(
    of({ topic: 'packing' }).pipe(
      buildPrompt('Tell me about {{ topic }}.'),
      respanGenerate({ model: 'gpt-4o-mini', gateway: local.gateway }),
      respanTrace('Packed', { sink: sinkMonoid.concat(local.sink, kept), onStart: ({ traceUrl }) => { url = traceUrl } }),
    ),
  )
  if (!reply.replies[0].includes('packing')) throw new Error('no reply: ' + JSON.stringify(reply))
  const flushed = await local.sink.flush()
  if (flushed._tag !== 'Right' || local.spans().length !== 3 || kept.spans().length !== 3) throw new Error('no trace')
  const page = await (await fetch(url)).text()
  if (!page.includes('Packed')) throw new Error('no page')
  await local.close()
  console.log('ok')
}
main()
`

try {
  const esm = project(
    'esm',
    { type: 'module' },
    {
      'main.js': `
import { firstValueFrom, of } from 'rxjs'
import { buildPrompt, respanGenerate, respanTrace, sinkMonoid } from 'respan-rx'
import { startLocal } from 'respan-rx/local'
import { memorySink } from 'respan-rx/testing'
import { fileSpool } from 'respan-rx/node'
import { indexedDbSpool } from 'respan-rx/browser'
import manifest from 'respan-rx/package.json' with { type: 'json' }
if (manifest.name !== 'respan-rx') throw new Error('no manifest')
if (typeof fileSpool !== 'function' || typeof indexedDbSpool !== 'function') throw new Error('no spool')
${body}`,
    },
  )
  console.log(`import: ${run(esm, process.execPath, 'main.js').trim()}`)

  const cjs = project(
    'cjs',
    { type: 'commonjs' },
    {
      'main.js': `
const { firstValueFrom, of } = require('rxjs')
const { buildPrompt, respanGenerate, respanTrace, sinkMonoid } = require('respan-rx')
const { startLocal } = require('respan-rx/local')
const { memorySink } = require('respan-rx/testing')
${body}`,
    },
  )
  console.log(`require: ${run(cjs, process.execPath, 'main.js').trim()}`)

  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    // Without those of Node: who works for browsers has none.
    types: [],
    outDir: 'out',
  }
  const typescript = project(
    'typescript',
    { type: 'module' },
    {
      'tsconfig.json': JSON.stringify({ compilerOptions, include: ['main.ts'] }),
      'main.ts': `
import { type Observable, firstValueFrom, of } from 'rxjs'
import { type Reply, type Sink, buildPrompt, respanGenerate, respanTrace } from 'respan-rx'
import { type Local, startLocal } from 'respan-rx/local'
import { memorySink } from 'respan-rx/testing'
import { fileSpool } from 'respan-rx/node'
import { indexedDbSpool } from 'respan-rx/browser'
import type { Spool } from 'respan-rx'
const spools: ReadonlyArray<() => Spool> = [() => fileSpool('spool'), indexedDbSpool]
if (spools.length !== 2) throw new Error('no spools')
const local: Local = await startLocal()
const sink: Sink = memorySink()
const reply$: Observable<Reply> = of({ topic: 'types' }).pipe(
  buildPrompt('Tell me about {{ topic }}.'),
  respanGenerate({ model: 'gpt-4o-mini', gateway: local.gateway }),
  respanTrace('Typed', { sink }),
)
const { replies } = await firstValueFrom(reply$)
if (!replies[0]?.includes('types')) throw new Error('no reply')
await local.close()
console.log('ok')
`,
    },
    TYPESCRIPTS.map((version) => `typescript-${version}@npm:typescript@${version}`),
  )
  for (const version of TYPESCRIPTS) {
    rmSync(join(typescript, 'out'), { recursive: true, force: true })
    run(typescript, process.execPath, `node_modules/typescript-${version}/bin/tsc`, '-p', '.')
    console.log(`typescript ${version}: ${run(typescript, process.execPath, 'out/main.js').trim()}`)
  }
} finally {
  rmSync(workshop, { recursive: true, force: true })
}
