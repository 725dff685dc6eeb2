import { pathToFileURL } from 'node:url'

const { BENCH_DIST } = process.env

/** The folder of the library's build: what `npm run build` left, or what `BENCH_DIST` names. */
export const dist =
  BENCH_DIST === undefined ? new URL('../../dist/', import.meta.url) : pathToFileURL(`${BENCH_DIST}/`)
