// A key that is nowhere to be found: not in what is thrown, printed, traced, written to a disk, shown on a page or
// looked into, also when a server repeats it. And the ways in which what a user or a server says could get somewhere
// else than it should: into a header, an address, or the prototype of all objects.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import {
  attempt,
  bufferedSink,
  component,
  consoleSink,
  fromPrompts,
  isRespanError,
  memorySink,
  openaiGateway,
  openaiGenerate,
  type PerItem,
  type RespanAttributes,
  redacted,
  respanGateway,
  respanGenerate,
  respanTrace,
  respanTransport,
  type Sink,
  sinkMonoid,
  snapshots,
  traceEach,
  withFallback,
} from 'respan-rx'
import { type Local, startLocal } from 'respan-rx/local'
import { fileSpool } from 'respan-rx/node'
import { lastValueFrom, type MonoTypeOperatorFunction, map, type Observable, of, tap, toArray } from 'rxjs'
import { event, sendEvents, sendJson, serve } from './helpers/server.js'

const KEY = 'sk-canary-7d1f0a9be4c2'

for (const name of ['RESPAN_API_KEY', 'RESPAN_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'])
  delete process.env[name]

/** All that a value shows when it is printed, sent or looked into. */
const shown = (value: unknown): string => {
  const parts = [
    inspect(value, {
      depth: 30,
      showHidden: true,
      getters: true,
      maxArrayLength: null,
      maxStringLength: null,
    }),
  ]
  for (let error = value; error instanceof Error; error = error.cause)
    parts.push(String(error), error.stack ?? '', JSON.stringify(error))
  return parts.join('\n')
}

const free = (t: ExecutionContext, what: string, value: unknown): void => {
  const text = typeof value === 'string' ? value : shown(value)
  const at = text.indexOf(KEY)
  t.is(at, -1, `${what}: …${text.slice(Math.max(0, at - 200), at + 200)}…`)
}

const folder = (t: ExecutionContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'respan-rx-secrets-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return join(path, 'spool')
}

const delta = (fields: object, finish_reason: string | null = null): string =>
  event({ model: KEY, choices: [{ index: 0, delta: fields, finish_reason }] })

const CUT = Math.ceil(KEY.length / 2)

/** The key in two halves, as a model says it. */
const HALVES = [KEY.slice(0, CUT), KEY.slice(CUT)]

const SAID = [
  ...HALVES.map((content) => delta({ content })),
  ...HALVES.map((reasoning_content) => delta({ reasoning_content })),
  delta({ tool_calls: [{ index: 0, id: KEY, function: { name: KEY, arguments: '{"a":"' } }] }),
  ...HALVES.map((json) => delta({ tool_calls: [{ index: 0, function: { arguments: json } }] })),
].join('')

const RESPONSE = {
  id: KEY,
  model: KEY,
  choices: [{ index: 0, message: { role: 'assistant', content: `It is ${KEY}.` }, finish_reason: KEY }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
}

const IDS = { 'x-request-id': KEY, 'x-respan-log-id': KEY }

/** Servers that repeat the key wherever they can. */
const ECHOES: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  'an answer': (response) => sendJson(response, RESPONSE, { headers: IDS }),
  'a stream': (response) => sendEvents(response, SAID, delta({}, KEY), 'data: [DONE]\n\n'),
  'a stream that is cut': (response) => sendEvents(response, SAID),
  'a stream that is reset': (response) => {
    sendEvents(response)
    response.write(SAID, () => response.socket?.resetAndDestroy())
  },
  'a stream with an error': (response) =>
    sendEvents(response, SAID, event({ error: { message: KEY, type: KEY, code: KEY, [KEY]: KEY } })),
  'an error event': (response) => sendEvents(response, SAID, `event: error\ndata: ${KEY}\n\n`),
  'an event of another shape': (response) => sendEvents(response, SAID, event({ choices: { [KEY]: KEY } })),
  'a refusal': (response) =>
    sendJson(response, { detail: `No ${KEY}`, errors: { [KEY]: [KEY] } }, { status: 401, headers: IDS }),
  'a refused field': (response) => sendJson(response, { errors: { [KEY]: [`Not ${KEY}`] } }, { status: 400 }),
  'a status line': (response) => response.writeHead(500, KEY, IDS).end(),
  'a page': (response) => response.writeHead(502, { ...IDS, 'content-type': 'text/html' }).end(`<p>${KEY}`),
  'a limit': (response) => sendJson(response, { error: { message: KEY, code: KEY } }, { status: 429 }),
  'a redirect': (response) => response.writeHead(302, { location: `http://127.0.0.1:9/${KEY}` }).end(KEY),
  'an error under 200': (response) => sendJson(response, { error: { message: KEY, type: KEY } }),
  'keys of JSON': (response) => sendJson(response, { [KEY]: KEY, choices: { [KEY]: KEY } }),
  'a content type': (response) => response.writeHead(200, { 'content-type': `text/${KEY}` }).end(KEY),
}

