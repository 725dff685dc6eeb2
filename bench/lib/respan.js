// The library as users get it, with the RxJS that it finds itself.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { dist } from './build.js'

const entry = new URL('index.js', dist)

const installed = (name) => import(pathToFileURL(createRequire(entry).resolve(name)).href)

export const respan = await import(entry.href)

export const rxjs = await installed('rxjs')
