// node tools/servers/test.mjs, after `npm run build` and `npm ci` in this folder: tokens as the body of a response, by the
// README's own code, on servers that nobody here wrote: read to the end, left at each moment, and broken off.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const root = path('../..')
// Here, so that it finds the servers.
const project = path('build')

const run = (command, args, cwd) =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  })

rmSync(project, { recursive: true, force: true })
mkdirSync(project)
const [, block] = /```ts\n([^`]*const toBody =[^`]*)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))
const { outputText } = ts.transpileModule(`${block}\nexport { toBody }`, {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
})
writeFileSync(join(project, 'toBody.mjs'), outputText)
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'served', private: true }))
copyFileSync(path('servers.mjs'), join(project, 'servers.mjs'))

const { devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tarball = run(
  'npm',
  ['pack', '--ignore-scripts', '--silent', '--pack-destination', project],
  root,
).trim()
const peers = Object.keys(peerDependencies).map((name) => `${name}@${devDependencies[name]}`)
run(
  'npm',
  ['install', '--silent', '--no-audit', '--no-fund', '--no-package-lock', join(project, tarball), ...peers],
  project,
)

console.log(run(process.execPath, ['servers.mjs'], project).trim())
