import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { firstValueFrom, lastValueFrom, type Observable, toArray } from 'rxjs'
import { type RespanError, StreamInterrupted } from '../../dist/errors.js'
import { exchange } from '../../dist/http/exchange.js'
import { type AnswerRequest, fetchAnswer } from '../../dist/http/fetchAnswer.js'
import { commandTimers } from '../helpers/commandTimers.js'
import { deadPort } from '../helpers/deadPort.js'
import { latch, sendJson, serve } from '../helpers/server.js'

const KEY = 'sk-canary-0123456789'
const NEVER = Number.POSITIVE_INFINITY

const to = (url: string, more: Partial<AnswerRequest> = {}): AnswerRequest => ({
  url,
  body: '{"a":"é"}',
  apiKey: KEY,
  connection: {},
  policy: { timeout: NEVER, idleTimeout: NEVER },
  ...more,
})

const failure = async (t: ExecutionContext, source: Observable<unknown>): Promise<RespanError> => {
  const error: RespanError | undefined = await lastValueFrom(source).then(
    () => undefined,
    (error: RespanError) => error,
  )
  if (error === undefined) throw new Error('It did not fail.')
  t.false(inspect(error, { depth: 20, showHidden: true }).includes(KEY))
  return error
}

// ── limits of time

test.serial('runs out of time before the headers', async (t) => {
  const arrived = latch()
  const server = await serve(t, arrived.open)
  const { tick } = commandTimers(t)
  const failed = failure(t, fetchAnswer(to(server.url, { policy: { timeout: 5_000, idleTimeout: 1_000 } })))
  await arrived.opened
  tick(5_000)
  t.like(await failed, { _tag: 'Timeout', phase: 'headers', limit: 5_000 })
  await server.received[0]?.broken
})

test.serial('runs out of time before the last byte, however lively the body is', async (t) => {
  const server = await serve(t, (response) => response.write('x'))
  const { tick } = commandTimers(t)
  const failed = failure(
    t,
    exchange(request(server.url, { timeout: 5_000, idleTimeout: 3_000 }), async (response, reading) => {
      const reader = reading.open(response)
      await reader?.read()
      reading.progress()
      tick(3_000)
      reading.progress()
      tick(2_000)
      await reader?.read()
    }),
  )
  t.like(await failed, { _tag: 'Timeout', phase: 'body', limit: 5_000 })
  await server.received[0]?.broken
})

test.serial('runs out of patience between two pieces of the body', async (t) => {
  const server = await serve(t, (response) => response.writeHead(200, { 'x-request-id': 'req-7' }).write('x'))
  const { tick } = commandTimers(t)
  const failed = failure(
    t,
    exchange(request(server.url, { idleTimeout: 3_000 }), async (response, reading) => {
      const reader = reading.open(response)
      await reader?.read()
      tick(3_000)
      await reader?.read()
    }),
  )
  t.like(await failed, { _tag: 'Timeout', phase: 'idle', limit: 3_000, requestId: 'req-7' })
  await server.received[0]?.broken
})

test.serial('runs out of the time left for all attempts', async (t) => {
  const arrived = latch()
  const server = await serve(t, arrived.open)
  const { tick } = commandTimers(t)
  const limits = { timeout: 5_000, deadline: { left: 700, limit: 9_000 } }
  const failed = failure(
    t,
    exchange(request(server.url, limits), async () => undefined),
  )
  await arrived.opened
  tick(700)
  t.like(await failed, { _tag: 'Timeout', phase: 'retry', limit: 9_000 })
})

test.serial('leaves no timer behind, however it ends', async (t) => {
  const server = await serve(t, (response, { path }) =>
    path === '/ok'
      ? sendJson(response, {})
      : response.writeHead(200).write('x', () => path === '/cut' && response.destroy()),
  )
  const { pending } = commandTimers(t)
  const policy = { timeout: 5_000, idleTimeout: 1_000 }
  await firstValueFrom(fetchAnswer(to(`${server.url}/ok`, { policy })))
  t.deepEqual(pending(), [])
  await failure(t, fetchAnswer(to(`${server.url}/cut`, { policy })))
  t.deepEqual(pending(), [])
  const armed = latch()
  const reading$ = exchange(request(server.url, policy), async (response, reading) => {
    await reading.open(response)?.read()
    armed.open()
  })
  const subscription = reading$.subscribe()
  t.is(pending().length, 1)
  await armed.opened
  subscription.unsubscribe()
  t.deepEqual(pending(), [])
})

