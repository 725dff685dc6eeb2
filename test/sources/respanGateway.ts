import { getEventListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { fc, testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import {
  catchError,
  lastValueFrom,
  type Observable,
  type ObservableNotification,
  Subscription,
  take,
  toArray,
} from 'rxjs'
import { materialize, tap } from 'rxjs/operators'
import type { ChatRequest } from '../../dist/codecs/ChatRequest.js'
import { InvalidInput, isRespanError, NetworkError, type RespanError } from '../../dist/errors.js'
import type { GatewayEvent } from '../../dist/sources/Gateway.js'
import { type RespanConnection, respanGateway } from '../../dist/sources/respanGateway.js'
import { anything } from '../helpers/anything.js'
import { commandTimers } from '../helpers/commandTimers.js'
import { fixture } from '../helpers/fixture.js'
import { inEnvironment } from '../helpers/inEnvironment.js'
import { latch, sendEvents, sendJson, serve } from '../helpers/server.js'

// A developer's own environment must not decide what is tested here.
for (const name of ['RESPAN_API_KEY', 'RESPAN_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'])
  delete process.env[name]

const KEY = 'sk-canary-0123456789'
const ASK: ChatRequest = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] }
const STREAM: ChatRequest = { ...ASK, stream: true }
const AT_ONCE = { retry: { delay: 0 } }
const ONCE = { retry: { count: 0 } }

const chunkOf = (content: string) => ({ choices: [{ index: 0, delta: { content } }] })
const sse = (value: unknown): string =>
  `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`
const DONE = sse('[DONE]')
const RESPONSE = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
}

interface Outcome {
  readonly events: ReadonlyArray<GatewayEvent>
  /** `undefined` when it completed. */
  readonly error: RespanError | undefined
  /** What the chunks say. */
  readonly text: string
  readonly attempts: number
}

const outcome = async (t: ExecutionContext, source: Observable<GatewayEvent>): Promise<Outcome> => {
  const all: ReadonlyArray<ObservableNotification<GatewayEvent>> = await lastValueFrom(
    source.pipe(materialize(), toArray()),
  )
  const events = all.flatMap((one) => (one.kind === 'N' ? [one.value] : []))
  const error: unknown = all.flatMap((one) => (one.kind === 'E' ? [one.error] : []))[0]
  if (error !== undefined) {
    t.true(isRespanError(error), inspect(error))
    const shown = inspect(error, { depth: 20, showHidden: true })
    t.false(shown.includes(KEY), shown)
  }
  return {
    events,
    error: isRespanError(error) ? error : undefined,
    text: events
      .flatMap((event) => (event._tag === 'Chunk' ? event.chunk.choices : []))
      .map((choice) => choice.delta?.content ?? '')
      .join(''),
    attempts: events.filter(({ _tag }) => _tag === 'Attempt').length,
  }
}

const gatewayOf = (baseUrl: string, connection: RespanConnection = {}) =>
  respanGateway({ baseUrl, apiKey: KEY, ...connection })

/** The outcome of one call to a server that answers every request in the same way. */
const call = async (
  t: ExecutionContext,
  answer: (response: ServerResponse, number: number) => unknown,
  request: ChatRequest = STREAM,
  connection: RespanConnection = ONCE,
): Promise<Outcome & { readonly requests: number }> => {
  const server = await serve(t, (response, _, number) => answer(response, number))
  const result = await outcome(t, gatewayOf(server.url, connection).chat(request))
  return { ...result, requests: server.received.length }
}

// ── limits of time

for (const [phase, connection, ms] of [
  ['body', { timeout: 9_000 }, 9_000],
  ['idle', { idleTimeout: 4_000 }, 4_000],
  ['retry', { retry: { deadline: 8_000 } }, 8_000],
] as const) {
  test.serial(`stops a stream that stalls: ${phase}`, async (t) => {
    const server = await serve(t, (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-respan-log-id': 'log-1' })
      response.write(sse(chunkOf('a')))
    })
    const { tick } = commandTimers(t)
    const chat$ = gatewayOf(server.url, connection).chat(STREAM)
    const { error, attempts, text } = await outcome(
      t,
      chat$.pipe(
        tap(({ _tag }) => {
          // Twice: the chunk itself was a sign of life.
          if (_tag === 'Chunk') queueMicrotask(() => [tick(ms), tick(ms)])
        }),
      ),
    )
    t.like(error, { _tag: 'Timeout', phase, limit: ms, logId: 'log-1' })
    t.is(attempts, 1)
    t.is(text, 'a')
    await server.received[0]?.broken
  })
}

test.serial('makes no second attempt after a timeout of its own', async (t) => {
  const arrived = latch()
  const server = await serve(t, arrived.open)
  const { tick } = commandTimers(t)
  const done = outcome(t, gatewayOf(server.url, { timeout: 3_000 }).chat(ASK))
  await arrived.opened
  tick(3_000)
  const { error, attempts } = await done
  t.like(error, { _tag: 'Timeout', phase: 'headers', limit: 3_000 })
  t.is(attempts, 1)
})

test.serial('an error whose body never ends is told by its status, after a second', async (t) => {
  const server = await serve(t, (response) => response.writeHead(503).write('{"detail":'))
  const { tick } = commandTimers(t)
  const chat$ = gatewayOf(server.url, { timeout: 3_000, ...ONCE }).chat(ASK)
  const { error } = await outcome(
    t,
    chat$.pipe(tap(({ _tag }) => _tag === 'Headers' && queueMicrotask(() => tick(1_000)))),
  )
  t.like(error, { _tag: 'HttpError', status: 503 })
  await server.received[0]?.broken
})