const caught = async (running: Promise<unknown>): Promise<unknown> => {
  try {
    await running
    return undefined
  } catch (error) {
    return error
  }
}

/** What the process was warned of. */
const told: Array<Error> = []
process.on('warning', (warning) => told.push(warning))

test.after('no warning has the key', (t) => free(t, 'warnings', told.map(shown).join('\n')))

// ── what is thrown and traced

const CONNECTIONS = {
  apiKey: { apiKey: KEY },
  header: { apiKey: 'another-key', headers: { 'X-Api-Key': KEY, Authorization: `Bearer ${KEY}` } },
}

for (const [what, answer] of Object.entries(ECHOES))
  for (const [where, connection] of Object.entries(CONNECTIONS))
    test(`no error and no span has the key (${where}) that a server repeats in ${what}`, async (t) => {
      const server = await serve(t, answer)
      const sink = memorySink()
      const reach = { baseUrl: server.url, retry: { count: 0 }, ...connection }
      const asked: ReadonlyArray<Observable<unknown>> = [
        of('Hi').pipe(respanGenerate({ model: 'm', stream: true, ...reach })),
        of('Hi').pipe(respanGenerate({ model: 'm', stream: true, collect: false, ...reach })),
        of('Hi').pipe(respanGenerate({ model: 'm', ...reach })),
        of('Hi').pipe(openaiGenerate({ model: 'm', ...reach })),
        of({ variables: { a: 1 } }).pipe(respanGenerate({ promptId: 'p', ...reach })),
      ]
      for (const replies$ of asked) {
        free(t, 'untraced', await caught(lastValueFrom(replies$)))
        const pipeline = replies$.pipe(
          toArray(),
          component('words', (all: ReadonlyArray<unknown>) => of(textIn(all))),
          tap((text) => {
            if (text.includes(KEY)) throw new Error(`Do not say ${text}`)
          }),
          respanTrace('flow', { sink }),
        )
        const error = await caught(lastValueFrom(pipeline))
        if (isRespanError(error)) free(t, 'traced', error)
      }
      free(t, 'events', sink.events)
      free(t, 'spans', sink.spans())
    })

for (const [what, answer] of Object.entries(ECHOES))
  test(`no error says the credentials, of one request or of a gateway's all, that a server repeats in ${what}`, async (t) => {
    const server = await serve(t, answer)
    const reach = { baseUrl: server.url, apiKey: 'another-key', retry: { count: 0 } }
    const attributes = { customer_credentials: { openai: { api_key: KEY } } }
    for (const stream of [true, false]) {
      const one = respanGenerate({ model: 'm', stream, attributes, ...reach })
      free(t, 'one', await wordsOf(of('Hi').pipe(one)))
      const all = respanGenerate({ model: 'm', stream, gateway: respanGateway({ attributes, ...reach }) })
      free(t, 'all', await wordsOf(of('Hi').pipe(all)))
    }
  })

/** What an error says, without what the model had said. */
const wordsOf = async (replies$: Observable<unknown>): Promise<unknown> => {
  const error = await caught(lastValueFrom(replies$))
  return error instanceof Error ? Object.assign(error, { partial: undefined }) : error
}

const refusing = (response: ServerResponse): unknown =>
  sendJson(response, { detail: `No ${KEY}` }, { status: 401 })