// ── connections that fail

test('reports a refused connection, its address and its code, and no key', async (t) => {
  const { port } = await deadPort(t)
  const url = `http://127.0.0.1:${port}`
  const error = await failure(t, fetchAnswer(to(url)))
  t.is(error._tag, 'NetworkError')
  t.is(error.message, `No answer from ${url}: ECONNREFUSED.`)
  t.true(error.cause instanceof TypeError)
})

for (const [what, cause, reason] of [
  // As Node's fetch words them.
  ['an error that says nothing', new Error(), 'fetch failed'],
  [
    'a proxy that refuses a tunnel',
    Object.assign(new Error('Proxy response (407) !== 200 when HTTP Tunneling'), { code: 'UND_ERR_ABORTED' }),
    'UND_ERR_ABORTED, Proxy response (407) !== 200 when HTTP Tunneling',
  ],
] as const)
  test(`says why there was no answer: ${what}`, async (t) => {
    const fetch = () => Promise.reject(new TypeError('fetch failed', { cause }))
    const error = await failure(t, fetchAnswer({ ...to('http://127.0.0.1:9'), connection: { fetch } }))
    t.is(error.message, `No answer from http://127.0.0.1:9: ${reason}.`)
  })

test('reports a host that does not exist', async (t) => {
  const error = await failure(t, fetchAnswer(to('http://respan-rx.invalid')))
  t.is(error._tag, 'NetworkError')
})

test('reports a connection that is reset before the headers', async (t) => {
  const server = await serve(t, (response) => response.socket?.destroy())
  t.is((await failure(t, fetchAnswer(to(server.url))))._tag, 'NetworkError')
})

test('reports a body that breaks off', async (t) => {
  const server = await serve(t, (response) => {
    response.writeHead(200, {
      'content-length': 100,
      'x-respan-gateway-request-id': 'req-1',
      'x-respan-log-id': 'log-1',
    })
    response.write('part', () => response.destroy())
  })
  const error = await failure(t, fetchAnswer(to(server.url)))
  t.true(error instanceof StreamInterrupted)
  t.like(error, { requestId: 'req-1', logId: 'log-1' })
})

test('reports what a fetch of the user throws as a network error, with its cause', async (t) => {
  const cause = new Error('no proxy')
  const error = await failure(
    t,
    fetchAnswer(to('http://127.0.0.1:1', { connection: { fetch: () => Promise.reject(cause) } })),
  )
  t.is(error._tag, 'NetworkError')
  t.is(error.cause, cause)
})

test('keeps the key out of what a fetch of the user throws', async (t) => {
  const leaking: typeof fetch = (_, init) =>
    Promise.reject(Object.assign(new Error(`sent ${JSON.stringify(init?.headers)}`), { init }))
  const error = await failure(t, fetchAnswer(to('http://127.0.0.1:1', { connection: { fetch: leaking } })))
  t.is(error._tag, 'NetworkError')
  t.true(error.message.includes('[redacted]'))
})

for (const [code, phase] of [
  ['UND_ERR_HEADERS_TIMEOUT', 'headers'],
  ['UND_ERR_BODY_TIMEOUT', 'idle'],
] as const) {
  test(`takes ${code} of Node's fetch for a timeout, which is never retried`, async (t) => {
    const givenUp = new TypeError('fetch failed', { cause: Object.assign(new Error('Timeout'), { code }) })
    const body = new ReadableStream({ pull: (controller) => controller.error(givenUp) })
    const fetch = async () => (phase === 'headers' ? Promise.reject(givenUp) : new Response(body))
    const error = await failure(t, fetchAnswer(to('http://127.0.0.1:1', { connection: { fetch } })))
    t.like(error, { _tag: 'Timeout', phase })
  })
}

// ── requests

