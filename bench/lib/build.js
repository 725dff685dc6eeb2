import { pathToFileURL } from 'node:url'

const { BENCH_DIST } = process.env

const dist =
  BENCH_DIST === undefined ? new URL('../../dist/', import.meta.url) : pathToFileURL(`${BENCH_DIST}/`)

/** The library as Node loads it: of what `npm run build` left, or of the build that `BENCH_DIST` names. */
export const nodeEntry = new URL('bundle/index.js', dist)

/** The library as bundlers for browsers load it. */
export const browserEntry = new URL('index.js', dist)
