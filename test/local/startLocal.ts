import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { Readable } from 'node:stream'
import { setImmediate, setTimeout } from 'node:timers/promises'
import test from 'ava'
import OpenAI from 'openai'
import { lastValueFrom, of, toArray } from 'rxjs'
import { InvalidInput } from '../../dist/errors.js'
import { type Fault, type Local, type LocalOptions, startLocal } from '../../dist/local/index.js'
import { type OpenRequest, requestLog } from '../../dist/local/requestLog.js'
import { buildPrompt } from '../../dist/operators/buildPrompt.js'
import { respanGenerate } from '../../dist/operators/respanGenerate.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { tokens } from '../../dist/operators/tokens.js'
import { anything } from '../helpers/anything.js'
import { deadPort } from '../helpers/deadPort.js'
import { start } from '../helpers/local.js'
import { sendEvents, sendJson, serve } from '../helpers/server.js'

const BODY = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Say hi' }] })

const post = (url: string, headers: Readonly<Record<string, string>> = {}, body = BODY): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

// `fetch` sets the host itself.
const rawStatus = (local: Local, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: local.port, path: '/traces', headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })

test('the quick start runs against it: a pipeline, its trace, its page', async (t) => {
  const local = await start(t)
  let url: string | undefined
  const reply = await lastValueFrom(
    of({ topic: 'artificial intelligence' }).pipe(
      buildPrompt('Tell me about {{topic}}.'),
      respanGenerate({ model: 'gpt-4o-mini', gateway: local.gateway }),
      respanTrace('My Workflow', {
        sink: local.sink,
        onStart: ({ traceUrl }) => {
          url = traceUrl
        },
      }),
    ),
  )
  t.regex(reply.replies[0] ?? '', /artificial intelligence/u)
  t.is((await local.sink.flush())._tag, 'Right')
  t.deepEqual(
    local
      .spans()
      .map(({ log_type }) => log_type)
      .toSorted(),
    ['chat', 'task', 'workflow'],
  )
  const response = await fetch(url ?? '')
  t.is(url, local.traceUrl(local.spans()[0]?.trace_unique_id ?? ''))
  t.regex(await response.text(), /My Workflow/u)
})

test('streams a managed prompt through the pipeline', async (t) => {
  const prompts = {
    p: { messages: [{ role: 'user' as const, content: 'Say {{x}} and more' }], model: 'gpt-4o' },
  }
  const local = await start(t, { prompts })
  const pieces = await lastValueFrom(
    of({ variables: { x: 'this' } }).pipe(
      respanGenerate({ promptId: 'p', gateway: local.gateway, stream: true }),
      tokens(),
      toArray(),
    ),
  )
  t.deepEqual(pieces, ['this', ' and', ' more'])
})

test('two servers know nothing of each other', async (t) => {
  const [one, two] = await Promise.all([start(t), start(t)])
  t.not(one.port, two.port)
  one.fault({ status: 500 })
  t.is((await post(`${one.baseUrl}/chat/completions`)).status, 500)
  t.is((await post(`${two.baseUrl}/chat/completions`)).status, 200)
  t.deepEqual([one.requests.length, two.requests.length], [1, 1])
})

test('accepts any key, or demands the one that it was given', async (t) => {
  const open = await start(t)
  t.is((await post(`${open.baseUrl}/chat/completions`)).status, 200)
  const local = await start(t, { apiKey: 'secret' })
  const url = `${local.baseUrl}/chat/completions`
  for (const headers of [{}, { authorization: 'Bearer ' }]) {
    const missing = await post(url, headers)
    t.is(missing.status, 401)
    t.deepEqual(JSON.parse(await missing.text()), { detail: 'Authentication credentials were not provided.' })
  }
  const wrong = await post(url, { authorization: 'Bearer other' })
  t.is(wrong.status, 401)
  t.regex(JSON.parse(await wrong.text()).detail, /^Your API key is invalid or expired/u)
  t.is((await post(url, { authorization: 'Bearer secret' })).status, 200)
  t.is((await fetch(`${local.baseUrl}/models/public`)).status, 200)
  t.is(
    (await lastValueFrom(of('Say hi').pipe(respanGenerate({ model: 'm', gateway: local.gateway }))))
      .replies[0],
    'hi',
  )
})

