// Every way in which the server that takes spans misbehaves, over real HTTP: what was delivered, what was asked again,
// what is reported, and what becomes of it when the server is well again. How long is waited in between is a matter of
// virtual time, in test/sinks/bufferedSink.ts.

import { createServer, type ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { isLeft } from 'fp-ts/lib/Either.js'
import { type BufferPolicy, bufferedSink, type FlushReport, respanTransport, type Sink } from 'respan-rx'
import { deadPort } from './helpers/deadPort.js'
import { listen, serve } from './helpers/server.js'
import { accounted, finish, NOTHING, numberOf, range } from './helpers/spans.js'

const SPANS = 10

const OK = '{"message":"ok"}'

/** Answers a request, with the numbers of its spans. */
type Answer = (response: ServerResponse, numbers: ReadonlyArray<number>) => unknown

/** The server that takes spans: well, or not. */
interface Ingest {
  readonly url: string
  /** Numbers of the spans of each request. */
  readonly requests: ReadonlyArray<ReadonlyArray<number>>
  /** From now on it is well. */
  readonly recover: () => void
  /** Every connection was closed, or is free for another request. */
  readonly givenBack: () => Promise<unknown>
}

const numbersIn = (body: string): ReadonlyArray<number> => {
  const spans: unknown = JSON.parse(body)
  return Array.isArray(spans) ? spans.map(({ span_unique_id: spanId }) => numberOf({ spanId })) : []
}

const ingest = async (t: ExecutionContext, answer: Answer): Promise<Ingest> => {
  const requests: Array<ReadonlyArray<number>> = []
  const closed: Array<Promise<unknown>> = []
  let isWell = false
  const { url } = await serve(t, (response, { body }) => {
    closed.push(new Promise((resolve) => response.on('close', resolve)))
    const numbers = numbersIn(body)
    requests.push(numbers)
    return isWell ? response.end(OK) : answer(response, numbers)
  })
  return {
    url,
    requests,
    recover: () => {
      isWell = true
    },
    givenBack: () => Promise.all(closed),
  }
}

const sends =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)

interface Row {
  readonly what: string
  readonly answer: Answer
  /** Requests of the first flush. */
  readonly requests: number
  /** What the first flush reports; the rest is 0. */
  readonly report: Partial<FlushReport>
  /** The tag of its reason, for a flush that failed. */
  readonly error?: string
}

const ALL = { delivered: SPANS }

/** May pass: asked again, and given up in the end. */
const retried = (what: string, answer: Answer, error = 'HttpError'): Row => ({
  what,
  answer,
  requests: 3,
  report: { dropped: SPANS },
  error,
})

/** Somebody has to change something: everything is kept. */
const paused = (what: string, answer: Answer): Row => ({
  what,
  answer,
  requests: 1,
  report: { queued: SPANS },
  error: 'HttpError',
})

const taken = (what: string, answer: Answer): Row => ({ what, answer, requests: 1, report: ALL })

const DETAIL = '{"detail":"No"}'

const ROWS: ReadonlyArray<Row> = [
  taken('is well', sends(200, OK)),
  taken('answers 202', sends(202, '')),
  taken('answers 204', (response) => response.writeHead(204).end()),
  taken('answers 200 with a page', sends(200, '<h1>Hi</h1>', { 'content-type': 'text/html' })),
  taken('answers 200 with a list', sends(200, '[]')),
  ...[408, 409, 425, 500, 502, 503, 504, 529].map((code) => retried(`answers ${code}`, sends(code, DETAIL))),
  retried('answers 429', sends(429, DETAIL), 'RateLimited'),
  retried('answers 502 with a page', sends(502, '<h1>Bad gateway</h1>', { 'content-type': 'text/html' })),
  ...[401, 403, 404, 405].map((code) => paused(`answers ${code}`, sends(code, DETAIL))),
  ...[301, 302, 307, 308].map((code) =>
    paused(`answers ${code}`, sends(code, '', { location: 'http://127.0.0.1:9/' })),
  ),
  paused('answers 401 with a body that breaks off', (response) =>
    response.writeHead(401, { 'content-length': 100 }).write('{"detail":', () => response.destroy()),
  ),
  // Halves, down to single spans: 10 + 5 + 5 + …
  ...[400, 422, 413].map(
    (code): Row => ({
      what: `answers ${code} to everything`,
      answer: sends(code, DETAIL),
      requests: 2 * SPANS - 1,
      report: { rejected: SPANS },
      error: 'HttpError',
    }),
  ),
  {
    what: 'refuses a batch for its third span, which it names',
    answer: (response, numbers) =>
      numbers.includes(3)
        ? sends(400, '{"errors":{"[2].input":["Too silly"]}}')(response, numbers)
        : response.end(OK),
    requests: 2,
    report: { delivered: SPANS - 1, rejected: 1 },
    error: 'HttpError',
  },
  {
    what: 'takes a batch but for the third span',
    answer: sends(200, '{"status":"partial","errors":[{"index":2,"error":"Too silly"}]}'),
    requests: 1,
    report: { delivered: SPANS - 1, rejected: 1 },
    error: 'GatewayError',
  },
  retried('never answers', () => undefined, 'Timeout'),
  retried('never ends its answer', (response) => response.writeHead(200).write('{"mess'), 'Timeout'),
  retried('hangs up', (response) => response.socket?.destroy(), 'NetworkError'),
  retried('resets', (response) => response.socket?.resetAndDestroy(), 'NetworkError'),
  retried(
    'hangs up within its answer',
    (response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"mess', () => response.socket?.destroy())
    },
    'StreamInterrupted',
  ),
  taken('is slow, byte by byte', async (response) => {
    response.writeHead(200)
    for (const byte of OK) await new Promise((resolve) => response.write(byte, resolve))
    response.end()
  }),
]