/** A text within the text of JSON. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

const ESCAPES: Readonly<Record<string, (key: string) => string>> = {
  'as PHP does': (key) => inJson(key).replaceAll('/', '\\/'),
  'as .NET does': (key) => key.replaceAll('+', '\\u002B').replaceAll('"', '\\u0022'),
  'each character': (key) =>
    Array.from(key, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'as a URL does': encodeURIComponent,
  'as a URL does, in small letters': (key) =>
    encodeURIComponent(key).replaceAll(/%../g, (byte) => byte.toLowerCase()),
  'as all do, twice': (key) => inJson(inJson(key)),
  'as PHP does, twice': (key) => inJson(inJson(key).replaceAll('/', '\\/')).replaceAll('/', '\\/'),
  'as .NET does, twice': (key) => inJson(key.replaceAll('+', '\\u002B').replaceAll('"', '\\u0022')),
}

for (const [how, escaped] of Object.entries(ESCAPES))
  test(`no error says a key that a server repeats escaped, ${how}`, async (t) => {
    const key = 'sk-canary/7d1f+0a"9be4c2'
    const said = escaped(key)
    const answers: ReadonlyArray<(response: ServerResponse) => unknown> = [
      (response) => response.writeHead(401).end(`{"error":{"message":"No ${said}","code":"${said}"}}`),
      (response) => response.writeHead(401).end(`{"detail":"No ${said}","errors":{"${said}":["${said}"]}}`),
      (response) => response.writeHead(502).end(`No ${said}`),
      (response) => response.end(`{"error":{"message":"No ${said}","type":"${said}"}}`),
      (response) => sendEvents(response, `data: {"error":{"message":"No ${said}"}}\n\n`),
    ]
    for (const answer of answers) {
      const server = await serve(t, answer)
      const reach = { baseUrl: server.url, apiKey: key, retry: { count: 0 } }
      const error = await caught(
        lastValueFrom(of('Hi').pipe(respanGenerate({ model: 'm', stream: true, ...reach }))),
      )
      t.true(isRespanError(error))
      t.false(shown(error).includes(key))
      t.false(shown(error).includes(said))
    }
  })

test('no error says the password of an address beside credentials', async (t) => {
  const server = await serve(t, (response) =>
    sendJson(response, { detail: `No answer from https://example.com, ${KEY}/1` }, { status: 401 }),
  )
  const addresses = [
    `https://somebody:${KEY}@example.com`,
    `https://:${encodeURIComponent(`${KEY}/1`)}@example.com`,
  ]
  for (const api_base of addresses) {
    const attributes = { customer_credentials: { openai: { api_key: 'sk-of-openai', api_base } } }
    const reach = { baseUrl: server.url, apiKey: 'another-key', retry: { count: 0 } }
    const asked = of('Hi').pipe(respanGenerate({ model: 'm', attributes, ...reach }))
    const error = await caught(lastValueFrom(asked))
    t.like(error, { _tag: 'HttpError', status: 401 })
    free(t, api_base, error)
    t.regex(String(error), /No answer from https:\/\/example\.com/)
  }
})

test('words in a list of a header are left in what a server says, and a key within them is not', async (t) => {
  const server = await serve(t, (response) =>
    sendJson(response, { detail: `No models of openai for ${KEY}.` }, { status: 401 }),
  )
  const headers = { 'X-Auth-Scopes': `models, openai, ${KEY}` }
  const reach = { baseUrl: server.url, headers, retry: { count: 0 } }
  const error = await caught(lastValueFrom(of('Hi').pipe(respanGenerate({ model: 'm', ...reach }))))
  free(t, 'error', error)
  t.regex(String(error), /No models of openai for \[redacted\]/)
})

test('credentials below what stands beside keys are secret, too', async (t) => {
  const server = await serve(t, refusing)
  for (const beside of [{ available_models: [{ api_key: KEY }] }, { api_base: { password: KEY } }]) {
    const attributes: RespanAttributes = JSON.parse(
      JSON.stringify({ customer_credentials: { openai: beside } }),
    )
    const reach = { baseUrl: server.url, apiKey: 'another-key', retry: { count: 0 } }
    const asked = of('Hi').pipe(respanGenerate({ model: 'm', attributes, ...reach }))
    free(t, Object.keys(beside).join(), await caught(lastValueFrom(asked)))
  }
})

const CREDENTIALS: Readonly<Record<string, PerItem>> = {
  'of a customer': { attributes: { customer_credentials: { openai: { api_key: KEY } } } },
  'of a model': { attributes: { credential_override: { m: { api_key: KEY } } } },
  'of a customer, as they were given': { attributes: { customer_api_keys: { openai: KEY } } },
  'of a group': {
    attributes: {
      load_balance_group: {
        group_id: 'g',
        models: [{ model: 'm', weight: 1, credentials: { any: KEY } }],
      },
    },
  },
  'of an older group': {
    attributes: { loadbalance_models: [{ model: 'm', weight: 1, credentials: { any: KEY } }] },
  },
  'of an integration': { attributes: { posthog_integration: { posthog_api_key: KEY } } },
  'in a header': { params: { extra_headers: { 'x-any': KEY } } },
}

for (const [what, given] of Object.entries(CREDENTIALS))
  test(`credentials ${what} that a component makes, or a trace is given, are in no span`, async (t) => {
    const server = await serve(t, (response) =>
      sendJson(response, { choices: [{ index: 0, message: { role: 'assistant', content: 'hi' } }] }),
    )
    const reach = { baseUrl: server.url, apiKey: 'another-key', retry: { count: 0 } }
    const made = component('make', (prompt: string) => of({ prompt, ...given }, { prompt, nested: [given] }))
    const sink = memorySink()
    await lastValueFrom(
      of('Hi').pipe(
        made,
        map((item) => ('nested' in item ? { ...item, model: '' } : item)),
        attempt(respanGenerate({ model: 'm', ...reach })),
        respanTrace('T', { sink, output: () => [given] }),
      ),
    )
    t.is(server.received.length, 1)
    t.true(server.received[0]?.body.includes(KEY))
    const spans = sink.spans()
    t.is(spans.length, 4)
    t.true(spans.every(({ input }) => input?.includes('Hi')))
    free(t, 'spans', spans)
  })

test('what only looks like a secret is content', async (t) => {
  const sink = memorySink()
  const recipe = { cookie: 'chocolate', password: 'is asked for', text: 'customer_credentials' }
  await lastValueFrom(
    of(recipe).pipe(
      component('bake', () => of('done')),
      respanTrace('T', { sink }),
    ),
  )
  t.is(sink.spans()[0]?.input, JSON.stringify(recipe))
})

test('credentials of any length are taken out of what a server says', async (t) => {
  const server = await serve(t, refusing)
  const attributes = {
    customer_credentials: { openai: { api_key: KEY }, other: { api_key: 'k'.repeat(100_000) } },
  }
  const reach = { baseUrl: server.url, apiKey: 'another-key', retry: { count: 0 } }
  const error = await caught(
    lastValueFrom(of('Hi').pipe(respanGenerate({ model: 'm', attributes, ...reach }))),
  )
  t.like(error, { _tag: 'HttpError', status: 401 })
  free(t, 'error', error)
})

const WITHIN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a cookie': { Cookie: `a=${KEY}` },
  'a cookie among others': { Cookie: `b=1; a="${KEY}"; c=2` },
  'a cookie that is written as in a URL': { Cookie: `a=${encodeURIComponent(`${KEY}/1`)}` },
  'a parameter of a scheme': { Authorization: `Token token="${KEY}"` },
  'a list of keys': { 'X-Api-Keys': `sk-other-key, ${KEY};sk-third-key` },
  'a name and a password': { Authorization: `Custom somebody:${KEY}` },
  'the password of a URL': { 'X-Auth-Url': `https://somebody:${KEY}@example.com/` },
  'the query of a URL': { 'X-Auth-Url': `https://example.com/?a=1&b=${KEY}&c=2` },
  'a parameter of a scheme, in its base64,': { Authorization: `Custom a=1, b=${btoa(`somebody:${KEY}`)}` },
}

for (const [what, headers] of Object.entries(WITHIN))
  test(`no error says the key in ${what} that a server repeats alone`, async (t) => {
    const server = await serve(t, (response) =>
      sendJson(response, { detail: `No ${KEY}/1` }, { status: 401 }),
    )
    const reach = { baseUrl: server.url, headers, retry: { count: 0 } }
    const error = await caught(lastValueFrom(of('Hi').pipe(respanGenerate({ model: 'm', ...reach }))))
    t.like(error, { _tag: 'HttpError', status: 401 })
    free(t, 'error', error)
  })

test('a header with a password is a secret, too', async (t) => {
  const server = await serve(t, refusing)
  const reach = { baseUrl: server.url, headers: { 'X-Password': KEY }, retry: { count: 0 } }
  free(t, 'error', await caught(lastValueFrom(of('Hi').pipe(respanGenerate({ model: 'm', ...reach })))))
})

const ENCODED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a password': { Authorization: `Basic ${btoa(`somebody:${KEY}`)}` },
  'a key as the name, without a password,': { Authorization: `Basic ${btoa(`${KEY}:`)}` },
  credentials: {
    'X-Data-Respan-Params': btoa(JSON.stringify({ customer_credentials: { openai: { api_key: KEY } } })),
  },
  'credentials under the older name': {
    'X-Data-Keywordsai-Params': btoa(JSON.stringify({ customer_credentials: { openai: { api_key: KEY } } })),
  },
}

for (const [what, headers] of Object.entries(ENCODED))
  test(`no error says ${what} that a header has in base64`, async (t) => {
    const server = await serve(t, refusing)
    const reach = { baseUrl: server.url, headers, retry: { count: 0 } }
    const error = await caught(lastValueFrom(of('Hi').pipe(respanGenerate({ model: 'm', ...reach }))))
    t.like(error, { _tag: 'HttpError', status: 401 })
    free(t, 'error', error)
  })

for (const charset of ['utf8', 'latin1'] as const)
  test(`no error says a password of any letters that a header has in base64 of ${charset}`, async (t) => {
    const password = 'pässwörd-7d1f'
    const server = await serve(t, (response) =>
      sendJson(response, { detail: `No ${password}` }, { status: 401 }),
    )
    const headers = {
      Authorization: `Basic ${Buffer.from(`somebody:${password}`, charset).toString('base64')}`,
    }
    const reach = { baseUrl: server.url, headers, retry: { count: 0 } }
    const error = await caught(lastValueFrom(of('Hi').pipe(respanGenerate({ model: 'm', ...reach }))))
    t.like(error, { _tag: 'HttpError', status: 401 })
    t.false(shown(error).includes(password))
  })

test('what a header has in base64 beside credentials is left in an answer, and in a trace', async (t) => {
  const flag = '{"disable_log":false}'
  const headers = { 'X-Data-Respan-Params': btoa(flag) }
  const server = await serve(t, (response, { path }) =>
    sendJson(
      response,
      path.includes('/prompts/')
        ? { results: [{ id: 'a', description: flag }], cached: false }
        : { choices: [{ message: { role: 'assistant', content: flag } }] },
    ),
  )
  const reach = { baseUrl: server.url, headers, retry: { count: 0 } }
  t.like(await lastValueFrom(fromPrompts(reach)), { id: 'a', description: flag })
  const sink = memorySink()
  const answer = component('answer', (_: unknown) => of({ disable_log: false }))
  const run$ = of('Hi').pipe(respanGenerate({ model: 'm', ...reach }), answer, respanTrace('T', { sink }))
  await lastValueFrom(run$)
  t.is(sink.spans().find(({ name }) => name === 'answer')?.output, flag)
})

test('nor has a span that ends while the answer is still coming, of what was put together by then', async (t) => {
  const server = await serve(t, (response) => sendEvents(response, SAID, delta({}, 'stop')))
  const sink = memorySink()
  const seen: Array<string> = []
  const run$ = of('Hi').pipe(
    respanGenerate({ model: 'm', stream: true, baseUrl: server.url, apiKey: KEY }),
    snapshots(),
    component('so far', (text) => {
      seen.push(text)
      return of(text)
    }),
    respanTrace('flow', { sink }),
  )
  await lastValueFrom(run$)
  t.deepEqual(seen, [HALVES[0], KEY])
  free(t, 'spans', sink.spans())
})

/** What a pipeline makes of replies: their texts. */
const textIn = (replies: ReadonlyArray<unknown>): string =>
  replies.map((reply) => JSON.stringify(reply)).join('\n')

