// What a user or a server says stays where it belongs: no text of theirs becomes a header or an address, and no key of
// their JSON becomes the prototype of anything.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import * as fc from 'fast-check'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import * as io from 'io-ts'
import {
  bufferedSink,
  buildPrompt,
  fromNdjson,
  fromPrompts,
  fromPromptVersion,
  InvalidInput,
  isRespanError,
  memorySink,
  openaiGenerate,
  type RespanAttributes,
  respanGateway,
  respanGenerate,
  respanTrace,
  respanTransport,
  user,
} from 'respan-rx'
import { startLocal } from 'respan-rx/local'
import { fileSpool } from 'respan-rx/node'
import { lastValueFrom, type Observable, of, toArray } from 'rxjs'
import { fixture } from './helpers/fixture.js'
import { sendEvents, sendJson, serve, type TestServer } from './helpers/server.js'

const RESPONSE = {
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
}

const settled = (running: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(running, { defaultValue: undefined }).catch((error: unknown) => error)

// ── headers and addresses

const HOSTILE = [
  'a\r\nx-evil: 1',
  'a\nx-evil: 1\n\nGET /evil HTTP/1.1',
  'a\r\n\r\nb',
  '../../evil',
  '/evil',
  '?evil=1',
  '#evil',
  '%0d%0ax-evil:1',
  '@evil.test/',
  '\0',
  '\u2028\ud800',
  '漢\u010d\u010a',
]

const shape = ({ received }: TestServer): ReadonlyArray<unknown> =>
  received.map(({ method, path, headers }) => [method, path, Object.keys(headers).sort()])

const asked = (server: TestServer, word: string): ReadonlyArray<Observable<unknown>> => {
  const attributes: RespanAttributes = {
    customer_identifier: word,
    thread_identifier: word,
    metadata: { [word]: word },
    fallback_models: [word],
    customer_credentials: { [word]: { api_key: word } },
  }
  const reach = { baseUrl: server.url, apiKey: 'a-key', retry: { count: 0 } }
  const params = { user: word, stop: word }
  return [
    of(word).pipe(respanGenerate({ model: word, attributes, params, ...reach })),
    of([user(word)]).pipe(openaiGenerate({ model: word, ...reach })),
    of({ variables: { [word]: word } }).pipe(respanGenerate({ promptId: word, attributes, ...reach })),
    of(word).pipe(
      respanGenerate({
        model: 'm',
        gateway: respanGateway({ ...reach, attributes }),
        extraBody: { [word]: word },
      }),
    ),
  ]
}

test('whatever a user says, a request goes to the same address with the same headers', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  for (const plain of asked(server, 'plain')) await settled(plain)
  const expected = shape(server)
  for (const word of HOSTILE) {
    const hostile = { ...server, received: [...server.received] }
    const before = hostile.received.length
    for (const request of asked(server, word)) {
      const outcome = await settled(request)
      if (outcome instanceof Error) t.true(isRespanError(outcome))
    }
    t.deepEqual(shape({ ...server, received: server.received.slice(before) }), expected, JSON.stringify(word))
  }
})

test('a span goes to the same address with the same headers, whatever is in it', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const sink = bufferedSink(respanTransport({ baseUrl: server.url, apiKey: 'a-key' }))
  for (const word of ['plain', ...HOSTILE]) {
    const attributes = { customer_identifier: word, metadata: { [word]: word } }
    await settled(of(word).pipe(respanTrace(word, { sink, attributes })))
    await sink.flush()
  }
  t.is(server.received.length, HOSTILE.length + 1)
  t.is(new Set(shape(server).map((one) => JSON.stringify(one))).size, 1)
  await sink.close()
})

testProp(
  'law: the id of a prompt is one segment of an address, or refused',
  [fc.oneof(fc.constantFrom('.', '..', '...', '\ud800', ...HOSTILE), fc.string({ unit: 'binary' }))],
  async (t, id) => {
    const paths: Array<string> = []
    const fetch = async (address: string | URL | Request): Promise<Response> => {
      paths.push(new URL(String(address)).pathname)
      return Response.json({})
    }
    try {
      const version$ = fromPromptVersion(id, {
        version: 7,
        baseUrl: 'http://127.0.0.1:9/base',
        fetch,
        retry: { count: 0 },
      })
      await settled(version$)
    } catch (error) {
      t.true(error instanceof InvalidInput)
      t.deepEqual(paths, [])
      return
    }
    const [path = ''] = paths
    const [, segment] = /^\/base\/prompts\/([^/]+)\/versions\/7\/$/.exec(path) ?? []
    t.is(segment === undefined ? undefined : decodeURIComponent(segment), id)
  },
)