test.serial('is never sent the key of the environment, which belongs to the platform', async (t) => {
  const before = process.env.RESPAN_API_KEY
  process.env.RESPAN_API_KEY = 'key-of-the-platform'
  t.teardown(() => {
    if (before === undefined) delete process.env.RESPAN_API_KEY
    else process.env.RESPAN_API_KEY = before
  })
  const local = await start(t)
  const { fetch } = globalThis
  const sent: Array<string | null> = []
  globalThis.fetch = (input, init) => {
    sent.push(new Headers(init?.headers).get('authorization'))
    return fetch(input, init)
  }
  t.teardown(() => {
    globalThis.fetch = fetch
  })
  await lastValueFrom(
    of('Say hi').pipe(
      respanGenerate({ model: 'm', gateway: local.gateway }),
      respanTrace('flow', { sink: local.sink }),
    ),
  )
  t.is((await local.sink.flush())._tag, 'Right')
  t.deepEqual(new Set(sent), new Set(['Bearer local']))
})

test('records requests, the newest, with what became of them', async (t) => {
  const local = await start(t, { maxRequests: 2 })
  for (const number of ['a', 'b', 'c'])
    await (await post(`${local.baseUrl}/chat/completions`, { 'x-number': number })).text()
  t.deepEqual(
    local.requests.map(({ headers }) => headers['x-number']),
    ['b', 'c'],
  )
  t.like(local.requests[1], {
    method: 'POST',
    path: '/api/chat/completions',
    body: JSON.parse(BODY),
    model: 'gpt-4o-mini-2024-07-18',
    status: 200,
    outcome: 'completed',
  })
})

test('records no credentials of a request', async (t) => {
  const local = await start(t)
  const names = [
    'authorization',
    'cookie',
    'x-api-key',
    'x-data-respan-params',
    'proxy-authorization',
    'x-auth-token',
    'x-idempotency-key-secret',
    'idempotency-key',
    'x-other',
  ]
  const credentials = Object.fromEntries(names.map((name) => [name, btoa('{"a":1}')]))
  await (await post(`${local.baseUrl}/chat/completions`, credentials)).text()
  const [request] = local.requests
  t.deepEqual(
    names.map((name) => request?.headers[name]),
    [...Array(7).fill('[redacted]'), btoa('{"a":1}'), btoa('{"a":1}')],
  )
})

test('refuses an origin that no browser sends', async (t) => {
  for (const wrong of ['localhost:5173', 'http://localhost:5173/', 'http://', '*', ''])
    t.like(await t.throwsAsync(startLocal({ origins: ['http://localhost:5173', wrong] })), {
      _tag: 'InvalidInput',
      path: 'origins[1]',
      expected: 'origin, such as http://localhost:5173',
    })
  await start(t, { origins: ['null', 'chrome-extension://abcdef', 'https://example.org'] })
})

test('answers on loopback names and known origins only', async (t) => {
  const local = await start(t, { origins: ['http://localhost:5173'] })
  t.is(await rawStatus(local, `127.0.0.1:${local.port}`), 200)
  t.is(await rawStatus(local, `localhost:${local.port}`), 200)
  t.is(await rawStatus(local, `LocalHost:${local.port}`), 200)
  t.is(await rawStatus(local, 'evil.example'), 403)
  t.is(await rawStatus(local, '127.0.0.1.evil.example'), 403)
  const url = `${local.baseUrl}/chat/completions`
  t.is((await post(url, { origin: 'https://evil.example' })).status, 403)
  const allowed = await post(url, { origin: 'http://localhost:5173' })
  t.is(allowed.headers.get('access-control-allow-origin'), 'http://localhost:5173')
  t.is(
    allowed.headers.get('access-control-expose-headers'),
    'x-respan-log-id,x-respan-gateway-request-id,retry-after',
  )
  t.is((await post(url, { origin: new URL(local.baseUrl).origin })).status, 200)
  t.is((await post(url)).headers.get('access-control-allow-origin'), null)
})

test('a page of a known origin may ask what it may send', async (t) => {
  const local = await start(t, { origins: ['http://localhost:5173'] })
  const asked = await fetch(`${local.baseUrl}/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://localhost:5173',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  t.is(asked.status, 204)
  t.is(asked.headers.get('access-control-allow-origin'), 'http://localhost:5173')
  t.regex(asked.headers.get('access-control-allow-methods') ?? '', /\bPOST\b/u)
  t.is(asked.headers.get('access-control-allow-headers'), 'authorization,content-type')
})

test('listens on 127.0.0.1 and on no other address of the machine', async (t) => {
  const local = await start(t)
  t.is((await fetch(`http://127.0.0.1:${local.port}/traces`)).status, 200)
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    // One that is of a link alone is none without the name of the link.
    .filter(({ address }) => address !== '127.0.0.1' && !address.startsWith('fe80:'))
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address))
  for (const address of [...others, '[::1]'])
    await t.throwsAsync(fetch(`http://${address}:${local.port}/traces`), { any: true }, address)
})

