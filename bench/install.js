// Installs the peers, each folder by its own lock file, without install scripts; nothing is done where that was done.

import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { benchPath } from './lib/processes.js'

const FOLDERS = ['.', 'peers/langfuse', 'peers/traceloop', 'peers/keywordsai']

const isInstalled = (folder) => {
  const done = benchPath(`${folder}/node_modules/.package-lock.json`)
  return (
    existsSync(done) && statSync(done).mtimeMs >= statSync(benchPath(`${folder}/package-lock.json`)).mtimeMs
  )
}

export const install = () => {
  for (const folder of FOLDERS.filter((each) => !isInstalled(each))) {
    console.error(`Installing bench/${folder}`)
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: benchPath(folder),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
}