test('a failure that can not be looked at is an error all the same', async (t) => {
  const unreadable: ReadonlyArray<object> = [
    Object.assign(new Error(), { message: { code: 1 } }),
    Object.defineProperty(new Error(), 'message', {
      get: () => {
        throw new Error('getter')
      },
    }),
    Proxy.revocable({}, {}).proxy,
  ]
  for (const thrown of unreadable) {
    const fetch = () => Promise.reject(thrown)
    const { error } = await outcome(t, gatewayOf('http://127.0.0.1:1', { fetch, ...ONCE }).chat(ASK))
    t.is(error?._tag, 'NetworkError')
  }
})

test('credentials in the body get into no error, nor does a header that has changed', async (t) => {
  const provider = 'provider-secret-123'
  const headers = { 'x-api-key': 'first-secret-aaaa' }
  const server = await serve(t, (response, { headers: sent }) =>
    sendJson(
      response,
      { error: { message: `bad keys for gpt-4o: ${provider} ${String(sent['x-api-key'])}` } },
      { status: 400 },
    ),
  )
  const gateway = gatewayOf(server.url, { headers })
  const customer_credentials = [{ credentials: { api_key: provider }, available_models: ['gpt-4o'] }]
  const request = { ...ASK, customer_credentials }
  for (const key of ['first-secret-aaaa', 'second-secret-bbbb']) {
    headers['x-api-key'] = key
    const { error } = await outcome(t, gateway.chat(request))
    t.is(error?.message.includes('bad keys for gpt-4o: [redacted] [redacted]'), true, error?.message)
  }
})

test('a header that differs from call to call is not kept of each', async (t) => {
  const headers = { 'x-token': '' }
  const fetch = () => Promise.resolve(Response.json(RESPONSE))
  const gateway = gatewayOf('http://127.0.0.1:1', { headers, fetch })
  for (let number = 0; number < 300; number++) {
    headers['x-token'] = `call-number-${number}`
    await lastValueFrom(gateway.chat(ASK))
  }
  const scrubs = [...(gateway.scrubs?.() ?? [])]
  t.is(scrubs.length, 100)
  t.true(scrubs.some((scrub) => scrub('call-number-299') === '[redacted]'))
})

// ── streams that break

test('reports a body that ends inside an event', async (t) => {
  const { error, text } = await call(t, (response) =>
    sendEvents(response, fixture('chat.stream.cut-mid-event.sse')),
  )
  t.is(error?._tag, 'StreamInterrupted')
  t.true(text.startsWith('Artificial'))
})

test('reports a connection that is reset, and asks no second time once a chunk was passed on', async (t) => {
  const { error, attempts, text, requests } = await call(
    t,
    (response) => {
      sendEvents(response)
      response.write(sse(chunkOf('a')), () => response.socket?.resetAndDestroy())
    },
    STREAM,
    AT_ONCE,
  )
  t.is(error?._tag, 'StreamInterrupted')
  t.is(text, 'a')
  t.is(attempts, 1)
  t.is(requests, 1)
})

test('asks no second time once a chunk was passed on, whatever a fetch of the user fails with', async (t) => {
  const piece = new TextEncoder().encode(sse(chunkOf('a')))
  let requests = 0
  const fetch = () => {
    requests += 1
    const pieces = [piece]
    const body = new ReadableStream({
      pull: (controller) => {
        const next = pieces.shift()
        if (next === undefined) controller.error(new NetworkError('injected'))
        else controller.enqueue(next)
      },
    })
    return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  }
  const { error, text } = await outcome(
    t,
    gatewayOf('http://127.0.0.1:1', { fetch, ...AT_ONCE }).chat(STREAM),
  )
  t.like(error, { _tag: 'NetworkError', message: 'injected' })
  t.is(text, 'a')
  t.is(requests, 1)
})

test('asks again when the connection breaks off before the headers, and not behind them', async (t) => {
  const { error, events } = await call(
    t,
    (response, number) => {
      if (number === 1) return response.socket?.destroy()
      sendEvents(response)
      return response.write(': connected\n\n', () => response.socket?.destroy())
    },
    STREAM,
    AT_ONCE,
  )
  t.is(error?._tag, 'StreamInterrupted')
  t.deepEqual(events, [
    { _tag: 'Attempt', attempt: 1 },
    { _tag: 'Attempt', attempt: 2 },
    { _tag: 'Headers', status: 200 },
  ])
})

test('leaves it to the subscriber what an end without a finish reason means', async (t) => {
  for (const name of ['truncated', 'no-done', 'no-usage']) {
    const { error, text } = await call(t, (response) =>
      sendEvents(response, fixture(`chat.stream.${name}.sse`)),
    )
    t.is(error, undefined, name)
    t.true(text.startsWith('Artificial'), name)
  }
  const none = await call(t, (response) => sendEvents(response, fixture('chat.stream.done-only.sse')))
  t.is(none.error, undefined)
  t.deepEqual(
    none.events.map(({ _tag }) => _tag),
    ['Attempt', 'Headers'],
  )
})

test('takes the last event without its blank line, and a beginning of [DONE] for the end', async (t) => {
  for (const end of [
    '',
    '\n',
    '\n\ndata: [DO',
    '\n\ndata:',
    '\n\nda',
    '\n\ndata: [DONE]',
    '\n\ndata: [DONE]\n',
  ]) {
    const { error, text } = await call(t, (response) =>
      sendEvents(response, sse(chunkOf('a')).trimEnd(), end || ' '),
    )
    t.is(error, undefined, JSON.stringify(end))
    t.is(text, 'a', JSON.stringify(end))
  }
})