test('keeps an idle connection for a minute', async (t) => {
  const local = await start(t)
  t.is((await fetch(local.traceUrl('none'))).headers.get('keep-alive'), 'timeout=60')
})

test('also answers where OpenAI-style clients look, and nowhere else', async (t) => {
  const local = await start(t)
  const origin = new URL(local.baseUrl).origin
  t.is((await post(`${origin}/v1/chat/completions`)).status, 200)
  t.is((await post(`${local.baseUrl}/chat/completions/`)).status, 200)
  const unknown = await post(`${local.baseUrl}/nothing/here`)
  t.is(unknown.status, 404)
  t.deepEqual(JSON.parse(await unknown.text()), { detail: 'Not found.' })
})

test('takes spans where each exporter sends them, and embeds where OpenAI-style clients ask', async (t) => {
  const local = await start(t)
  const { origin } = new URL(local.baseUrl)
  const paths = [
    '/api/v1/traces/ingest',
    '/api/v1/traces/ingest/',
    '/api/integrations/v1/traces/ingest',
    '/v1/traces/ingest',
  ]
  for (const [index, path] of paths.entries()) {
    const spans = JSON.stringify([{ trace_unique_id: 't', span_unique_id: `s${index}` }])
    t.is((await post(origin + path, {}, spans)).status, 200, path)
  }
  t.is(local.spans().length, paths.length)
  t.is((await post(`${origin}/v1/embeddings`, {}, '{"model":"m","input":"x"}')).status, 200)
})

// Without a Content-Length: Node sends in chunks what is written piece by piece.
const chunked = (url: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) =>
  new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const source = Readable.from(pieces)
    const sent = request(url, { method: 'POST' }, (response) => {
      const received: Array<Buffer> = []
      response.on('data', (piece: Buffer) => received.push(piece))
      response.on('end', () => {
        source.destroy()
        sent.destroy()
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(received).toString() })
      })
    })
    sent.on('error', reject)
    source.pipe(sent)
  })

test('reads bodies whose length nobody announced, and requests without one', async (t) => {
  const local = await start(t)
  // Cut within a character.
  const bytes = new TextEncoder().encode(BODY.replace('hi', 'Zoë'))
  const cut = bytes.indexOf(0xc3) + 1
  const halves = [bytes.subarray(0, cut), bytes.subarray(cut)]
  const chat = await chunked(`${local.baseUrl}/chat/completions`, halves)
  t.is(chat.status, 200, chat.body)
  t.is(JSON.parse(chat.body).choices[0].message.content, 'Zoë')
  const spans = new TextEncoder().encode('[{"trace_unique_id":"a","span_unique_id":"b"}]')
  t.is((await chunked(`${local.baseUrl}/v1/traces/ingest`, [spans])).status, 200)
  t.is(local.spans().length, 1)
  for (const method of ['DELETE', 'PUT', 'HEAD'])
    t.is((await fetch(`${local.baseUrl}/nothing/here`, { method })).status, 404, method)
  t.deepEqual(
    local.requests.map(({ method, status }) => `${method} ${status}`),
    ['POST 200', 'POST 200', 'DELETE 404', 'PUT 404', 'HEAD 404'],
  )
})

test('refuses a body that does not end, without waiting for its end', async (t) => {
  const local = await start(t, { maxBodyBytes: 100_000 })
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield setTimeout(1, new Uint8Array(10_000))
  }
  t.is((await chunked(`${local.baseUrl}/chat/completions`, endless())).status, 413)
  t.like(local.requests[0], { status: 413, outcome: 'completed' })
})

test('refuses a wrong key before it reads the body', async (t) => {
  const local = await start(t, { apiKey: 'secret', maxBodyBytes: 100 })
  const url = `${local.baseUrl}/chat/completions`
  t.is((await chunked(url, [new Uint8Array(200)])).status, 401)
  t.is((await post(url)).status, 401)
  t.deepEqual(
    local.requests.map(({ body, status }) => [body, status]),
    [
      [undefined, 401],
      [undefined, 401],
    ],
  )
})