for (const [what, answer] of Object.entries(ECHOES))
  test(`no report of a sink has the key that a server repeats in ${what}`, async (t) => {
    const server = await serve(t, answer)
    const spool = folder(t)
    const sink = bufferedSink(respanTransport({ apiKey: KEY, baseUrl: server.url }), {
      retry: { count: 0 },
      spool: fileSpool(spool, { strength: 'always' }),
      onWarning: (warning) => free(t, 'a warning', warning),
    })
    await lastValueFrom(of('Hi').pipe(respanTrace('flow', { sink })))
    free(t, 'flush', await sink.flush())
    free(t, 'files', filesIn(spool))
    free(t, 'close', await sink.close())
    free(t, 'stats', sink.stats())
    const prompts = fromPrompts({ apiKey: KEY, baseUrl: server.url, retry: { count: 0 } })
    free(t, 'prompts', await caught(lastValueFrom(prompts.pipe(toArray()))))
  })

const filesIn = (path: string): string =>
  readdirSync(path)
    .map((name) => `${name}\n${readFileSync(join(path, name), 'utf8')}`)
    .join('\n')

// ── what is looked into

const inUse = async (t: ExecutionContext, sink: Sink, run: Observable<unknown>): Promise<void> => {
  const subscription = run.pipe(respanTrace('flow', { sink })).subscribe({ error: () => undefined })
  t.teardown(() => subscription.unsubscribe())
  free(t, 'a subscription', subscription)
  free(t, 'a sink with spans', sink)
}

