import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'

/** A request that came in, its body read. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Resolves when the connection goes away before the answer was complete. */
  readonly broken: Promise<void>
}

/** A server on loopback that lives as long as its test. */
export interface TestServer {
  /** Without a slash at its end. */
  readonly url: string
  /** Everything that came in, in its order. */
  readonly received: ReadonlyArray<Received>
  /** TCP connections accepted so far. */
  readonly connections: () => number
}

/** Answers a request, or leaves it hanging; `number` counts them from 1. */
export type Answering = (response: ServerResponse, request: Received, number: number) => unknown

/**
 * Starts a real HTTP server on a free port of loopback, and closes it with all its connections when the test ends.
 *
 * @param answer - what it does with each request
 */
export const serve = async (t: ExecutionContext, answer: Answering): Promise<TestServer> => {
  const received: Array<Received> = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const broken = new Promise<void>((resolve) => {
      response.on('close', () => {
        if (!response.writableFinished) resolve()
      })
    })
    const body = await buffer(request).catch(() => undefined)
    // Whoever is killed within his request waits for no answer.
    if (body === undefined) return
    const { method = '', url: path = '', headers } = request
    const one = { method, path, headers, body: body.toString(), broken }
    received.push(one)
    await answer(response, one, received.length)
  })
  server.on('connection', () => {
    connections += 1
  })
  return { url: await listen(t, server), received, connections: () => connections }
}

/**
 * Listens on loopback until the test ends; resolves to the address, without a slash at its end.
 *
 * @param on - default: a free port
 */
export const listen = async (t: ExecutionContext, server: Server, on = 0): Promise<string> => {
  server.listen(on, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // What was listened on by port is an AddressInfo.
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

/** Answers with JSON. */
export const sendJson = (
  response: ServerResponse,
  body: unknown,
  {
    status = 200,
    headers = {},
  }: { readonly status?: number; readonly headers?: Record<string, string> } = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Starts a stream of server-sent events; with `pieces` it is complete, without them it stays open. */
export const sendEvents = (response: ServerResponse, ...pieces: ReadonlyArray<string | Uint8Array>): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.flushHeaders()
  for (const piece of pieces) response.write(piece)
  if (pieces.length > 0) response.end()
}

/** A server-sent event that holds a value as JSON. */
export const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

/** A promise and what resolves it. */
export interface Latch {
  readonly opened: Promise<void>
  readonly open: () => void
}

/** Makes a latch that a test waits at until a server got somewhere. */
export const latch = (): Latch => {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
