// node tools/servers/test.mjs, after `npm run build` and `npm ci` in this folder: tokens as the body of a response, by the
// README's own code, on servers that nobody here wrote: read to the end, left at each moment, and broken off.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toBody } from '../toBody.mjs'
import { unpack } from '../unpack.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
// Here, so that it finds the servers.
const project = path('build')

rmSync(project, { recursive: true, force: true })
mkdirSync(project)
writeFileSync(join(project, 'toBody.mjs'), toBody())
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'served', private: true }))
copyFileSync(path('servers.mjs'), join(project, 'servers.mjs'))

unpack(project)

execFileSync(process.execPath, [join(project, 'servers.mjs')], {
  stdio: ['ignore', 'inherit', 'inherit'],
  timeout: 60_000,
})