for (const source of ['connection', 'environment'] as const)
  test.serial(`nothing that can be looked into has the key of the ${source}`, async (t) => {
    const server = await serve(t, () => undefined)
    const given = source === 'connection' ? { apiKey: KEY, headers: { 'x-api-key': KEY } } : {}
    if (source === 'environment') Object.assign(process.env, { RESPAN_API_KEY: KEY, OPENAI_API_KEY: KEY })
    t.teardown(() => {
      delete process.env.RESPAN_API_KEY
      delete process.env.OPENAI_API_KEY
    })
    const connection = { ...given, baseUrl: server.url }
    const transport = respanTransport(connection)
    const spool = fileSpool(folder(t), { strength: 'always' })
    const sink = bufferedSink(transport, { spool })
    const generate = respanGenerate({ model: 'm', ...connection })
    const parts = {
      respanGateway: respanGateway(connection),
      openaiGateway: openaiGateway(connection),
      transport,
      'result of a transport': transport([]),
      spool,
      sink,
      redacted: redacted(sink, (text) => text),
      sum: sinkMonoid.concat(sink, consoleSink()),
      generate,
      'with a prompt': respanGenerate({ promptId: 'p', ...connection }),
      openaiGenerate: openaiGenerate({ model: 'm', ...connection }),
      attempt: attempt(generate),
      fallback: withFallback(generate, generate),
      traceEach: traceEach('each', { sink }, generate),
      pipeline: of('Hi').pipe(generate, respanTrace('flow', { sink })),
      prompts: fromPrompts(connection),
    }
    for (const [what, part] of Object.entries(parts)) free(t, what, part)
    await inUse(t, sink, of('Hi').pipe(generate))
    for (const [what, part] of Object.entries(parts)) free(t, `${what}, in use`, part)
    await sink.close()
  })