test('refuses bodies that are too large', async (t) => {
  const local = await start(t, { maxBodyBytes: 1_000 })
  t.is((await post(`${local.baseUrl}/chat/completions`, {}, `{"x":"${'y'.repeat(2_000)}"}`)).status, 413)
  t.is((await post(`${local.baseUrl}/chat/completions`)).status, 200)
  t.deepEqual(
    local.requests.map(({ status }) => status),
    [413, 200],
  )
})

test('takes the next request on the connection of a body that was refused', async (t) => {
  const local = await start(t, { apiKey: 'right', maxBodyBytes: 1_000 })
  const send = async (key: string, length: number): Promise<number> => {
    const { status } = await post(
      `${local.baseUrl}/chat/completions`,
      { authorization: `Bearer ${key}` },
      'x'.repeat(length),
    )
    return status
  }
  for (const [key, status] of [
    ['right', 413],
    ['wrong', 401],
    ['right', 413],
    ['wrong', 401],
  ] as const) {
    t.is(await send(key, 2_000_000), status)
    t.is(await send('right', 100), 400)
  }
  t.is(local.requests.length, 8)
})

test('takes a body that is as large as it may be', async (t) => {
  const local = await start(t, { maxBodyBytes: BODY.length })
  t.is((await post(`${local.baseUrl}/chat/completions`)).status, 200)
  t.is((await post(`${local.baseUrl}/chat/completions`, {}, `${BODY} `)).status, 413)
})

test('remembers no more text of requests than its limit', async (t) => {
  const log = requestLog(10, 3_000)
  const open = (logId: string, length: number): OpenRequest =>
    log.open({ method: 'POST', path: '/', headers: {}, logId }, length)
  const ids = (): ReadonlyArray<string> => log.all().map(({ logId }) => logId)
  const [first, ...others] = [open('a', 1_000), open('b', 1_000), open('c', 1_000), open('d', 1_000)]
  t.deepEqual(ids(), ['b', 'c', 'd'])
  others.push(open('huge', 10_000))
  t.deepEqual(ids(), ['huge'])
  others.push(open('e', 1_000), open('f', 1_000))
  t.deepEqual(ids(), ['e', 'f'])
  // Also what is no longer remembered is under way until it ends, once.
  for (const one of others) one.end('completed')
  const idle = log.idle().then(() => first?.end('aborted'))
  first?.end('completed')
  await idle
  await log.idle()
  t.deepEqual(
    log.all().map(({ outcome }) => outcome),
    ['completed', 'completed'],
  )
})

test('gives embeddings and the price table', async (t) => {
  const local = await start(t)
  const client = new OpenAI({ apiKey: 'x', baseURL: local.baseUrl })
  const { data, usage } = await client.embeddings.create({
    model: 'text-embedding-3-small',
    input: ['a river', 'a lake'],
    dimensions: 8,
  })
  t.deepEqual(
    data.map(({ embedding, index }) => [index, embedding.length]),
    [
      [0, 8],
      [1, 8],
    ],
  )
  t.true(usage.prompt_tokens > 0)
  const refused = async (body: object): Promise<readonly [number, unknown]> => {
    const response = await post(`${local.baseUrl}/embeddings`, {}, JSON.stringify(body))
    return [response.status, JSON.parse(await response.text()).errors]
  }
  t.is((await refused({ model: 'm' }))[0], 422)
  t.is((await refused({ model: '', input: 'x' }))[0], 422)
  const expected = 'expected non-empty string, or list of 1 to 2048 strings'
  t.deepEqual(await refused({ model: 'm', input: [] }), [
    422,
    { input: [`input: ${expected}, found array(0)`] },
  ])
  for (const input of ['', ['a', ''], Array(2_049).fill('a')])
    t.is((await refused({ model: 'm', input }))[0], 422)
  t.is((await refused({ model: 'm', input: Array(2_048).fill('a'), dimensions: 1 }))[0], 200)
  t.is((await refused({ model: 'unknown/m', input: 'x' }))[0], 404)
  t.is((await refused([]))[0], 400)
  const models = JSON.parse(await (await fetch(`${local.baseUrl}/models/public`)).text())
  t.like(
    models.models.find(({ model_name }: { model_name: string }) => model_name === 'gpt-4o-mini'),
    { max_context_window: 128_000, input_cost: 0.15, output_cost: 0.6 },
  )
})

