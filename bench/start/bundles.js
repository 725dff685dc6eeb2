// What esbuild makes of an application that uses a library's main functions, for browsers.

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { browserEntry } from '../lib/build.js'
import { benchPath } from '../lib/processes.js'

// `#fp/…` is fp-ts under the name that package.json maps.
const PEERS = ['rxjs', 'fp-ts', 'fp-ts/*', '#fp/*', 'io-ts']

const own = JSON.stringify(fileURLToPath(browserEntry))
const TRACE_AND_GENERATE = `export { respanTrace, respanGenerate } from ${own}`

const APPLICATIONS = [
  {
    key: 'respan',
    label: 'respan-rx trace + generate, with ky and eventsource-parser',
    code: TRACE_AND_GENERATE,
    external: PEERS,
  },
  {
    key: 'respanStart',
    label: '… of that before the first request (ky is loaded with it)',
    code: TRACE_AND_GENERATE,
    external: [...PEERS, 'ky'],
  },
  {
    key: 'respanTrace',
    label: '… tracing alone, which delivers',
    code: `export { respanTrace } from ${own}`,
    external: PEERS,
  },
  {
    key: 'respanGenerate',
    label: '… generating alone, which traces where it stands in a trace',
    code: `export { respanGenerate } from ${own}`,
    external: PEERS,
  },
  { key: 'respanPeers', label: '… with rxjs, io-ts and fp-ts', code: TRACE_AND_GENERATE },
  {
    key: 'respanAll',
    label: 'respan-rx, all of it, peers external',
    code: `export * from ${own}`,
    external: PEERS,
  },
  {
    key: 'rxjs',
    label: 'rxjs: Observable + 9 functions',
    code: `export { Observable, of, map, filter, concatMap, mergeMap, switchMap, lastValueFrom, tap, retry } from 'rxjs'`,
  },
  { key: 'openai', label: 'openai', code: `export { default } from 'openai'` },
  {
    key: 'openTelemetry',
    label: 'OpenTelemetry api + sdk-trace-base',
    code: `export { trace } from '@opentelemetry/api'; export { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'`,
  },
  {
    key: 'langfuse',
    label: 'Langfuse tracing + otel',
    code: `export { startActiveObservation } from '@langfuse/tracing'; export { LangfuseSpanProcessor } from '@langfuse/otel'`,
    folder: 'peers/langfuse',
  },
  {
    key: 'ai',
    label: 'ai streamText + openai-compatible',
    code: `export { streamText } from 'ai'; export { createOpenAICompatible } from '@ai-sdk/openai-compatible'`,
  },
  {
    key: 'langchain',
    label: '@langchain/openai + RunnableSequence',
    code: `export { ChatOpenAI } from '@langchain/openai'; export { RunnableSequence } from '@langchain/core/runnables'`,
  },
]

/** What only Node has, and some peers mention. */
const NODE_BUILTINS = [
  'node:*',
  'fs',
  'path',
  'crypto',
  'stream',
  'http',
  'https',
  'os',
  'url',
  'util',
  'zlib',
  'async_hooks',
  'ws',
]

const bundle = async ({ key, label, code, external = [], folder = '.' }) => {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: benchPath(folder) },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: [...external, ...NODE_BUILTINS],
    write: false,
    logLevel: 'silent',
  })
  const bytes = Buffer.from(outputFiles[0].contents)
  return { key, label, min: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}

/** Bundles each application. */
export const bundles = () => Promise.all(APPLICATIONS.map(bundle))