test('a local server shows neither its key nor its upstream’s', async (t) => {
  const upstream = await serve(t, (response, { body }) =>
    JSON.parse(body).stream === true
      ? ECHOES['a stream']?.(response)
      : sendJson(response, { error: { message: KEY } }, { status: 500 }),
  )
  const checked = async (local: Local): Promise<void> => {
    t.teardown(local.close)
    const errors = await Promise.all(
      [true, false].map((stream) =>
        caught(
          lastValueFrom(
            of('Hi').pipe(
              respanGenerate({
                model: 'gpt-4o-mini',
                gateway: local.gateway,
                stream,
                attributes: { customer_credentials: { openai: { api_key: KEY } } },
              }),
              map((reply: unknown) => textIn([reply])),
              toArray(),
              respanTrace('flow', {
                sink: local.sink,
                attributes: { metadata: { authorization: `Bearer ${KEY}`, api_key: KEY } },
              }),
            ),
          ),
        ),
      ),
    )
    free(t, 'errors', errors)
    await local.sink.flush()
    const { origin } = new URL(local.baseUrl)
    const pages = local.spans().map(({ trace_unique_id: id }) => `/traces/${id}`)
    t.true(pages.length > 0)
    for (const page of ['/traces', ...pages]) free(t, page, await (await fetch(`${origin}${page}`)).text())
    free(t, 'spans', local.spans())
    free(t, 'handle', { ...local, requests: local.requests.map(({ body, ...request }) => request) })
  }
  await checked(await startLocal({ apiKey: KEY }))
  await checked(await startLocal({ upstream: { baseUrl: upstream.url, apiKey: KEY } }))
})

