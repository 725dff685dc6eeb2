// node tools/build.mjs [project…]: compiles the projects and what they refer to, then bundles the library. Says so where
// it takes time: npm start would be silent for as long.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** How long, ms, a build may take without a word. */
const PATIENCE = 1_000

const notice = setTimeout(() => console.error('Building…'), PATIENCE)
const projects = process.argv.slice(2)
const tsc = 'node_modules/typescript/bin/tsc'
const compiler = spawn(process.execPath, [tsc, '-b', ...projects], { stdio: 'inherit' })
const [status] = await once(compiler, 'exit')
clearTimeout(notice)
if (status === 0) await import('./bundle.mjs')
else process.exitCode = status ?? 1
