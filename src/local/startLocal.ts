/// <reference lib="esnext.disposable" preserve="true" />

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { checked } from '../codecs/checked.js'
import type { SpanPayload } from '../codecs/SpanPayload.js'
import type { Scrub } from '../http/Scrub.js'
import { bufferedSink } from '../sinks/bufferedSink.js'
import { respanTransport } from '../sinks/respanTransport.js'
import type { Gateway } from '../sources/Gateway.js'
import { respanGateway } from '../sources/respanGateway.js'
import type { Sink } from '../tracing/Sink.js'
import { answerCache } from './answerCache.js'
import { app } from './app.js'
import { Fault } from './Fault.js'
import { faultList } from './faultList.js'
import { checkedOptions, type LocalOptions } from './LocalOptions.js'
import { promptStore } from './promptStore.js'
import { readPromptsDirectory } from './readPromptsDirectory.js'
import { type LocalRequest, requestLog } from './requestLog.js'
import { traceStore } from './traceStore.js'
import { upstreamScrub } from './Upstream.js'

/** A running local gateway. */
export interface Local extends AsyncDisposable {
  /** `http://127.0.0.1:<port>/api`: a value for `RESPAN_BASE_URL`, or for the `baseURL` of OpenAI's own clients. */
  readonly baseUrl: string
  readonly port: number
  /** For `respanGenerate`: calls this server over HTTP. */
  readonly gateway: Gateway
  /** For `respanTrace`: sends to this server within a tenth of a second. */
  readonly sink: Sink
  /** The page of a trace; the list of all traces is at `/traces`. */
  readonly traceUrl: (traceId: string) => string
  /** The newest requests to the API, oldest first, each as far as it has come. */
  readonly requests: ReadonlyArray<LocalRequest>
  /** The spans received, the oldest trace first. */
  readonly spans: () => ReadonlyArray<SpanPayload>
  /**
   * Misbehaves from now on; the returned function ends it.
   *
   * @throws InvalidInput for an unknown kind of misbehaviour, or a misspelt one
   */
  readonly fault: (fault: Fault) => () => void
  /** Resolves when every request that came in whole is over, including those whose client has left. */
  readonly idle: () => Promise<void>
  /** Delivers what is in `sink`, then breaks all connections and stops the server. */
  readonly close: () => Promise<void>
}

// Characters kept of requests, and as many of spans: a forgotten server must not fill the memory with large bodies.
const MAX_LENGTH = 128 * 2 ** 20

const serve = async (
  { fetch }: ReturnType<typeof app>,
  { port = 0, unref }: LocalOptions,
): Promise<{ readonly server: Server; readonly port: number }> => {
  const server = createServer(getRequestListener(fetch, { overrideGlobalObjects: false }))
  // Longer than clients keep an idle connection, so that none of them uses one that is just being closed.
  server.keepAliveTimeout = 60_000
  if (unref === true) {
    server.unref()
    server.on('connection', (socket) => socket.unref())
  }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : port }
}

const ended = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** A gateway whose answers may hold one secret more. */
const withScrub = (gateway: Gateway, more: Scrub): Gateway => ({
  ...gateway,
  scrubs: () => [...(gateway.scrubs?.() ?? []), more],
})

/**
 * Starts a gateway on loopback that speaks Respan's wire contract: chat completions (plain, SSE, tools, JSON
 * schemas), managed prompts, embeddings, trace ingest, and pages that show the traces it received. It needs no account and
 * no network: a deterministic built-in model answers, or an OpenAI-compatible `upstream`.
 *
 * It is a development tool. It listens on 127.0.0.1 alone, refuses foreign host names and web origins, keeps a bounded
 * number of traces and requests in memory, at most 128 Mi characters of each, and treats all that it shows as hostile text.
 *
 * @returns rejects with `InvalidInput` for a wrong option or prompt file, and with Node's error when the port is taken
 *   or the folder is missing
 * @example
 * const local = await startLocal()
 * of('Hello').pipe(
 *   respanGenerate({ model: 'gpt-4o-mini', gateway: local.gateway }),
 *   respanTrace('My Workflow', { sink: local.sink }),
 * )
 */
export const startLocal = async (given: LocalOptions = {}): Promise<Local> => {
  const options = checkedOptions(given)
  const faults = faultList()
  for (const fault of options.faults ?? []) faults.add(fault)
  const log = requestLog(options.maxRequests ?? 1_000, MAX_LENGTH)
  const traces = traceStore({
    maxTraces: options.maxTraces ?? 500,
    maxSpans: options.maxSpans ?? 50_000,
    maxLength: MAX_LENGTH,
  })
  const { promptsDirectory } = options
  const fromFiles = promptsDirectory === undefined ? {} : await readPromptsDirectory(promptsDirectory)
  const application = app({
    apiKey: options.apiKey,
    cache: answerCache(500),
    chunkDelay: options.chunkDelay ?? 0,
    faults,
    log,
    maxBodyBytes: options.maxBodyBytes ?? 20 * 2 ** 20,
    origins: options.origins ?? [],
    prompts: promptStore({ ...fromFiles, ...options.prompts }),
    traces,
    upstream: options.upstream,
  })
  const { server, port } = await serve(application, options)
  const origin = `http://127.0.0.1:${port}`
  // Never the environment's key, which is the platform's.
  const connection = { baseUrl: `${origin}/api`, apiKey: options.apiKey ?? 'local' }
  const sink = bufferedSink(respanTransport(connection), { maxDelay: 100, flushTimeout: 5_000 })
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= sink.close().then(() => ended(server))
    return closed
  }
  return {
    baseUrl: connection.baseUrl,
    port,
    gateway: withScrub(respanGateway(connection), upstreamScrub(options.upstream?.apiKey)),
    sink,
    traceUrl: (id) => `${origin}/traces/${encodeURIComponent(id)}`,
    get requests() {
      return log.all()
    },
    spans: traces.spans,
    fault: (fault) => faults.add(checked('fault', Fault, fault)),
    idle: log.idle,
    close,
    [Symbol.asyncDispose]: close,
  }
}
