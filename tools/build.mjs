// node tools/build.mjs [project…]: compiles the projects and what they refer to, deletes what was made of sources that are
// gone, then bundles the library. Says so where it takes time: npm start would be silent for as long.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, sep } from 'node:path'

/** How long, ms, a build may take without a word. */
const PATIENCE = 1_000

/** What tsc makes of which sources, beside what is not its own. */
const MADE = [
  { folder: 'dist', sources: 'src', other: 'bundle' },
  { folder: 'build', sources: 'test', other: 'examples' },
  { folder: 'build/examples', sources: 'examples' },
]

/** tsc leaves what it made of a file that is gone: the test would still run, and the module be packed. */
const sweep = ({ folder, sources, other }) => {
  for (const file of existsSync(folder) ? readdirSync(folder, { recursive: true }) : []) {
    const [, name] = /^(.+)\.js\.map$/.exec(file) ?? []
    if (name === undefined || name.split(sep)[0] === other || existsSync(join(sources, `${name}.ts`)))
      continue
    for (const ending of ['js', 'js.map', 'd.ts']) rmSync(join(folder, `${name}.${ending}`), { force: true })
  }
}

const notice = setTimeout(() => console.error('Building…'), PATIENCE)
const projects = process.argv.slice(2)
const tsc = 'node_modules/typescript/bin/tsc'
const compiler = spawn(process.execPath, [tsc, '-b', ...projects], { stdio: 'inherit' })
const [status] = await once(compiler, 'exit')
clearTimeout(notice)
if (status === 0) {
  MADE.forEach(sweep)
  await import('./bundle.mjs')
} else process.exitCode = status ?? 1