const ERROR_EVENTS: ReadonlyArray<readonly [what: string, event: string, expected: object]> = [
  [
    'an error object',
    sse({ error: { message: 'Overloaded', type: 'server_error', code: null } }),
    { message: 'Overloaded', type: 'server_error', code: 'server_error' },
  ],
  [
    'an error object with a code',
    sse({ error: { message: 'No', code: 'x1' } }),
    { message: 'No', type: undefined, code: 'x1' },
  ],
  ['an error that is a string', sse({ error: 'Overloaded' }), { message: 'Overloaded', code: undefined }],
  ['a detail', sse({ detail: 'Gateway failed' }), { message: 'Gateway failed' }],
  ['an error beside choices', sse({ ...chunkOf('b'), error: { message: 'Both' } }), { message: 'Both' }],
  ['an event called error', 'event: error\ndata: {"message":"Named"}\n\n', { message: 'Named' }],
  [
    'an event called error that is not JSON',
    'event: error\ndata: plain words\n\n',
    { message: 'plain words' },
  ],
  ['an error without words', sse({ error: {} }), { message: '{}' }],
]

for (const [what, event, expected] of ERROR_EVENTS) {
  test(`reports an error inside a stream: ${what}`, async (t) => {
    const answer = (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-respan-gateway-request-id': 'req-1' })
      response.end(sse(chunkOf('a')) + event + sse(chunkOf('c')) + DONE)
    }
    const { error, text } = await call(t, answer, STREAM, AT_ONCE)
    t.like(error, { _tag: 'GatewayError', requestId: 'req-1', ...expected })
    t.is(text, 'a')
  })
}

test('passes on chunks whose error is empty, or whose detail stands beside choices', async (t) => {
  const { error, text } = await call(t, (response) =>
    sendEvents(
      response,
      sse({ ...chunkOf('a'), error: null }),
      sse({ ...chunkOf('b'), error: '' }),
      sse({ ...chunkOf('c'), detail: 'x' }),
    ),
  )
  t.is(error, undefined)
  t.is(text, 'abc')
})

for (const name of ['error', 'error-detail', 'error-first']) {
  test(`reports the error of the sample ${name}`, async (t) => {
    const { error } = await call(t, (response) => sendEvents(response, fixture(`chat.stream.${name}.sse`)))
    t.is(error?._tag, 'GatewayError')
  })
}

const BAD_EVENTS: ReadonlyArray<readonly [what: string, event: string, expected: object]> = [
  [
    'malformed JSON',
    'data: {"choices": [}\n\n',
    { path: '', expected: 'JSON', found: 'string(14 characters)' },
  ],
  ['a word', sse('hello'), { path: '', expected: 'JSON' }],
  ['choices that are a string', sse({ choices: 'x' }), { path: 'choices', found: 'string(1 character)' }],
  ['no choices', sse({ id: 'x' }), { path: 'choices', found: 'undefined' }],
  ['a number', sse('17'), { path: '', found: 'number 17' }],
  ['null', sse('null'), { path: '', found: 'null' }],
  ['a list', sse('[]'), { path: '', found: 'array(0)' }],
  [
    'content that is a number',
    sse({ choices: [{ delta: { content: 7 } }] }),
    { path: 'choices[0].delta.content', found: 'number 7' },
  ],
]

for (const [what, event, expected] of BAD_EVENTS) {
  test(`refuses an event that holds ${what}`, async (t) => {
    const { error, text } = await call(t, (response) => sendEvents(response, sse(chunkOf('a')), event, DONE))
    t.like(error, { _tag: 'InvalidResponse', ...expected })
    t.is(text, 'a')
  })
}

test('refuses an event without end, and breaks it off', async (t) => {
  const server = await serve(t, (response) => {
    sendEvents(response)
    response.write('data: ')
    const more = (): void => {
      while (response.write('x'.repeat(262_144)));
    }
    response.on('drain', more)
    more()
  })
  const { error } = await outcome(t, gatewayOf(server.url).chat(STREAM))
  t.like(error, { _tag: 'InvalidResponse', expected: 'at most 16777216 characters' })
  await server.received[0]?.broken
})

// ── streams that are well

test('emits the attempt, the headers, each chunk, and completes at [DONE]', async (t) => {
  const { events, error } = await call(t, (response) => {
    response.writeHead(201, {
      'content-type': 'Text/Event-Stream; charset=utf-8',
      'x-request-id': 'not-this-one',
      'x-respan-gateway-request-id': 'req-1',
      'x-respan-log-id': 'log-1',
    })
    response.end(
      [sse(chunkOf('a')), sse(chunkOf('b')), DONE, DONE, sse(chunkOf('c')), 'data: rubbish'].join(''),
    )
  })
  t.is(error, undefined)
  t.deepEqual(events, [
    { _tag: 'Attempt', attempt: 1 },
    { _tag: 'Headers', status: 201, requestId: 'req-1', logId: 'log-1' },
    { _tag: 'Chunk', chunk: chunkOf('a') },
    { _tag: 'Chunk', chunk: chunkOf('b') },
  ])
})

test('completes at [DONE] though the body goes on, and gives up the connection', async (t) => {
  const server = await serve(t, (response) => {
    sendEvents(response)
    response.write(sse(chunkOf('a')) + DONE)
  })
  const { error, text } = await outcome(t, gatewayOf(server.url).chat(STREAM))
  t.is(error, undefined)
  t.is(text, 'a')
  await server.received[0]?.broken
})

test('a body that goes on after [DONE] and can not be given up harms nobody', async (t) => {
  const cancelled = latch()
  const pieces = [new TextEncoder().encode(sse(chunkOf('a')) + DONE)]
  const body = new ReadableStream({
    pull: (controller) => {
      const piece = pieces.shift()
      if (piece === undefined) return new Promise<void>(() => undefined)
      return controller.enqueue(piece)
    },
    cancel: () => {
      cancelled.open()
      return Promise.reject(new Error('of the body'))
    },
  })
  const fetch = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  const { error, text } = await outcome(t, gatewayOf('http://127.0.0.1:1', { fetch }).chat(STREAM))
  t.is(error, undefined)
  t.is(text, 'a')
  await cancelled.opened
  await new Promise(setImmediate)
})