test('an embedding is a list of numbers, or the same as base64, of the size that the model has', async (t) => {
  const local = await start(t)
  const embedding = async (more: object): Promise<unknown> => {
    const body = JSON.stringify({ model: 'text-embedding-3-small', input: 'a river', ...more })
    return JSON.parse(await (await post(`${local.baseUrl}/embeddings`, {}, body)).text()).data[0].embedding
  }
  const numbers = await embedding({ dimensions: 8 })
  t.true(Array.isArray(numbers) && numbers.length === 8)
  t.deepEqual(await embedding({ dimensions: 8, encoding_format: 'float' }), numbers)
  const text = await embedding({ dimensions: 8, encoding_format: 'base64' })
  t.is(text, Buffer.from(Float32Array.from(numbers as Array<number>).buffer).toString('base64'))
  t.like(await embedding({}), { length: 1_536 })
  t.like(await embedding({ model: 'text-embedding-3-large' }), { length: 3_072 })
})

test('forwards to an upstream, plain and streaming, without Respan fields', async (t) => {
  const upstream = await start(t, { apiKey: 'up' })
  const local = await start(t, {
    upstream: { baseUrl: `${upstream.baseUrl}/`, apiKey: 'up', model: 'llama' },
  })
  const url = `${local.baseUrl}/chat/completions`
  const body = {
    ...JSON.parse(BODY),
    metadata: { a: 1 },
    customer_identifier: 'c',
    respan_params: { note: 'n' },
    temperature: 0,
  }
  const whole = JSON.parse(await (await post(url, {}, JSON.stringify(body))).text())
  t.is(whole.model, 'llama')
  t.is(whole.choices[0].message.content, 'hi')
  t.deepEqual(upstream.requests[0]?.body, { model: 'llama', messages: body.messages, temperature: 0 })
  const stream = await (await post(url, {}, JSON.stringify({ ...body, stream: true }))).text()
  t.regex(stream, /"content":"hi"/u)
  t.regex(stream, /data: \[DONE\]\n\n$/u)
  upstream.fault({ retryAfter: 7, times: 1 })
  const limited = await post(url)
  t.is(limited.status, 429)
  t.is(limited.headers.get('retry-after'), '7')
  local.fault({ cutAfter: 2, times: 1 })
  await t.throwsAsync(
    post(url, {}, JSON.stringify({ ...body, stream: true })).then((response) => response.text()),
  )
})

test('asks an upstream with the rendered prompt, and tells both', async (t) => {
  const upstream = await start(t)
  const prompts = { p: { messages: [{ role: 'user' as const, content: 'Say {{x}}' }], model: 'mine' } }
  const local = await start(t, { prompts, upstream: { baseUrl: upstream.baseUrl } })
  const prompt = { prompt_id: 'p', schema_version: 2, variables: { x: 'hi' } }
  const url = `${local.baseUrl}/chat/completions`
  const answer = JSON.parse(await (await post(url, {}, JSON.stringify({ prompt }))).text())
  const messages = [{ role: 'user', content: 'Say hi' }]
  t.like(answer, { choices: [{ message: { content: 'hi' } }], prompt_message: messages })
  t.deepEqual(upstream.requests[0]?.body, { model: 'mine', messages })
  t.false('authorization' in (upstream.requests[0]?.headers ?? {}))
  t.is(local.requests[0]?.model, 'mine')
  const plain = JSON.parse(await (await post(url)).text())
  t.false('prompt_message' in plain)
})

test('passes on what an upstream says when it refuses', async (t) => {
  const upstream = await start(t)
  const local = await start(t, { upstream: { baseUrl: upstream.baseUrl } })
  const refused = async (fault: Fault): Promise<ReadonlyArray<unknown>> => {
    upstream.fault({ ...fault, times: 1 })
    const response = await post(`${local.baseUrl}/chat/completions`)
    return [response.status, response.headers.get('content-type'), await response.text()]
  }
  t.deepEqual(await refused({ status: 400, body: { error: 'no' } }), [
    400,
    'application/json',
    '{"error":"no"}',
  ])
  t.deepEqual(await refused({ status: 500, body: 'down' }), [500, 'text/plain; charset=utf-8', 'down'])
  t.deepEqual((await refused({ html: true })).slice(0, 2), [502, 'text/html'])
})

