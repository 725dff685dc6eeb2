import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { benchPath } from '../lib/processes.js'

/**
 * Loads packages of a peer that has a folder of its own, since its dependencies contradict the others'.
 *
 * @param {'langfuse' | 'traceloop' | 'keywordsai'} folder
 */
export const from = (folder) => {
  const { resolve } = createRequire(benchPath(`peers/${folder}/package.json`))
  return (name) => import(pathToFileURL(resolve(name)).href)
}