test('sends one POST with the key, the body and the headers, and emits the whole answer', async (t) => {
  const server = await serve(t, (response) =>
    sendJson(response, { ok: 'é' }, { status: 207, headers: { 'x-a': 'b' } }),
  )
  const answers = await firstValueFrom(
    fetchAnswer(
      to(`${server.url}/v1/x`, { headers: { 'X-Own': '1' }, connection: { headers: { 'X-Team': 'red' } } }),
    ).pipe(toArray()),
  )
  t.is(answers.length, 1)
  t.like(answers[0], { status: 207, text: '{"ok":"é"}' })
  t.is(answers[0]?.headers.get('x-a'), 'b')
  t.is(server.received.length, 1)
  t.like(server.received[0], { method: 'POST', path: '/v1/x', body: '{"a":"é"}' })
  t.like(server.received[0]?.headers, {
    accept: 'application/json',
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/json',
    'x-own': '1',
    'x-team': 'red',
  })
})

test('sends nothing before it is subscribed, and once for each subscription', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const answer$ = fetchAnswer(to(server.url))
  t.is(server.received.length, 0)
  await Promise.all([firstValueFrom(answer$), firstValueFrom(answer$)])
  t.is(server.received.length, 2)
})

test('follows no redirect, and so takes no key elsewhere', async (t) => {
  const elsewhere = await serve(t, (response) => sendJson(response, {}))
  const server = await serve(t, (response) => response.writeHead(307, { location: elsewhere.url }).end())
  t.like(await failure(t, fetchAnswer(to(server.url))), { _tag: 'HttpError', status: 307 })
  t.is(elsewhere.received.length, 0)
})

test('gives a fetch of the user the address and an init that any fetch understands', async (t) => {
  const calls: Array<readonly [unknown, RequestInit | undefined]> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    calls.push([input, init])
    return new Response('answer')
  }
  t.is(
    (
      await firstValueFrom(
        fetchAnswer(to('http://127.0.0.1:1/x', { connection: { fetch }, keepalive: true })),
      )
    ).text,
    'answer',
  )
  const [input, init] = calls[0] ?? []
  t.is(input, 'http://127.0.0.1:1/x')
  t.like(init, { method: 'POST', body: '{"a":"é"}', redirect: 'manual', keepalive: true })
  t.is(new Headers(init?.headers).get('authorization'), `Bearer ${KEY}`)
})

test('takes the key out of an answer that repeats it', async (t) => {
  const server = await serve(t, (response, { headers, path }) =>
    sendJson(response, headers, { status: path === '/failed' ? 400 : 200 }),
  )
  const { text } = await firstValueFrom(fetchAnswer(to(server.url)))
  t.false(text.includes(KEY))
  t.like(JSON.parse(text), { authorization: '[redacted]' })
  t.like(await failure(t, fetchAnswer(to(`${server.url}/failed`))), { body: { authorization: '[redacted]' } })
})

test('an answer of just the limit is whole, one with a byte more is cut', async (t) => {
  for (const [body, cut] of [
    ['abc', false],
    ['abcd', true],
  ] as const) {
    const server = await serve(t, (response) => response.end(body))
    t.like(await firstValueFrom(fetchAnswer({ ...to(server.url), maxBytes: 3 })), { text: 'abc', cut })
  }
})

test('a character that is cut at the end of a body is U+FFFD', async (t) => {
  const server = await serve(t, (response) => response.end(Uint8Array.of(0x61, 0xc3)))
  t.is((await firstValueFrom(fetchAnswer(to(server.url)))).text, 'a\uFFFD')
})