const POLICY: BufferPolicy = {
  retry: { count: 2, delay: 1, maxDelay: 1 },
  maxDelay: 600_000,
  onWarning: () => undefined,
}

/** A sink, and how often it has asked: a server that is given little time may not have seen all of it. */
const sinkTo = (url: string, timeout: number): { readonly sink: Sink; readonly asked: () => number } => {
  let asked = 0
  const counting: typeof fetch = (...args) => {
    asked++
    return fetch(...args)
  }
  const transport = respanTransport({ baseUrl: url, apiKey: 'a-key', timeout, fetch: counting })
  return { sink: bufferedSink(transport, POLICY), asked: () => asked }
}

/** Flushes, and tells the report and the tags of the reasons. */
const flushed = async (
  sink: Sink,
): Promise<{ readonly report: FlushReport; readonly errors: ReadonlyArray<string> }> => {
  const outcome = await sink.flush()
  return isLeft(outcome)
    ? { report: outcome.left.report, errors: outcome.left.failures.map(({ error }) => error.name) }
    : { report: outcome.right, errors: [] }
}

for (const { what, answer, requests, report, error } of ROWS) {
  const isTimed = error === 'Timeout'
  // Whoever has a limit of time runs by himself, and not while the client is being loaded.
  const run = isTimed || what === 'is well' ? test.serial : test
  run(`a server that ${what}`, async (t) => {
    const server = await ingest(t, answer)
    const { sink, asked } = sinkTo(server.url, isTimed ? 1_000 : 30_000)
    finish(sink, ...range(1, SPANS))
    const first = await flushed(sink)
    t.deepEqual(first.report, { ...NOTHING, ...report })
    t.deepEqual([...new Set(first.errors)], error === undefined ? [] : [error])
    t.is(asked(), requests)
    if (!isTimed) t.deepEqual(server.requests[0], range(1, SPANS))
    t.is(accounted(sink), SPANS)
    const before = server.requests.length
    server.recover()
    finish(sink, SPANS + 1)
    const kept = first.report.queued
    t.deepEqual((await flushed(sink)).report, { ...NOTHING, delivered: kept + 1 })
    // In order of age, and a single span first when the server had refused to talk.
    const later = server.requests.slice(before)
    const arrived = later.flat()
    // What arrives within little time, and is not answered within it, is sent again.
    t.deepEqual(isTimed ? [...new Set(arrived)] : arrived, kept === 0 ? [SPANS + 1] : range(1, SPANS + 1))
    if (kept > 0) t.deepEqual(later[0], [1])
    await sink.close()
    await server.givenBack()
  })
}

test('a server that is down, and comes up', async (t) => {
  const { port, release } = await deadPort(t)
  const { sink } = sinkTo(`http://127.0.0.1:${port}`, 30_000)
  finish(sink, ...range(1, SPANS))
  const { report, errors } = await flushed(sink)
  t.deepEqual(report, { ...NOTHING, dropped: SPANS })
  t.deepEqual(errors, ['NetworkError'])
  await release()
  const server = createServer((request, response) => request.resume().on('end', () => response.end(OK)))
  await listen(t, server, port)
  finish(sink, SPANS + 1)
  t.deepEqual((await flushed(sink)).report, { ...NOTHING, delivered: 1 })
  await sink.close()
})