test('keeps the connection for the next call', async (t) => {
  const server = await serve(t, (response) => sendEvents(response, sse(chunkOf('a')) + DONE))
  const gateway = gatewayOf(server.url)
  for (let calls = 0; calls < 3; calls += 1) {
    t.is((await outcome(t, gateway.chat(STREAM))).error, undefined)
    await new Promise(setImmediate)
  }
  t.is(server.connections(), 1)
})

test('reads the rest of a body that goes on after [DONE], as far as it is short', async (t) => {
  const endings: ReadonlyArray<readonly [rest: number, ending: 'read to its end' | 'given up']> = [
    [2, 'read to its end'],
    [1_000, 'given up'],
  ]
  for (const [rest, ending] of endings) {
    const completed = latch()
    let pieces = 0
    let signal: AbortSignal | null | undefined
    const ended = new Promise<string>((resolve) => {
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
        pieces += 1
        if (pieces === 1) return controller.enqueue(new TextEncoder().encode(sse(chunkOf('a')) + DONE))
        await completed.opened
        if (pieces - 1 <= rest) return controller.enqueue(new Uint8Array(10_000))
        controller.close()
        resolve('read to its end')
      }
      const stream = new ReadableStream({ pull, cancel: () => resolve('given up') }, { highWaterMark: 0 })
      const fetch: typeof globalThis.fetch = async (_, init) => {
        signal = init?.signal
        return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
      }
      const done = outcome(t, gatewayOf('http://127.0.0.1:1', { fetch }).chat(STREAM))
      done.then(({ error }) => t.is(error, undefined)).then(completed.open)
    })
    t.is(await ended, ending)
    t.false(signal?.aborted)
    t.true(pieces < 10)
  }
})

test('reads every form of server-sent events', async (t) => {
  const quirks = await call(t, (response) => sendEvents(response, fixture('chat.stream.quirks.sse')))
  t.is(quirks.error, undefined)
  t.is(quirks.text, 'no space after colon, two data lines')
  const cr = await call(t, (response) => sendEvents(response, fixture('chat.stream.long-token-cr.sse')))
  t.is(cr.error, undefined)
  t.true(cr.text.startsWith('Artificial'))
})

test('passes on the breakdown of a request as a chunk', async (t) => {
  const { events, error } = await call(t, (response) =>
    sendEvents(response, fixture('chat.stream.request-breakdown.sse')),
  )
  t.is(error, undefined)
  t.true(events.some((event) => event._tag === 'Chunk' && event.chunk.id === 'request_breakdown'))
})

test('reads characters that are split between pieces', async (t) => {
  const bytes = new TextEncoder().encode(sse(chunkOf('a é 漢 👩‍🚀')) + DONE)
  const { text, error } = await call(t, async (response) => {
    sendEvents(response)
    for (const byte of bytes) await new Promise((resolve) => response.write(Uint8Array.of(byte), resolve))
    response.end()
  })
  t.is(error, undefined)
  t.is(text, 'a é 漢 👩‍🚀')
})

test('reads an event of four million characters', async (t) => {
  const content = 'é'.repeat(4_000_000)
  const { text, error } = await call(t, (response) => sendEvents(response, sse(chunkOf(content)), DONE))
  t.is(error, undefined)
  t.true(text === content)
})

testProp(
  'law: every split of a stream emits the same',
  [fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), fc.array(fc.nat(400), { maxLength: 20 })],
  async (t, contents, positions) => {
    const bytes = new TextEncoder().encode(contents.map((content) => sse(chunkOf(content))).join('') + DONE)
    const at = [0, ...[...positions].sort((a, b) => a - b), bytes.length]
    const pieces = at.slice(1).map((end, index) => bytes.slice(at[index], end))
    const body = new ReadableStream({
      pull: (controller) => {
        const piece = pieces.shift()
        if (piece === undefined) controller.close()
        else controller.enqueue(piece)
      },
    })
    const fetch = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const { events, error } = await outcome(t, gatewayOf('http://127.0.0.1:1', { fetch }).chat(STREAM))
    t.is(error, undefined)
    t.deepEqual(
      events.slice(2),
      contents.map((content) => ({ _tag: 'Chunk' as const, chunk: chunkOf(content) })),
    )
  },
  { numRuns: 50 },
)

test('emits the response when a stream was asked for and none came', async (t) => {
  const { events, error } = await call(t, (response) => sendJson(response, RESPONSE))
  t.is(error, undefined)
  t.deepEqual(events[2], { _tag: 'Response', response: RESPONSE })
})

// ── answers that are not streamed

for (const name of [
  '',
  '.minimal',
  '.tool-calls',
  '.refusal',
  '.n2-logprobs',
  '.reasoning',
  '.cost',
  '.prompt-echo',
]) {
  test(`emits the response of the sample chat.response${name}`, async (t) => {
    const response: unknown = JSON.parse(fixture(`chat.response${name}.json`))
    const { events, error } = await call(t, (to) => sendJson(to, response), ASK)
    t.is(error, undefined)
    t.deepEqual<unknown, unknown>(events, [
      { _tag: 'Attempt', attempt: 1 },
      { _tag: 'Headers', status: 200 },
      { _tag: 'Response', response },
    ])
  })
}

// A server whose JSON has no infinity writes the logarithm of zero as null.
test('log probabilities with gaps cost no reply, whole or streamed', async (t) => {
  const logprobs = {
    content: [
      { token: 'x', logprob: null, top_logprobs: [{ token: 'y', logprob: null }, { token: null }] },
      {},
    ],
  }
  const choice = { index: 0, finish_reason: 'stop', logprobs }
  const response: unknown = { choices: [{ ...choice, message: { content: 'x' } }] }
  const whole = await call(t, (to) => sendJson(to, response), ASK)
  t.is(whole.error, undefined)
  t.deepEqual<unknown, unknown>(whole.events.at(-1), { _tag: 'Response', response })
  const chunk: unknown = { choices: [{ ...choice, delta: { content: 'x' } }] }
  const streamed = await call(t, (to) => sendEvents(to, `data: ${JSON.stringify(chunk)}\n\n`, DONE), STREAM)
  t.is(streamed.error, undefined)
  t.deepEqual<unknown, unknown>(streamed.events.at(-1), { _tag: 'Chunk', chunk })
})