test('reads no more than a megabyte of an answer', async (t) => {
  const server = await serve(t, (response) => {
    const more = (): void => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  t.is((await firstValueFrom(fetchAnswer(to(server.url)))).text.length, 1_048_576)
  await server.received[0]?.broken
})

test('reads the empty body of a 204', async (t) => {
  const server = await serve(t, (response) => response.writeHead(204).end())
  t.like(await firstValueFrom(fetchAnswer(to(server.url))), { status: 204, text: '' })
})

for (const status of [304, 500]) {
  test(`reads the empty body of a ${status}, which is a failure`, async (t) => {
    const server = await serve(t, (response) => response.writeHead(status).end())
    t.like(await failure(t, fetchAnswer(to(server.url))), { _tag: 'HttpError', status, body: '' })
  })
}

test.serial('waits a second for the body of a failure, then breaks it off', async (t) => {
  const server = await serve(t, (response) => response.writeHead(500).write('x'))
  const { tick, pending } = commandTimers(t)
  const reading = latch()
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await globalThis.fetch(input, init)
    setImmediate(reading.open)
    return answer
  }
  const failed = failure(t, fetchAnswer(to(server.url, { connection: { fetch } })))
  await reading.opened
  tick(1_000)
  t.like(await failed, { _tag: 'HttpError', status: 500 })
  await server.received[0]?.broken
  t.deepEqual(pending(), [])
})

// ── endings

test('is aborted by a signal while it waits for the headers', async (t) => {
  const arrived = latch()
  const server = await serve(t, arrived.open)
  const { signal, abort } = abortable()
  const failed = failure(t, fetchAnswer(to(server.url, { connection: { signal } })))
  await arrived.opened
  const reason = new Error('enough')
  abort(reason)
  const error = await failed
  t.is(error._tag, 'Aborted')
  t.is(error.cause, reason)
  await server.received[0]?.broken
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('sends nothing when the signal is aborted already', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const error = await failure(
    t,
    fetchAnswer(to(server.url, { connection: { signal: AbortSignal.abort('before') } })),
  )
  t.is(error._tag, 'Aborted')
  t.is(error.cause, 'before')
  t.is(server.received.length, 0)
})

test('leaves no listener on a signal, however it ends', async (t) => {
  const server = await serve(t, (response, { path }) =>
    path === '/ok' ? sendJson(response, {}) : response.socket?.destroy(),
  )
  const { signal } = abortable()
  await firstValueFrom(fetchAnswer(to(`${server.url}/ok`, { connection: { signal } })))
  t.is(getEventListeners(signal, 'abort').length, 0)
  await failure(t, fetchAnswer(to(`${server.url}/reset`, { connection: { signal } })))
  t.is(getEventListeners(signal, 'abort').length, 0)
  const subscription = fetchAnswer(to(`${server.url}/ok`, { connection: { signal } })).subscribe()
  t.is(getEventListeners(signal, 'abort').length, 1)
  subscription.unsubscribe()
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('breaks off when it is unsubscribed before the headers, and in the body', async (t) => {
  for (const start of [
    () => undefined,
    (response: { write: (text: string) => unknown }) => response.write('x'),
  ]) {
    const arrived = latch()
    const server = await serve(t, (response) => {
      start(response)
      arrived.open()
    })
    const subscription = fetchAnswer(to(server.url)).subscribe({ error: () => t.fail() })
    await arrived.opened
    subscription.unsubscribe()
    await server.received[0]?.broken
  }
  t.pass()
})

test('breaks off the body of a fetch that knows nothing of signals', async (t) => {
  const cancelled = latch()
  const reading = latch()
  const body = new ReadableStream({ pull: reading.open, cancel: cancelled.open }, { highWaterMark: 0 })
  const subscription = fetchAnswer(
    to('http://127.0.0.1:1', { connection: { fetch: async () => new Response(body) } }),
  ).subscribe()
  await reading.opened
  subscription.unsubscribe()
  await cancelled.opened
  t.pass()
})

test('gives up the answer of such a fetch when it comes after the end', async (t) => {
  const [called, cancelled] = [latch(), latch()]
  let answer: (response: Response) => void = () => undefined
  const fetch = (): Promise<Response> =>
    new Promise((resolve) => {
      answer = resolve
      called.open()
    })
  const subscription = fetchAnswer(to('http://127.0.0.1:1', { connection: { fetch } })).subscribe()
  await called.opened
  subscription.unsubscribe()
  answer(new Response(new ReadableStream({ cancel: cancelled.open })))
  await cancelled.opened
  t.pass()
})

/** An `AbortController` without `this`. */
function abortable(): { readonly signal: AbortSignal; readonly abort: (reason: unknown) => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) }
}

function request(url: string, limits: object) {
  return {
    url,
    body: '{}',
    headers: { authorization: `Bearer ${KEY}` },
    fetch: undefined,
    timeout: NEVER,
    idleTimeout: NEVER,
    scrub: (text: string) => text,
    ...limits,
  }
}