test('tells JSON of an upstream that does not say what it sends', async (t) => {
  const upstream = await serve(t, (response) => {
    response.statusCode = 400
    response.end('{"error":"no"}')
  })
  const local = await start(t, { upstream: { baseUrl: upstream.url } })
  const response = await post(`${local.baseUrl}/chat/completions`)
  t.is(response.headers.get('content-type'), 'application/json')
  t.is(await response.text(), '{"error":"no"}')
})

test('passes on JSON of an upstream that is nested too deep to be read', async (t) => {
  const text = '['.repeat(50_000) + ']'.repeat(50_000)
  const upstream = await serve(t, (response) => {
    response.statusCode = 503
    response.end(text)
  })
  const local = await start(t, { upstream: { baseUrl: upstream.url } })
  const response = await post(`${local.baseUrl}/chat/completions`)
  t.is(response.status, 503)
  t.is(await response.text(), text)
})

test('counts the events of an upstream however its bytes come', async (t) => {
  const text = 'data: {"a":"ë"}\r\n\r\ndata: {"b":1}\n\ndata: [DONE]'
  const upstream = await serve(t, async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const byte of Buffer.from(text)) {
      response.write(Uint8Array.of(byte))
      await setImmediate()
    }
    response.end()
  })
  const local = await start(t, { upstream: { baseUrl: upstream.url } })
  const response = await post(
    `${local.baseUrl}/chat/completions`,
    {},
    JSON.stringify({ ...JSON.parse(BODY), stream: true }),
  )
  t.is(response.headers.get('content-type'), 'text/event-stream')
  t.is(await response.text(), text)
  t.is(local.requests[0]?.chunks, 3)
})

