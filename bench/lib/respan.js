// The library as users get it, with the RxJS that it finds itself.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { nodeEntry } from './build.js'

const installed = (name) => import(pathToFileURL(createRequire(nodeEntry).resolve(name)).href)

export const respan = await import(nodeEntry.href)

export const rxjs = await installed('rxjs')