const BAD_ANSWERS: ReadonlyArray<
  readonly [what: string, type: string | undefined, body: string, expected: object, request?: ChatRequest]
> = [
  [
    'HTML',
    'text/html',
    '<h1>Hi</h1>',
    { _tag: 'InvalidResponse', path: 'content-type', expected: 'application/json', found: 'text/html' },
  ],
  [
    'HTML for a stream',
    'text/html',
    '<h1>Hi</h1>',
    { path: 'content-type', expected: 'text/event-stream or application/json', found: 'text/html' },
    STREAM,
  ],
  [
    'a type of a thousand characters',
    'x'.repeat(1_000),
    '{}',
    { _tag: 'InvalidResponse', path: 'content-type', found: 'x'.repeat(100) },
  ],
  ['plain text', 'text/plain', '{}', { _tag: 'InvalidResponse', path: 'content-type', found: 'text/plain' }],
  [
    'a stream nobody asked for',
    'text/event-stream',
    DONE,
    { _tag: 'InvalidResponse', found: 'text/event-stream' },
  ],
  [
    'an empty body',
    'application/json',
    '',
    { _tag: 'InvalidResponse', expected: 'JSON', found: 'an empty body' },
  ],
  ['half of its JSON', 'application/json', '{"choices": [', { _tag: 'InvalidResponse', expected: 'JSON' }],
  ['HTML without a type', undefined, '<h1>Hi</h1>', { _tag: 'InvalidResponse', expected: 'JSON' }],
  ['no choices', 'application/json', '{}', { _tag: 'InvalidResponse', path: 'choices' }],
  [
    'empty choices',
    'application/json',
    '{"choices":[]}',
    { _tag: 'InvalidResponse', path: 'choices', found: 'array(0)' },
  ],
  [
    'a message of the wrong shape',
    'application/json; charset=utf-8',
    '{"choices":[{"message":{"content":7}}]}',
    { _tag: 'InvalidResponse', path: 'choices[0].message.content' },
  ],
  [
    'an error',
    'application/json',
    '{"error":{"message":"No","type":"x"}}',
    { _tag: 'GatewayError', message: 'No', type: 'x' },
  ],
  [
    'an error for a stream',
    'application/json',
    '{"error":"No"}',
    { _tag: 'GatewayError', message: 'No' },
    STREAM,
  ],
  ['a detail', 'application/problem+json', '{"detail":"No"}', { _tag: 'GatewayError', message: 'No' }],
]

for (const [what, type, body, expected, request = ASK] of BAD_ANSWERS) {
  test(`refuses a 200 with ${what}`, async (t) => {
    const { error, attempts } = await call(
      t,
      (response) => {
        response.writeHead(200, {
          ...(type === undefined ? {} : { 'content-type': type }),
          'x-respan-log-id': 'log-1',
        })
        response.end(body)
      },
      request,
      AT_ONCE,
    )
    t.like(error, { logId: 'log-1', ...expected })
    t.is(attempts, 1)
  })
}

test('takes an answer without a content type for what was asked for', async (t) => {
  const whole = await call(t, (response) => response.end(JSON.stringify(RESPONSE)), ASK)
  t.is(whole.error, undefined)
  const stream = await call(t, (response) => response.end(sse(chunkOf('a'))))
  t.is(stream.text, 'a')
})

// ── errors by status

for (const [name, expected] of [
  ['error.400.json', { _tag: 'HttpError', status: 400 }],
  ['error.401.invalid-key.json', { _tag: 'HttpError', status: 401 }],
  ['error.401.provider-openai.json', { _tag: 'HttpError', status: 401, code: 'invalid_api_key' }],
  ['error.404.model.json', { _tag: 'HttpError', status: 404 }],
  ['error.422.json', { _tag: 'HttpError', status: 422 }],
  ['error.429.respan.json', { _tag: 'RateLimited', retryAfter: 60_000 }],
  ['error.429.quota.json', { _tag: 'RateLimited', code: 'insufficient_quota', retryAfter: undefined }],
  ['error.500.json', { _tag: 'HttpError', status: 500, code: 'INTERNAL_ERROR' }],
  ['error.502.html', { _tag: 'HttpError', status: 502, message: 'HTTP 502: 502 Bad Gateway' }],
] as const) {
  test(`reports the sample ${name}`, async (t) => {
    const status = Number(name.split('.')[1])
    const { error, events } = await call(t, (response) => {
      response.writeHead(status, { 'x-request-id': 'req-1', 'x-respan-log-id': 'log-1' })
      response.end(fixture(name))
    })
    t.like(error, { requestId: 'req-1', logId: 'log-1', ...expected })
    t.deepEqual(events, [
      { _tag: 'Attempt', attempt: 1 },
      { _tag: 'Headers', status, requestId: 'req-1', logId: 'log-1' },
    ])
  })
}

test('reports the status of an error whose body breaks off', async (t) => {
  const { error } = await call(t, (response) => {
    response.writeHead(500, { 'content-length': 100 })
    response.write('{"detail":', () => response.destroy())
  })
  t.like(error, { _tag: 'HttpError', status: 500 })
})