test('a client that leaves ends the work of the upstream too', async (t) => {
  const upstream = await start(t, { chunkDelay: 20 })
  const local = await start(t, { upstream: { baseUrl: upstream.baseUrl } })
  const leaving = new AbortController()
  const response = await fetch(`${local.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: 'Write 500 words about tea.' }],
    }),
    signal: leaving.signal,
  })
  await response.body?.getReader().read()
  leaving.abort()
  await Promise.all([local.idle(), upstream.idle()])
  t.is(local.requests[0]?.outcome, 'aborted')
  t.is(upstream.requests[0]?.outcome, 'aborted')
})

test('an upstream that answers with a page is a 502 with that page', async (t) => {
  const upstream = await serve(t, (response) => response.end('<h1>Hi</h1>'))
  const local = await start(t, { upstream: { baseUrl: upstream.url } })
  const response = await post(`${local.baseUrl}/chat/completions`)
  t.deepEqual([response.status, await response.text()], [502, '<h1>Hi</h1>'])
})

test('a key that an upstream repeats in a stream is not handed on', async (t) => {
  const upstream = await serve(t, (response) =>
    sendEvents(
      response,
      'data: {"error":{"message":"Incorrect API key provided: sk-up',
      'stream-0123"}}\n\n',
      'data: {"error":"sk-upstream-0123"}',
    ),
  )
  const local = await start(t, { upstream: { baseUrl: upstream.url, apiKey: 'sk-upstream-0123' } })
  const request = JSON.stringify({ ...JSON.parse(BODY), stream: true })
  const response = await post(`${local.baseUrl}/chat/completions`, {}, request)
  const text = await response.text()
  t.regex(text, /Incorrect API key provided: \[redacted\]/u)
  t.regex(text, /"error":"\[redacted\]"/u)
})

test('a word in place of a key is not taken out of a reply', async (t) => {
  const upstream = await serve(t, (response, { body }) =>
    JSON.parse(body).stream ? sendEvents(response, 'data: "ollama"\n\n') : sendJson(response, 'ollama'),
  )
  const local = await start(t, { upstream: { baseUrl: upstream.url, apiKey: 'ollama' } })
  for (const stream of [true, false]) {
    const request = JSON.stringify({ ...JSON.parse(BODY), stream })
    const response = await post(`${local.baseUrl}/chat/completions`, {}, request)
    t.regex(await response.text(), /"ollama"/u)
  }
})

test('an upstream that is not there is a 502 that says so', async (t) => {
  const { port } = await deadPort(t)
  const local = await start(t, { upstream: { baseUrl: `http://127.0.0.1:${port}/v1` } })
  const response = await post(`${local.baseUrl}/chat/completions`)
  t.is(response.status, 502)
  t.regex(JSON.parse(await response.text()).error.message, /did not answer/u)
})

test('a fallback is tried where an upstream breaks off', async (t) => {
  const upstream = await serve(t, (response, { body }) => {
    if (JSON.parse(body).model === 'gpt-4o-mini') response.destroy()
    else sendJson(response, { answered: JSON.parse(body).model })
  })
  const local = await start(t, { upstream: { baseUrl: upstream.url } })
  const request = JSON.stringify({ ...JSON.parse(BODY), fallback_models: ['other'] })
  const response = await post(`${local.baseUrl}/chat/completions`, {}, request)
  t.deepEqual([response.status, await response.json()], [200, { answered: 'other' }])
  t.is(upstream.received.length, 2)
})

for (const stream of [false, true])
  test(`an answer of an upstream that breaks off ${stream ? 'breaks its client’s connection' : 'is none'}`, async (t) => {
    const upstream = await serve(t, (response, { body }) => {
      if (JSON.parse(body).model !== 'gpt-4o-mini')
        return sendJson(response, { answered: 'sk-upstream-0123' })
      response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
      response.write('data: {"choices":[]}\n\n', () => response.destroy())
    })
    const local = await start(t, { upstream: { baseUrl: upstream.url, apiKey: 'sk-upstream-0123' } })
    const request = JSON.stringify({ ...JSON.parse(BODY), stream, fallback_models: ['other'] })
    const response = await post(`${local.baseUrl}/chat/completions`, {}, request)
    t.is(response.status, 200)
    if (stream) await t.throwsAsync(response.text())
    else t.deepEqual(await response.json(), { answered: '[redacted]' })
    await local.idle()
    t.is(local.requests[0]?.outcome, stream ? 'cut' : 'completed')
    t.is(upstream.received.length, stream ? 1 : 2)
  })

test('wrong options are refused before anything is started', async (t) => {
  const wrong: ReadonlyArray<readonly [LocalOptions, string]> = [
    [{ port: 70_000 }, 'port'],
    [{ port: -1 }, 'port'],
    [{ chunkDelay: -1 }, 'chunkDelay'],
    [{ maxTraces: 0 }, 'maxTraces'],
    [{ maxSpans: 0 }, 'maxSpans'],
    [{ maxRequests: 0 }, 'maxRequests'],
    [{ maxBodyBytes: 0 }, 'maxBodyBytes'],
    [{ prompts: { p: { messages: [], version: 0 } } }, 'prompts.p'],
    [JSON.parse('{"prot":3}'), 'prot'],
    [{ upstream: { baseUrl: 'nonsense' } }, 'upstream.baseUrl'],
    [{ upstream: JSON.parse('{"baseUrl":"http://127.0.0.1/v1","apikey":"k"}') }, 'upstream.apikey'],
    [{ prompts: { p: { messages: [{ role: 'user', content: anything<string>(1) }] } } }, 'prompts.p'],
    [{ prompts: { p: { versions: [] } } }, 'prompts.p'],
    [{ prompts: { p: { versions: [{ messages: [] }], deployed: 2 } } }, 'prompts.p'],
    [{ prompts: { p: { versions: [{ messages: [], version: 2 }, { messages: [] }] } } }, 'prompts.p'],
  ]
  for (const [options, path] of wrong) {
    const error = await t.throwsAsync(startLocal(options), { instanceOf: InvalidInput })
    t.true(error instanceof InvalidInput && error.path.startsWith(path), error?.message)
  }
  const local = await start(t, { port: 0 })
  await t.throwsAsync(startLocal({ port: local.port }), { code: 'EADDRINUSE' })
})

test('close delivers what is buffered, breaks open streams, and may be called twice', async (t) => {
  const local = await startLocal({ faults: [{ hangAfter: 1 }] })
  const streaming = await fetch(`${local.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ ...JSON.parse(BODY), stream: true }),
  })
  await lastValueFrom(of(1).pipe(respanTrace('short', { sink: local.sink })))
  await Promise.all([local.close(), local.close()])
  t.is(local.spans().length, 1)
  await t.throwsAsync(streaming.text())
  await t.throwsAsync(fetch(local.baseUrl))
  await local[Symbol.asyncDispose]()
})

test('does not touch the globals of the process', async (t) => {
  const { Request, Response } = globalThis
  const local = await start(t)
  await post(`${local.baseUrl}/chat/completions`)
  t.is(globalThis.Request, Request)
  t.is(globalThis.Response, Response)
})
