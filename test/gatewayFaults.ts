// Every way in which a gateway misbehaves, over real sockets, streamed and whole: the tag of what comes out, what of it
// can be acted on (status, ids, whether another try may help, what had arrived), how often it was asked, and that every
// connection is given back. Whatever is thrown out of band fails the file: the runner counts unhandled rejections.

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { constants, createGzip, gzip, gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import {
  type Connection,
  isRespanError,
  isRetryable,
  type Reply,
  type RespanError,
  respanGenerate,
  type TimeoutPhase,
  wholeReply,
  withFallback,
} from 'respan-rx'
import { lastValueFrom, of } from 'rxjs'
import { deadPort } from './helpers/deadPort.js'
import { event, sendJson, serve } from './helpers/server.js'

type Way = 'streamed' | 'whole'

/** One attempt more than the first, at once. */
const RETRY = { count: 1, delay: 0 }

const IDS = { 'x-respan-gateway-request-id': 'req-1', 'x-respan-log-id': 'log-1' }
const SSE = { ...IDS, 'content-type': 'text/event-stream; charset=utf-8' }
const JSON_TYPE = { ...IDS, 'content-type': 'application/json' }

const text = (content: string): string =>
  event({ model: 'm-1', choices: [{ index: 0, delta: { content }, finish_reason: null }] })
const usage = (total_tokens: number): string =>
  event({
    choices: [],
    usage: { prompt_tokens: 1, completion_tokens: total_tokens - 1, total_tokens },
  })

const HELLO = text('Hel') + text('lo')
const STOP = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
const DONE = 'data: [DONE]\n\n'
const STREAM = HELLO + STOP + usage(3) + DONE

const response = (content: string): string =>
  JSON.stringify({
    model: 'm-1',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  })

const RESPONSE = response('Hello')

const PAGE = '<!doctype html><title>Bad gateway</title><p>The application is starting.'

/** A gateway in one state of decay: its address, and that it holds nothing open any more. */
interface Faulty {
  readonly url: string
  /** Every connection was closed, or is free for another request. */
  readonly givenBack: () => Promise<unknown>
}

type Start = (t: ExecutionContext) => Promise<Faulty>

const listening = async (t: ExecutionContext, server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  // What was listened on by port is an AddressInfo.
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

/** A server that speaks HTTP. */
const http =
  (answer: (response: ServerResponse) => unknown): Start =>
  async (t) => {
    const closed: Array<Promise<unknown>> = []
    const server = createServer((request, response) => {
      closed.push(once(response, 'close'))
      request.resume().on('end', () => answer(response))
    })
    t.teardown(() => server.closeAllConnections())
    const url = await listening(t, server)
    return { url, givenBack: () => Promise.all(closed) }
  }

/** A server that speaks something else. */
const tcp =
  (answer: (socket: Socket) => unknown): Start =>
  async (t) => {
    const closed: Array<Promise<unknown>> = []
    const server = createTcpServer((socket) => {
      closed.push(new Promise((resolve) => socket.on('close', resolve)))
      socket.on('error', () => undefined)
      t.teardown(() => socket.destroy())
      socket.once('data', () => answer(socket))
    })
    const url = await listening(t, server)
    return { url, givenBack: () => Promise.all(closed) }
  }

/** Nobody listens. */
const down: Start = async (t) => {
  const { port } = await deadPort(t)
  return { url: `http://127.0.0.1:${port}`, givenBack: async () => undefined }
}

const sends =
  (status: number, headers: Record<string, string>, body: string | Uint8Array = ''): Start =>
  async (t) =>
    http((response) => response.writeHead(status, headers).end(body))(t)

/** Sends a part, and then does something to its connection. */
const sendsThen = (
  headers: Record<string, string>,
  body: string | Uint8Array,
  then: (response: ServerResponse) => unknown,
): Start =>
  http((response) => {
    response.writeHead(200, headers)
    response.write(body, () => then(response))
  })

const hang = (): void => undefined
const reset = ({ socket }: ServerResponse): unknown => socket?.resetAndDestroy()
const cut = ({ socket }: ServerResponse): unknown => socket?.destroy()

/** What can be acted on. */
interface Expected {
  readonly _tag?: RespanError['_tag']
  readonly requestId?: string | undefined
  readonly logId?: string
  readonly status?: number
  readonly code?: string
  readonly body?: unknown
  readonly retryAfter?: number
  readonly phase?: TimeoutPhase
  readonly path?: string
  readonly expected?: string
  readonly found?: string
  readonly message?: string
}

interface Row {
  readonly what: string
  readonly start: Start
  /** Default: both. */
  readonly ways?: ReadonlyArray<Way>
  /** What of the error can be acted on; absent when the reply is whole. */
  readonly error?: Expected
  /** Whether another try may help, by the error; then there was one, unless an answer had begun. */
  readonly retryable?: boolean
  /** Text of the reply, or of what had arrived. */
  readonly text?: string
  readonly requests: number
  readonly limits?: Pick<Connection, 'timeout' | 'idleTimeout'>
  readonly also?: (t: ExecutionContext, reply: Reply) => void
}

const STREAMED: ReadonlyArray<Way> = ['streamed']
const WHOLE: ReadonlyArray<Way> = ['whole']

const fine = (what: string, start: Start, more: Partial<Row> = {}): Row => ({
  what,
  start,
  text: 'Hello',
  requests: 1,
  ...more,
})

const fails = (what: string, start: Start, error: Expected, more: Partial<Row> = {}): Row => ({
  what,
  start,
  error,
  retryable: false,
  requests: more.retryable === true && error._tag !== 'StreamInterrupted' ? 2 : 1,
  ...more,
})

const ANSWERED: Expected = { requestId: 'req-1', logId: 'log-1' }
const network: Expected = { _tag: 'NetworkError', requestId: undefined }
const interrupted: Expected = { ...ANSWERED, _tag: 'StreamInterrupted' }
const invalid: Expected = { ...ANSWERED, _tag: 'InvalidResponse' }

const status = (code: number, retryable: boolean, headers: Record<string, string> = {}): Row =>
  fails(
    `answers ${code}`,
    sends(code, { ...JSON_TYPE, ...headers }, JSON.stringify({ detail: 'No', error_code: 'E1' })),
    {
      ...ANSWERED,
      _tag: code === 429 ? 'RateLimited' : 'HttpError',
      status: code,
      code: 'E1',
    },
    { retryable },
  )

const bomb = (length: number): Buffer => gzipSync(Buffer.alloc(length, 0x20))

const longEvent = (): Buffer => gzipSync(`data: {"a":"${'x'.repeat(17_000_000)}`)

const gzipped = { 'content-encoding': 'gzip' }

const ROWS: ReadonlyArray<Row> = [
  // ── no answer
  fails('is down', down, network, { retryable: true }),
  fails(
    'accepts and hangs up',
    tcp((socket) => socket.destroy()),
    network,
    { retryable: true },
  ),
  fails(
    'accepts and resets',
    tcp((socket) => socket.resetAndDestroy()),
    network,
    { retryable: true },
  ),
  fails(
    'does not speak HTTP',
    tcp((socket) => socket.end('220 smtp ready\r\n\r\n')),
    network,
    {
      retryable: true,
    },
  ),
  fails(
    'hangs up within its headers',
    tcp((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-')),
    network,
    {
      retryable: true,
    },
  ),
  fails(
    'has a megabyte of headers',
    tcp((socket) => socket.end(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(1_000_000)}\r\n\r\n`)),
    network,
    { retryable: true },
  ),
  fails('never answers', http(hang), { _tag: 'Timeout', phase: 'headers' }, { limits: { timeout: 300 } }),

  // ── a status
  ...[400, 401, 402, 403, 404, 405, 413, 422, 451, 501].map((code) => status(code, false)),
  ...[408, 409, 429, 500, 502, 503, 504, 529].map((code) => status(code, true)),
  ...[301, 302, 307, 308].map((code) => status(code, false, { location: 'http://127.0.0.1:9/' })),
  fails(
    'has used up a quota',
    sends(429, JSON_TYPE, JSON.stringify({ error: { code: 'insufficient_quota', message: 'No more' } })),
    { ...ANSWERED, _tag: 'RateLimited', status: 429, code: 'insufficient_quota' },
  ),
  fails(
    'says how long to wait, which is too long',
    sends(429, { ...JSON_TYPE, 'retry-after': '3600' }),
    { ...ANSWERED, _tag: 'RateLimited', retryAfter: 3_600_000 },
    { retryable: true, requests: 1 },
  ),
  fails(
    'answers 502 with a page',
    sends(502, { ...IDS, 'content-type': 'text/html' }, PAGE),
    { ...ANSWERED, _tag: 'HttpError', status: 502, message: 'HTTP 502: Bad gateway', body: PAGE },
    { retryable: true },
  ),
  fails(
    'answers 500 and hangs up within the body',
    http((response) => {
      response.writeHead(500, { ...JSON_TYPE, 'content-length': '100' })
      response.write('{"detail":"', () => response.socket?.destroy())
    }),
    { ...ANSWERED, _tag: 'HttpError', status: 500 },
    { retryable: true },
  ),

  // ── a good status, and nothing good behind it
  fails('answers 200 with a page', sends(200, { ...IDS, 'content-type': 'text/html' }, PAGE), {
    ...invalid,
    path: 'content-type',
    found: 'text/html',
  }),
  fails('answers 200 with a page that says it is JSON', sends(200, JSON_TYPE, PAGE), {
    ...invalid,
    path: '',
    expected: 'JSON',
  }),
  fails('answers 200 with a page that says it is a stream', sends(200, SSE, PAGE), invalid, {
    ways: STREAMED,
  }),
  fails('answers with a stream where none was asked for', sends(200, SSE, STREAM), invalid, { ways: WHOLE }),
  fails('answers 200 with nothing', sends(200, JSON_TYPE), invalid),
  fails('answers 204', sends(204, IDS), invalid, { ways: WHOLE }),
  fails('answers with JSON of another shape', sends(200, JSON_TYPE, '{"choices":{}}'), {
    ...invalid,
    path: 'choices',
  }),
  fails('answers with JSON that is cut', sends(200, JSON_TYPE, response('Hello').slice(0, 50)), invalid),
  fails('answers without choices', sends(200, JSON_TYPE, '{"choices":[]}'), { ...invalid, path: 'choices' }),
  fails('reports an error under 200', sends(200, JSON_TYPE, '{"error":{"message":"No","code":"E1"}}'), {
    ...ANSWERED,
    _tag: 'GatewayError',
    code: 'E1',
  }),
  fails(
    'reports an error within the stream',
    sends(200, SSE, HELLO + event({ error: { message: 'No', code: 'E1' } }) + STOP + DONE),
    { ...ANSWERED, _tag: 'GatewayError', code: 'E1' },
    { ways: STREAMED, text: 'Hello' },
  ),

  // ── a body that breaks off, or stalls
  fails('hangs up before its first event', sendsThen(SSE, ': hi\n\n', cut), interrupted, {
    ways: STREAMED,
    retryable: true,
  }),
  fails('hangs up within the stream', sendsThen(SSE, HELLO, cut), interrupted, {
    ways: STREAMED,
    retryable: true,
    text: 'Hello',
  }),
  fails('resets within the stream', sendsThen(SSE, HELLO, reset), interrupted, {
    ways: STREAMED,
    retryable: true,
    text: 'Hello',
  }),
  fails('ends without a finish reason', sends(200, SSE, HELLO + DONE), interrupted, {
    ways: STREAMED,
    retryable: true,
    text: 'Hello',
  }),
  fails(
    'hangs up within the answer',
    sendsThen({ ...JSON_TYPE, 'content-length': '9999' }, response('Hello'), cut),
    interrupted,
    { ways: WHOLE, retryable: true },
  ),
  fails(
    'stalls within the stream',
    sendsThen(SSE, HELLO, hang),
    { ...ANSWERED, _tag: 'Timeout', phase: 'idle' },
    { ways: STREAMED, text: 'Hello', limits: { idleTimeout: 1_000 } },
  ),
  fails(
    'stalls within the answer',
    sendsThen(JSON_TYPE, response('Hello').slice(0, 50), hang),
    { ...ANSWERED, _tag: 'Timeout', phase: 'idle' },
    { ways: WHOLE, limits: { idleTimeout: 1_000 } },
  ),
  fails(
    'keeps alive and never says more',
    http((response) => {
      response.writeHead(200, SSE).write(HELLO)
      const comments = setInterval(() => response.write(': still here\n\n'), 10)
      response.on('close', () => clearInterval(comments))
    }),
    { ...ANSWERED, _tag: 'Timeout', phase: 'body' },
    { ways: STREAMED, text: 'Hello', limits: { idleTimeout: 10_000, timeout: 2_000 } },
  ),
  fine(
    'is slow, byte by byte',
    http(async (response) => {
      response.writeHead(200, SSE)
      for (const byte of Buffer.from(STREAM))
        await promisify((done: () => void) => response.write(Uint8Array.of(byte), done))()
      response.end()
    }),
    { ways: STREAMED, limits: { idleTimeout: 10_000 } },
  ),

  // ── garbage, sizes and repetitions
  fails('has garbage between events', sends(200, SSE, `${HELLO}data: \u0000{]\n\n${STOP}${DONE}`), invalid, {
    ways: STREAMED,
    text: 'Hello',
  }),
  fine(
    'has bytes between events that are no field',
    sends(
      200,
      SSE,
      Buffer.concat([Buffer.from(HELLO), Buffer.from([0xff, 0xfe, 0x0a, 0x0a]), Buffer.from(STOP + DONE)]),
    ),
    { ways: STREAMED },
  ),
  fails(
    'has an event over the limit',
    sends(200, { ...SSE, ...gzipped }, longEvent()),
    { ...invalid, expected: 'at most 16777216 characters' },
    { ways: STREAMED },
  ),
  fails(
    'has an answer over the limit',
    sends(200, { ...JSON_TYPE, ...gzipped }, bomb(68_000_000)),
    { ...invalid, expected: 'at most 67108864 bytes' },
    { ways: WHOLE },
  ),
  fine(
    'has a reply of eight million characters',
    sends(200, SSE, text('x'.repeat(8_000)).repeat(1_000) + STOP),
    {
      ways: STREAMED,
      text: 'x'.repeat(8_000_000),
    },
  ),
  fine('has an answer of eight million characters', sends(200, JSON_TYPE, response('x'.repeat(8_000_000))), {
    text: 'x'.repeat(8_000_000),
  }),
  fine('has five thousand events in one packet', sends(200, SSE, text('x').repeat(5_000) + STOP + DONE), {
    ways: STREAMED,
    text: 'x'.repeat(5_000),
  }),
  fine('has [DONE] twice', sends(200, SSE, STREAM + DONE), { ways: STREAMED }),
  fine('has two chunks of usage', sends(200, SSE, HELLO + STOP + usage(90) + usage(3) + DONE), {
    ways: STREAMED,
    also: (t, { meta }) => t.is(meta[0]?.usage?.total_tokens, 3),
  }),

  // ── compression
  fine('compresses the answer', sends(200, { ...JSON_TYPE, ...gzipped }, gzipSync(response('Hello')))),
  fine('compresses the stream', sends(200, { ...SSE, ...gzipped }, gzipSync(STREAM)), { ways: STREAMED }),
  fine(
    'compresses the stream event by event',
    http((response) => {
      response.writeHead(200, { ...SSE, ...gzipped })
      const compressed = createGzip({ flush: constants.Z_SYNC_FLUSH })
      compressed.pipe(response)
      compressed.write(HELLO)
      compressed.end(STOP + DONE)
    }),
    { ways: STREAMED },
  ),
  fails(
    'compresses the stream and ends within it',
    http(async (response) => {
      const whole = await promisify(gzip)(STREAM + text('x').repeat(1_000))
      response.writeHead(200, { ...SSE, ...gzipped }).end(whole.subarray(0, 30))
    }),
    interrupted,
    { ways: STREAMED, retryable: true, requests: 1 },
  ),
  fails(
    'compresses the answer and ends within it',
    sends(200, { ...JSON_TYPE, ...gzipped }, gzipSync(response('Hello')).subarray(0, 50)),
    // What there is of it is decompressed.
    invalid,
    { ways: WHOLE },
  ),
  fails(
    'says that it compresses, and does not',
    sends(200, { ...JSON_TYPE, ...gzipped }, response('Hello')),
    interrupted,
    {
      ways: WHOLE,
      retryable: true,
    },
  ),
  fails(
    'compresses an error, and ends within it',
    sends(503, { ...JSON_TYPE, ...gzipped }, gzipSync('{"detail":"No"}').subarray(0, 15)),
    { ...ANSWERED, _tag: 'HttpError', status: 503 },
    { retryable: true },
  ),
]

interface Outcome {
  readonly reply?: Reply
  readonly error?: RespanError
  /** How often it was asked. */
  readonly requests: number
}

const ask = async (url: string, way: Way, limits: Row['limits'] = {}): Promise<Outcome> => {
  let requests = 0
  // Here, since a server that is given little time may not have seen all of it.
  const counting: typeof fetch = (...args) => {
    requests++
    return fetch(...args)
  }
  const options = { model: 'm', baseUrl: url, retry: RETRY, fetch: counting, ...limits }
  const replies$ =
    way === 'streamed'
      ? of('Hi').pipe(respanGenerate({ ...options, stream: true }), wholeReply())
      : of('Hi').pipe(respanGenerate(options))
  try {
    return { reply: await lastValueFrom(replies$), requests }
  } catch (error) {
    if (isRespanError(error)) return { error, requests }
    throw error
  }
}

const both: ReadonlyArray<Way> = ['streamed', 'whole']

// Whoever has a limit of time runs by himself, and not while the client is being loaded.
test.serial('a gateway that is fine', async (t) => {
  const { url } = await sends(200, JSON_TYPE, RESPONSE)(t)
  t.is((await ask(url, 'whole')).reply?.replies[0], 'Hello')
})

for (const row of ROWS)
  for (const way of row.ways ?? both)
    (row.limits === undefined ? test : test.serial)(`a gateway that ${row.what}, ${way}`, async (t) => {
      const gateway = await row.start(t)
      const { reply, error, requests } = await ask(gateway.url, way, row.limits)
      if (row.error === undefined) {
        t.is(error, undefined)
        t.is(reply?.replies[0], row.text)
        if (reply !== undefined) row.also?.(t, reply)
      } else if (error === undefined) t.fail('It did not fail.')
      else {
        t.like(error, row.error)
        t.is(isRetryable(error), row.retryable === true)
        t.is('partial' in error ? error.partial?.replies[0] : undefined, row.text)
      }
      t.is(requests, row.requests)
      await gateway.givenBack()
    })

// ── another gateway serves

const DEAD: ReadonlyArray<readonly [what: string, start: Start]> = [
  ['is down', down],
  ['never answers', http(hang)],
  ['resets', tcp((socket) => socket.resetAndDestroy())],
  ['answers 503', sends(503, JSON_TYPE, '{}')],
  ['answers 200 with a page', sends(200, { ...IDS, 'content-type': 'text/html' }, PAGE)],
]

for (const [what, start] of DEAD)
  for (const way of both)
    test.serial(`withFallback serves when the gateway ${what}, ${way}`, async (t) => {
      const { url } = await start(t)
      const other = await serve(t, (response) =>
        way === 'streamed'
          ? response.writeHead(200, SSE).end(STREAM)
          : response.writeHead(200, JSON_TYPE).end(RESPONSE),
      )
      const first = { model: 'm-1', baseUrl: url, retry: { count: 0 }, timeout: 300 }
      const second = { model: 'm-2', baseUrl: other.url }
      const reply$ =
        way === 'streamed'
          ? of('Hi').pipe(
              withFallback(
                respanGenerate({ ...first, stream: true }),
                respanGenerate({ ...second, stream: true }),
              ),
              wholeReply(),
            )
          : of('Hi').pipe(withFallback(respanGenerate(first), respanGenerate(second)))
      t.is((await lastValueFrom(reply$)).replies[0], 'Hello')
      t.is(other.received.length, 1)
    })

test('fallback_models are the gateway’s: sent as they are, and no reason to ask again', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}, { status: 404 }))
  const error = await t.throwsAsync(
    lastValueFrom(
      of('Hi').pipe(
        respanGenerate({
          model: 'm-1',
          baseUrl: server.url,
          attributes: { fallback_models: ['m-2', 'm-3'] },
        }),
      ),
    ),
  )
  t.like(error, { _tag: 'HttpError', status: 404 })
  t.deepEqual(
    server.received.map(({ body }) => JSON.parse(body).fallback_models),
    [['m-2', 'm-3']],
  )
})