test('reads no more than the beginning of an error, and gives up the connection', async (t) => {
  const server = await serve(t, (response) => {
    response.writeHead(500)
    const more = (): void => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  const { error } = await outcome(t, gatewayOf(server.url, ONCE).chat(ASK))
  t.true(error?._tag === 'HttpError' && error.body === 'x'.repeat(1_000))
  await server.received[0]?.broken
})

test('follows no redirect, and so takes no key elsewhere', async (t) => {
  const elsewhere = await serve(t, (response) => sendJson(response, RESPONSE))
  const { error } = await call(
    t,
    (response) => response.writeHead(308, { location: elsewhere.url }).end(),
    ASK,
  )
  t.like(error, { _tag: 'HttpError', status: 308 })
  t.true(error?.message.includes('redirect'))
  t.is(elsewhere.received.length, 0)
})

// ── retries

test('waits as long as a 429 says, and asks again', async (t) => {
  const { events, error } = await call(
    t,
    (response, number) =>
      number < 3
        ? sendJson(response, { detail: 'Slow down' }, { status: 429, headers: { 'retry-after-ms': '1' } })
        : sendJson(response, RESPONSE),
    ASK,
    // Without the header, this wait would be the test's last.
    { retry: { delay: 2_000_000_000, maxDelay: 2_000_000_000 } },
  )
  t.is(error, undefined)
  t.deepEqual(
    events.map((event) =>
      event._tag === 'Headers' ? event.status : event._tag === 'Attempt' ? event.attempt : event._tag,
    ),
    [1, 429, 2, 429, 3, 200, 'Response'],
  )
})

test('waits as long as the body of a 503 says', async (t) => {
  const { error, requests } = await call(
    t,
    (response, number) =>
      number === 1
        ? sendJson(response, { retry_after: 0.001 }, { status: 503 })
        : sendJson(response, RESPONSE),
    ASK,
    { retry: { delay: 2_000_000_000, maxDelay: 2_000_000_000 } },
  )
  t.is(error, undefined)
  t.is(requests, 2)
})

for (const status of [408, 409, 429, 500, 502, 503, 504, 529]) {
  test(`asks three times in all on ${status}, then reports it`, async (t) => {
    const { error, requests } = await call(t, (response) => sendJson(response, {}, { status }), ASK, AT_ONCE)
    t.like(error, { status })
    t.is(requests, 3)
  })
}

for (const status of [400, 401, 403, 404, 413, 422, 501]) {
  test(`asks only once on ${status}`, async (t) => {
    const { error, requests } = await call(t, (response) => sendJson(response, {}, { status }), ASK, AT_ONCE)
    t.like(error, { _tag: 'HttpError', status })
    t.is(requests, 1)
  })
}

test('asks only once when the quota is used up', async (t) => {
  const quota = (response: ServerResponse) =>
    sendJson(response, JSON.parse(fixture('error.429.quota.json')), { status: 429 })
  const { error, requests } = await call(t, quota, ASK, AT_ONCE)
  t.like(error, { _tag: 'RateLimited', code: 'insufficient_quota' })
  t.is(requests, 1)
})

test('asks as often, and on those statuses, as the policy says', async (t) => {
  const four = await call(t, (response) => sendJson(response, {}, { status: 404 }), ASK, {
    retry: { count: 3, delay: 0, statuses: [404] },
  })
  t.is(four.requests, 4)
  const once = await call(t, (response) => sendJson(response, {}, { status: 500 }), ASK, {
    retry: { count: 3, delay: 0, statuses: [404] },
  })
  t.is(once.requests, 1)
})

test('reports a 429 at once when its wait would pass the deadline, or a minute', async (t) => {
  const answer = (seconds: string) => (response: ServerResponse) =>
    sendJson(response, {}, { status: 429, headers: { 'retry-after': seconds } })
  const within = await call(t, answer('30'), ASK, { retry: { deadline: 20_000 } })
  t.like(within.error, { _tag: 'RateLimited', retryAfter: 30_000 })
  t.is(within.requests, 1)
  const minute = await call(t, answer('61'), ASK, {})
  t.like(minute.error, { _tag: 'RateLimited', retryAfter: 61_000 })
  t.is(minute.requests, 1)
})

test('asks again when nobody listens, and reports it in the end', async (t) => {
  const { error, attempts } = await outcome(t, gatewayOf('http://127.0.0.1:1', AT_ONCE).chat(ASK))
  t.is(error?._tag, 'NetworkError')
  t.is(attempts, 3)
})

test('asks no further once it is unsubscribed while it waits', async (t) => {
  const refused = latch()
  const server = await serve(t, (response) => {
    response.on('finish', refused.open)
    sendJson(response, {}, { status: 429, headers: { 'retry-after': '50' } })
  })
  const subscription = gatewayOf(server.url)
    .chat(ASK)
    .subscribe({ error: () => t.fail() })
  await refused.opened
  await new Promise(setImmediate)
  subscription.unsubscribe()
  t.is(server.received.length, 1)
})

// ── unsubscribing and aborting

const STATES: ReadonlyArray<readonly [state: string, answer: (response: ServerResponse) => unknown]> = [
  ['before the headers', () => undefined],
  ['before the first chunk', (response) => sendEvents(response)],
  [
    'between two chunks',
    (response) => {
      sendEvents(response)
      response.write(sse(chunkOf('a')))
    },
  ],
  ['inside an error', (response) => response.writeHead(500).write('{')],
  [
    'inside a response',
    (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
  ],
]

for (const [state, answer] of STATES) {
  test(`breaks off when it is unsubscribed ${state}`, async (t) => {
    const arrived = latch()
    const server = await serve(t, (response) => {
      answer(response)
      arrived.open()
    })
    const subscription = gatewayOf(server.url)
      .chat(STREAM)
      .subscribe({ error: (error) => t.fail(error.message) })
    await arrived.opened
    subscription.unsubscribe()
    await server.received[0]?.broken
    t.is(server.received.length, 1)
  })

  test(`breaks off with Aborted when the signal is aborted ${state}`, async (t) => {
    const arrived = latch()
    const server = await serve(t, (response) => {
      answer(response)
      arrived.open()
    })
    const controller = new AbortController()
    const done = outcome(t, gatewayOf(server.url, { signal: controller.signal }).chat(STREAM))
    await arrived.opened
    const reason = new Error('enough')
    controller.abort(reason)
    const { error } = await done
    t.is(error?._tag, 'Aborted')
    t.is(error?.cause, reason)
    await server.received[0]?.broken
    t.is(getEventListeners(controller.signal, 'abort').length, 0)
    t.is(server.received.length, 1)
  })
}

test('aborts a wait between two attempts', async (t) => {
  const controller = new AbortController()
  const server = await serve(t, (response) => {
    response.on('finish', () => setImmediate(() => controller.abort()))
    sendJson(response, {}, { status: 503, headers: { 'retry-after': '50' } })
  })
  const { error } = await outcome(t, gatewayOf(server.url, { signal: controller.signal }).chat(ASK))
  t.is(error?._tag, 'Aborted')
  t.is(server.received.length, 1)
})

test('sends nothing when the signal is aborted already', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const { error, events } = await outcome(
    t,
    gatewayOf(server.url, { signal: AbortSignal.abort('no') }).chat(ASK),
  )
  t.is(error?._tag, 'Aborted')
  t.deepEqual(events, [])
  t.is(server.received.length, 0)
})

test('sends nothing for a call that begins while others are being aborted', async (t) => {
  const controller = new AbortController()
  const server = await serve(t, (_, __, number) => {
    if (number === 2) controller.abort()
  })
  const { chat } = gatewayOf(server.url, { signal: controller.signal })
  const again = chat(ASK).pipe(catchError(() => chat(ASK)))
  const outcomes = await Promise.all([outcome(t, again), outcome(t, again)])
  t.deepEqual(
    outcomes.map(({ error }) => error?._tag),
    ['Aborted', 'Aborted'],
  )
  t.is(server.received.length, 2)
})

test('shares one listener on a signal between the calls of a moment', async (t) => {
  const { signal } = new AbortController()
  const server = await serve(t, () => undefined)
  const { chat } = gatewayOf(server.url, { signal })
  const calls = new Subscription()
  for (let call = 0; call < 20; call += 1) calls.add(chat(STREAM).subscribe())
  t.is(getEventListeners(signal, 'abort').length, 1)
  calls.unsubscribe()
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('leaves no listener on a signal after a hundred calls', async (t) => {
  const { signal } = new AbortController()
  const server = await serve(t, (response, _, number) =>
    number % 3 === 0
      ? sendJson(response, {}, { status: 400 })
      : sendEvents(response, sse(chunkOf('a')), DONE),
  )
  const { chat } = gatewayOf(server.url, { signal })
  await Promise.all(
    Array.from({ length: 100 }, (_, call) =>
      outcome(t, call % 2 === 0 ? chat(STREAM) : chat(STREAM).pipe(take(3))),
    ),
  )
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('emits nothing more after an unsubscription in the middle of one piece', async (t) => {
  const many = Array.from({ length: 1_000 }, (_, n) => sse(chunkOf(String(n)))).join('')
  const server = await serve(t, (response) => {
    sendEvents(response)
    response.write(many)
  })
  const events: Array<GatewayEvent> = []
  const broken = latch()
  const subscription = new Subscription()
  subscription.add(
    gatewayOf(server.url)
      .chat(STREAM)
      .subscribe((event) => {
        events.push(event)
        if (event._tag !== 'Chunk') return
        subscription.unsubscribe()
        broken.open()
      }),
  )
  await broken.opened
  await server.received[0]?.broken
  t.is(events.length, 3)
})

test('sends nothing when it is unsubscribed at the attempt', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const { events } = await outcome(t, gatewayOf(server.url).chat(ASK).pipe(take(1)))
  t.deepEqual(events, [{ _tag: 'Attempt', attempt: 1 }])
  t.is(server.received.length, 0)
})

// ── requests

test('sends nothing before it is subscribed, and once for each subscription', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const chat$ = gatewayOf(server.url).chat(ASK)
  t.is(server.received.length, 0)
  await Promise.all([outcome(t, chat$), outcome(t, chat$)])
  t.is(server.received.length, 2)
  t.like(server.received[0], { method: 'POST', path: '/api/chat/completions', body: JSON.stringify(ASK) })
  t.like(server.received[0]?.headers, {
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/json',
    accept: 'application/json',
  })
})

test("keeps a proxy's own path and sends the user's headers", async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const headers = { 'X-Respan-Beta': 'token-breakdown-2026-03-26', authorization: 'Basic abc' }
  await outcome(t, gatewayOf(`${server.url}/respan/`, { headers }).chat(STREAM))
  t.is(server.received[0]?.path, '/respan/chat/completions')
  t.like(server.received[0]?.headers, {
    'x-respan-beta': 'token-breakdown-2026-03-26',
    authorization: 'Basic abc',
    accept: 'text/event-stream, application/json',
  })
})

test('sends no authorization to a host that needs none when there is no key', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const { error } = await outcome(t, respanGateway({ baseUrl: server.url }).chat(ASK))
  t.is(error, undefined)
  t.is(server.received[0]?.headers.authorization, undefined)
})

const sent = async (
  t: ExecutionContext,
  attributes: NonNullable<RespanConnection['attributes']>,
  request: ChatRequest,
): Promise<unknown> => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  await outcome(t, gatewayOf(server.url, { attributes }).chat(request))
  return JSON.parse(server.received[0]?.body ?? 'null')
}

test("puts the gateway's attributes beneath the request's fields", async (t) => {
  const attributes = {
    customer_identifier: 'gateway',
    thread_identifier: 'gateway',
    fallback_models: ['a', 'b'],
    metadata: { team: 'red', stage: 'test' },
  }
  t.deepEqual(
    await sent(t, attributes, {
      ...ASK,
      customer_identifier: 'request',
      fallback_models: ['c'],
      metadata: { stage: 'live', run: 7 },
    }),
    {
      ...ASK,
      customer_identifier: 'request',
      thread_identifier: 'gateway',
      fallback_models: ['c'],
      metadata: { team: 'red', stage: 'live', run: 7 },
    },
  )
  t.deepEqual(await sent(t, attributes, ASK), { ...ASK, ...attributes })
})

test("does not let the gateway's attributes win over the nested ones of a request", async (t) => {
  const attributes = { customer_identifier: 'gateway', note: 'gateway', metadata: { team: 'red' } }
  const respan_params = { customer_identifier: 'request', metadata: { run: '7' } }
  t.deepEqual(await sent(t, attributes, { ...ASK, respan_params }), {
    ...ASK,
    note: 'gateway',
    metadata: { team: 'red', run: '7' },
    respan_params,
  })
})

test('emits InvalidInput for a request that JSON can not hold, before it is sent', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const { error, events } = await outcome(t, gatewayOf(server.url).chat({ ...ASK, metadata: { n: 1n } }))
  t.is(error?._tag, 'InvalidInput')
  t.deepEqual(events, [])
  t.is(server.received.length, 0)
})