// ── what is withheld

const WITHHELD: Readonly<Record<string, (sink: Sink) => MonoTypeOperatorFunction<unknown>>> = {
  redact: (sink) =>
    respanTrace('flow', { sink, redact: (content) => JSON.parse(hide(JSON.stringify(content))) }),
  'a redact that throws': (sink) =>
    respanTrace('flow', {
      sink,
      redact: (content) => {
        throw new Error(String(content))
      },
    }),
  'captureContent: false': (sink) => respanTrace('flow', { sink, captureContent: false }),
  'a redacted sink': (sink) => respanTrace('flow', { sink: redacted(sink, hide) }),
}

const hide = (text: string): string => text.replaceAll(KEY, '…')

for (const [what, traced] of Object.entries(WITHHELD))
  test(`content is withheld before it is buffered, written or sent: ${what}`, async (t) => {
    const server = await serve(t, (response) => sendJson(response, {}))
    const directory = folder(t)
    const told: Array<unknown> = []
    const sink = bufferedSink(respanTransport({ baseUrl: server.url }), {
      spool: fileSpool(directory, { strength: 'always' }),
      onWarning: (warning) => told.push(warning),
    })
    const events = memorySink()
    const say = component('say', (word: unknown) => of(`I say ${word}`, { word }))
    const fail = component('fail', (word: unknown) => {
      throw new Error(`I don't like ${JSON.stringify(word)}`)
    })
    await caught(lastValueFrom(of(KEY).pipe(say, fail, traced(sinkMonoid.concat(sink, events)))))
    t.is(sink.stats().accepted, 3)
    free(t, 'events', events.events)
    free(t, 'files', filesIn(directory))
    t.regex(filesIn(directory), /"name":"say"/)
    await sink.close()
    t.true(server.received.length > 0)
    free(t, 'sent', server.received)
    free(t, 'told', told)
  })

// ── what is printed and written by a process

test('a process with the key in its environment prints and writes it nowhere', async (t) => {
  const answers = [
    ECHOES['an answer'],
    ECHOES['a stream'],
    ECHOES['a refusal'],
    ECHOES['a stream that is cut'],
  ]
  let asked = 0
  const server = await serve(t, (response, { path }) =>
    path.endsWith('/chat/completions')
      ? answers[asked++ % answers.length]?.(response)
      : ECHOES['a refused field']?.(response),
  )
  const spool = folder(t)
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../test/fixtures/secrets/process.mjs', import.meta.url))],
    {
      env: { RESPAN_API_KEY: KEY, RESPAN_BASE_URL: server.url, SPOOL: spool },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const printed: Array<string> = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      printed.push(String(bytes))
    })
  await once(child, 'close')
  const text = printed.join('')
  t.true(server.received.some(({ headers }) => headers.authorization === `Bearer ${KEY}`))
  t.regex(text, /flow/)
  t.regex(text, /HttpError/)
  free(t, 'output', text)
  free(t, 'files', filesIn(spool))
})

test('no part of a key is left where a content is cut', async (t) => {
  const content = `Your key is ${KEY}, isn't it? And so on, until it is cut.`
  const pieces = content.match(/.{1,7}/g) ?? []
  const chunks = [
    ...pieces.map((piece) => ({ choices: [{ index: 0, delta: { content: piece }, finish_reason: null }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  ]
  const { url } = await serve(t, (response, { body }) =>
    JSON.parse(body).stream === true
      ? sendEvents(
          response,
          ...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`),
          'data: [DONE]\n\n',
        )
      : sendJson(response, {
          choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
        }),
  )
  const start = KEY.slice(0, 6)
  for (const options of [{ stream: false }, { stream: true }, { stream: true, collect: false }])
    for (let maxContentBytes = 1; maxContentBytes < 120; maxContentBytes += 3) {
      const sink = memorySink()
      const generate = openaiGenerate({ model: 'm', apiKey: KEY, baseUrl: url, ...options })
      await lastValueFrom(of('Hello').pipe(generate, respanTrace('T', { sink, maxContentBytes })))
      const outputs = sink.spans().map(({ output = '' }) => output)
      t.is(outputs.length, 2)
      for (const output of outputs) t.false(output.includes(start), output)
    }
})
