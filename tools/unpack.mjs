import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const run = (command, args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

/**
 * Puts what npm packs into a project of a framework's test, as if it were installed there. What the library needs is found
 * further up: its peers where the framework finds them, too, the rest where the library's own tests do, as locked.
 */
export const unpack = (project) => {
  const folder = join(project, 'node_modules/respan-rx')
  mkdirSync(folder, { recursive: true })
  const tarball = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project]).trim()
  run('tar', ['-xzf', join(project, tarball), '-C', folder, '--strip-components=1'])
}