test('sends what has a JSON, however it is nested, and a cycle that its toJSON hides', async (t) => {
  const cyclic: Record<string, unknown> = { toJSON: () => 'hidden' }
  cyclic.self = cyclic
  const deep = Array.from({ length: 2_000 }).reduce<object>((inner) => ({ inner }), {})
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const { error } = await outcome(t, gatewayOf(server.url).chat({ ...ASK, metadata: { cyclic, deep } }))
  t.is(error, undefined)
  t.deepEqual(JSON.parse(server.received[0]?.body ?? '').metadata.cyclic, 'hidden')
})

// ── keys and the environment

const unreachable: typeof fetch = () => Promise.reject(new Error('A request was made.'))

test.serial('emits MissingApiKey before any request to Respan', async (t) => {
  const gateway = respanGateway({ fetch: unreachable })
  const { error, events } = await outcome(t, gateway.chat(ASK))
  t.like(error, {
    _tag: 'MissingApiKey',
    variable: 'RESPAN_API_KEY',
    message:
      'No API key: set RESPAN_API_KEY in the environment, or pass { apiKey }. In a web page, pass the baseUrl of your own server that adds it.',
  })
  t.deepEqual(events, [])
})

test.serial('reads the environment at each subscription, not before', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const chat$ = respanGateway({ fetch: (input, init) => fetch(input, init) }).chat(ASK)
  t.is((await outcome(t, chat$)).error?._tag, 'MissingApiKey')
  inEnvironment(t, { RESPAN_BASE_URL: `${server.url}/`, RESPAN_API_KEY: ` ${KEY}\n` })
  t.is((await outcome(t, chat$)).error, undefined)
  t.is(server.received[0]?.path, '/api/chat/completions')
  t.is(server.received[0]?.headers.authorization, `Bearer ${KEY}`)
})