test('no address that a server names is asked, and no key goes there', async (t) => {
  const elsewhere = await serve(t, (response) => sendJson(response, RESPONSE))
  const server = await serve(t, (response, _, number) =>
    number === 1
      ? sendJson(response, { results: [{ id: 'a' }], next: `${elsewhere.url}/prompts/list/?page=2` })
      : response.writeHead(307, { location: elsewhere.url }).end(),
  )
  const reach = { baseUrl: server.url, apiKey: 'a-key', retry: { count: 0 } }
  t.like(await settled(fromPrompts(reach).pipe(toArray())), { _tag: 'HttpError', status: 307 })
  t.is(server.received.length, 2)
  t.like(await settled(of('Hi').pipe(respanGenerate({ model: 'm', ...reach }))), {
    _tag: 'HttpError',
    status: 307,
  })
  t.deepEqual(elsewhere.received, [])
})

// ── prototypes

/** JSON text of a value, each object of which has keys that could become a prototype. */
const poisoned = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(poisoned).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${poisoned(item)}`)
  return `{${[...entries, ...POISON].join(',')}}`
}

const POISON = [
  '"__proto__":{"polluted":1,"toString":1}',
  '"constructor":{"prototype":{"polluted":1}}',
  '"prototype":{"polluted":1}',
]

const poison = (value: unknown): unknown => JSON.parse(poisoned(value))

const NAMES = Object.getOwnPropertyNames(Object.prototype).join()

/** Whatever is reachable by own keys inherits from nothing but the language. */
const expectPure = (t: ExecutionContext, value: unknown, above: ReadonlyArray<unknown> = []): void => {
  t.is(Object.getOwnPropertyNames(Object.prototype).join(), NAMES)
  if (typeof value !== 'object' || value === null || above.includes(value)) return
  if (!(value instanceof Error))
    t.true([Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value)))
  for (const key of Object.keys(value)) expectPure(t, Reflect.get(value, key), [...above, value])
}

const poisonedStream = (name: string): string =>
  fixture(name).replaceAll(/^data: (\{.*\})$/gm, (_, json: string) => `data: ${poisoned(JSON.parse(json))}`)

for (const name of ['chat.response.json', 'chat.response.tool-calls.json', 'chat.response.prompt-echo.json'])
  test(`an answer pollutes nothing: ${name}`, async (t) => {
    const body = poisoned(JSON.parse(fixture(name)))
    const server = await serve(t, (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    )
    const sink = memorySink()
    const reply = await settled(
      of('Hi').pipe(respanGenerate({ model: 'm', baseUrl: server.url }), respanTrace('flow', { sink })),
    )
    t.false(reply instanceof Error)
    expectPure(t, reply)
    expectPure(t, sink.spans())
  })

for (const name of [
  'chat.stream.text.sse',
  'chat.stream.tool-calls.sse',
  'chat.stream.request-breakdown.sse',
])
  test(`a stream pollutes nothing: ${name}`, async (t) => {
    const body = poisonedStream(name)
    t.regex(body, /polluted/)
    const server = await serve(t, (response) => sendEvents(response, body))
    const events = await settled(
      of('Hi').pipe(respanGenerate({ model: 'm', stream: true, baseUrl: server.url }), toArray()),
    )
    t.true(Array.isArray(events))
    expectPure(t, events)
  })

for (const name of [
  'error.400.json',
  'error.422.json',
  'error.429.provider.json',
  'chat.response.error-in-200.json',
])
  test(`an error pollutes nothing: ${name}`, async (t) => {
    const body = poison(JSON.parse(fixture(name)))
    const status = Number(/\d{3}/.exec(name)?.[0])
    const server = await serve(t, (response) => sendJson(response, body, { status }))
    const error = await settled(
      of('Hi').pipe(respanGenerate({ model: 'm', baseUrl: server.url, retry: { count: 0 } })),
    )
    t.true(isRespanError(error))
    expectPure(t, error)
  })

test('attributes, parameters and variables pollute nothing on their way through all merges', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const sink = memorySink()
  const attributes: RespanAttributes = Object.assign(
    {},
    poison({ metadata: { a: { b: 1 } }, properties: {} }),
  )
  const gateway = respanGateway({ baseUrl: server.url, attributes })
  const extraBody = Object.fromEntries([['__proto__', { polluted: 1 }]])
  const item = {
    attributes,
    params: Object.fromEntries([['__proto__', 1]]),
    variables: { a: poison({ b: 1 }) },
  }
  await settled(
    of(item).pipe(
      respanGenerate({ promptId: 'p', gateway, attributes: () => attributes, extraBody }),
      respanTrace('inner', { attributes }),
      respanTrace('flow', { sink, attributes }),
    ),
  )
  const [request] = server.received
  expectPure(t, JSON.parse(request?.body ?? ''))
  t.regex(request?.body ?? '', /"metadata":\{.*polluted/)
  expectPure(t, sink.events)
  expectPure(t, sink.spans())
  t.is(sink.spans().length, 3)
})

test('variables of a template pollute nothing, and show no more than they have', async (t) => {
  const attempts = [
    '{% set ns = namespace() %}{% set ns.__proto__ = v %}{{ ns.polluted }}',
    '{{ v.a.__proto__.polluted }}{{ v.constructor.prototype.polluted }}',
    '{% for key in v %}{{ key }}{% endfor %}{{ v | tojson }}',
  ]
  for (const template of attempts) {
    await settled(of({ v: poison({ a: {} }) }).pipe(buildPrompt(template)))
    expectPure(t, {})
  }
})

test('lines of NDJSON pollute nothing', async (t) => {
  const Line = io.intersection([io.type({ a: io.number }), io.partial({ b: io.type({ c: io.string }) })])
  const lines = await lastValueFrom(
    fromNdjson(of(`${poisoned({ a: 1, b: { c: 'x' } })}\n${poisoned({ a: 'x' })}\n`), Line).pipe(toArray()),
  )
  t.deepEqual(lines.map(isRight), [true, false])
  expectPure(t, lines)
})

test('spans that rest on a disk pollute nothing', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'respan-rx-injection-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const server = await serve(t, (response) => sendJson(response, {}))
  const spool = (): ReturnType<typeof fileSpool> =>
    fileSpool(join(directory, 'spool'), { strength: 'always' })
  const down = bufferedSink(respanTransport({ baseUrl: 'http://127.0.0.1:9', apiKey: 'a-key' }), {
    spool: spool(),
    retry: { count: 0 },
  })
  const attributes: RespanAttributes = Object.assign({}, poison({ metadata: { a: 1 } }))
  await settled(of('Hi').pipe(respanTrace('flow', { sink: down, attributes })))
  t.true(isLeft(await down.close()))
  const next = bufferedSink(respanTransport({ baseUrl: server.url, apiKey: 'a-key' }), { spool: spool() })
  t.true(isRight(await next.close()))
  expectPure(t, JSON.parse(server.received[0]?.body ?? ''))
  t.regex(server.received[0]?.body ?? '', /polluted/)
})

test('nothing that is sent to a local server pollutes it', async (t) => {
  const greeting = { messages: [user('{{ a.b }}')] }
  const prompts = {
    ...Object.fromEntries([['__proto__', greeting]]),
    greeting: Object.assign(poison({}) ?? {}, greeting),
  }
  const local = await startLocal({ prompts })
  t.teardown(local.close)
  const header = Buffer.from(poisoned({ metadata: { a: 1 } })).toString('base64')
  const chat = {
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: 'Hi' }],
    respan_params: { metadata: {} },
  }
  const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
  const requests: ReadonlyArray<readonly [path: string, body: unknown]> = [
    ['chat/completions', chat],
    ['chat/completions', { ...chat, stream: true }],
    [
      'chat/completions',
      { ...chat, response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } },
    ],
    [
      'chat/completions',
      { prompt: { prompt_id: 'greeting', variables: { a: { b: 1 } }, schema_version: 2 } },
    ],
    ['chat/completions', { ...chat, prompt: { prompt_id: 'greeting', variables: { a: 1 }, override: true } }],
    ['chat/completions', { prompt: { prompt_id: '__proto__' } }],
    ['embeddings', { model: 'text-embedding-3-small', input: 'Hi' }],
    ['v1/traces/ingest', JSON.parse(fixture('ingest.request.json'))],
    ['prompts/list/', {}],
  ]
  for (const [path, body] of requests) {
    const response = await fetch(`${local.baseUrl}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-data-respan-params': header },
      body: poisoned(body),
    })
    t.true(response.status < 500, `${path}: ${response.status}`)
    await response.text()
  }
  t.true(local.spans().length > 0)
  expectPure(t, local.spans())
  expectPure(t, local.requests)
  const { origin } = new URL(local.baseUrl)
  for (const { trace_unique_id: id } of local.spans())
    t.is((await fetch(`${origin}/traces/${id}`)).status, 200)
  for (const id of ['__proto__', 'constructor', 'toString'])
    t.is((await fetch(`${origin}/traces/${id}`)).status, 404, id)
})
