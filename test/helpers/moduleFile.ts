import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ExecutionContext } from 'ava'

/**
 * Writes a module for a process of its own to run, which is gone with the test: not every runtime takes one on its command
 * line. It is inside the project, and so finds the package by its own name.
 *
 * @returns its path
 */
export const moduleFile = (t: ExecutionContext, source: string): string => {
  const folder = mkdtempSync(join('build', 'module-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = resolve(folder, 'main.mjs')
  writeFileSync(file, source)
  return file
}
