// How long a cold import takes, and what it leaves: one process each time.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { options, report } from '../lib/processes.js'

const { folder, entries } = options()
const { resolve } = createRequire(pathToFileURL(`${folder}/package.json`))
const urlOf = (entry) => (entry.startsWith('file:') ? entry : pathToFileURL(resolve(entry)).href)
const urls = entries.map(urlOf)
globalThis.gc()
const before = process.memoryUsage()
const cpu = process.cpuUsage()
const began = performance.now()
const modules = []
for (const url of urls) modules.push(await import(url))
const wall = performance.now() - began
const used = process.cpuUsage(cpu)
globalThis.gc()
const after = process.memoryUsage()
if (modules.some((module) => Object.keys(module).length === 0)) throw new Error('An empty module.')
report({
  wall,
  cpu: (used.user + used.system) / 1000,
  heap: after.heapUsed - before.heapUsed,
  rss: after.rss - before.rss,
})