test.serial('sends no key of OpenAI to Respan', async (t) => {
  inEnvironment(t, { OPENAI_API_KEY: KEY })
  const { error } = await outcome(t, respanGateway({ fetch: unreachable }).chat(ASK))
  t.is(error?._tag, 'MissingApiKey')
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  await outcome(t, respanGateway({ baseUrl: server.url }).chat(ASK))
  t.is(server.received[0]?.headers.authorization, undefined)
})

test('has the key in no error, whatever repeats it', async (t) => {
  const echoes: ReadonlyArray<(response: ServerResponse) => unknown> = [
    (response) => sendJson(response, { detail: `Key ${KEY} is wrong`, [KEY]: KEY }, { status: 401 }),
    (response) =>
      response.writeHead(502, KEY, { 'x-request-id': KEY, 'x-respan-log-id': KEY }).end(`<b>${KEY}</b>`),
    (response) => sendJson(response, { error: { message: KEY, code: KEY, type: KEY } }, { status: 429 }),
    (response) => sendJson(response, { error: { message: `Key ${KEY}`, code: KEY, type: KEY } }),
    (response) => sendJson(response, { [KEY]: 1, choices: { [KEY]: 1 } }),
    (response) => response.writeHead(200, { 'content-type': `text/${KEY}` }).end(),
    (response) => sendEvents(response, sse({ error: { message: KEY, type: KEY } })),
    (response) => sendEvents(response, sse({ choices: { [KEY]: 1 } })),
    (response) => sendEvents(response, `event: error\ndata: ${KEY}\n\n`),
    (response) => sendEvents(response, sse(KEY)),
    (response) => sendEvents(response, `data: {"${KEY}`),
    (response) => response.socket?.destroy(),
  ]
  for (const echo of echoes) {
    const { error } = await call(t, echo)
    t.not(error, undefined)
    t.false(JSON.stringify(error).includes(KEY))
  }
})

// ── options

for (const [path, connection] of [
  ['baseUrl', { baseUrl: 'api.respan.ai' }],
  ['timeout', { timeout: 0 }],
  ['headers.x', { headers: { x: 'a\nb' } }],
  ['retry.count', { retry: { count: -1 } }],
  ['attributes.metadata', { attributes: { metadata: 'x' } }],
  ['attributes.delimiter', { attributes: { delimiter: '---' } }],
] as const) {
  test(`refuses a wrong ${path} when it is built`, (t) => {
    // A JavaScript user's mistake: the types don't allow it.
    const build = () => respanGateway(anything(connection))
    t.is(t.throws(build, { instanceOf: InvalidInput }).path, path)
  })
}

test('is named after its kind', (t) => {
  t.like(respanGateway(), { name: 'respan', kind: 'respan' })
})
