import { getEventListeners } from 'node:events'
import test from 'ava'
import * as io from 'io-ts'
import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs'
import { user } from '../../dist/codecs/messages.js'
import type { PromptVersion } from '../../dist/codecs/PromptVersion.js'
import { HttpError, InvalidInput, InvalidResponse } from '../../dist/errors.js'
import type { LocalOptions, LocalPrompt } from '../../dist/local/index.js'
import { fromPrompts } from '../../dist/sources/fromPrompts.js'
import { fromPromptVersion } from '../../dist/sources/fromPromptVersion.js'
import { checkPromptVariables } from '../../dist/templates/checkPromptVariables.js'
import { anything } from '../helpers/anything.js'
import { commandTimers } from '../helpers/commandTimers.js'
import { errorOf } from '../helpers/errorOf.js'
import { start } from '../helpers/local.js'
import { latch, sendJson, serve } from '../helpers/server.js'

// A developer's own environment must not decide what is tested here.
for (const name of ['RESPAN_API_KEY', 'RESPAN_BASE_URL']) delete process.env[name]

const KEY = 'sk-canary-0123456789'

const greeting: LocalPrompt = {
  name: 'Greeting',
  deployed: 2,
  versions: [
    { messages: [user('Hi {{name}}')] },
    {
      messages: [
        { role: 'system', content: 'Speak {{language}}.' },
        user([
          { type: 'text', text: '{% for one in names %}{{one}}{% endfor %}' },
          { type: 'image_url', image_url: 'https://example.org/{{never}}.png' },
        ]),
      ],
      variables: { language: 'French', names: '' },
      params: { temperature: 0.2 },
    },
    { messages: [user('Draft {{topic}}')] },
  ],
}

const GREETING: LocalOptions = { prompts: { greeting } }

// ── lists

test('emits every prompt of every page, in order', async (t) => {
  const prompts = Object.fromEntries(
    Array.from({ length: 250 }, (_, n) => [`p${n}`, { messages: [user(`Say ${n}`)] }]),
  )
  const local = await start(t, { prompts, apiKey: KEY })
  const all = await lastValueFrom(fromPrompts({ baseUrl: local.baseUrl, apiKey: KEY }).pipe(toArray()))
  t.deepEqual(
    all.map(({ id }) => id),
    Object.keys(prompts),
  )
  t.deepEqual(
    local.requests.map(({ method, path }) => `${method} ${path}`),
    Array.from({ length: 3 }, () => 'POST /api/prompts/list'),
  )
})

test('emits what the platform tells of a prompt', async (t) => {
  const { baseUrl } = await start(t, GREETING)
  t.like(await lastValueFrom(fromPrompts({ baseUrl })), {
    id: 'greeting',
    name: 'Greeting',
    current_version: { version: 3 },
    live_version: { version: 2 },
  })
})

test('an id that is a number becomes text, as other functions take it', async (t) => {
  const { url: baseUrl } = await serve(t, (response) =>
    sendJson(response, { results: [{ id: 42, tags: [] }] }),
  )
  t.deepEqual<unknown, unknown>(await lastValueFrom(fromPrompts({ baseUrl })), { id: '42', tags: [] })
})

test('completes without prompts', async (t) => {
  const { baseUrl } = await start(t, { prompts: {} })
  t.deepEqual(await lastValueFrom(fromPrompts({ baseUrl }).pipe(toArray())), [])
})

test('asks for the next page only when it is wanted', async (t) => {
  const server = await serve(t, (response) =>
    sendJson(response, { results: [{ id: 'a' }, { id: 'b' }], next: 'http://elsewhere.example/?page=2' }),
  )
  const ids$ = fromPrompts({ baseUrl: server.url }).pipe(map(({ id }) => id))
  t.is(server.received.length, 0)
  t.deepEqual(await lastValueFrom(ids$.pipe(take(2), toArray())), ['a', 'b'])
  t.is(server.received.length, 1)
  t.deepEqual(await lastValueFrom(ids$.pipe(take(3), toArray())), ['a', 'b', 'a'])
  t.deepEqual(
    server.received.map(({ path }) => path),
    [1, 1, 2].map((page) => `/api/prompts/list/?page=${page}&page_size=100`),
  )
})

test('lists any number of pages, and still asks for no page that is not wanted', async (t) => {
  const PAGES = 8_000
  let asked = 0
  const fetch = async () => {
    const next = ++asked < PAGES ? 'more' : null
    return Response.json({ results: [{ id: `p${asked}` }], next })
  }
  const { signal } = new AbortController()
  const ids$ = fromPrompts({ baseUrl: 'http://127.0.0.1:1', fetch, signal }).pipe(map(({ id }) => id))
  t.deepEqual(
    await lastValueFrom(ids$.pipe(toArray())),
    Array.from({ length: PAGES }, (_, index) => `p${index + 1}`),
  )
  asked = 0
  t.is(await lastValueFrom(ids$.pipe(take(1))), 'p1')
  await new Promise(setImmediate)
  t.is(asked, 1)
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('a page without prompts is the last one, whatever it says of a next', async (t) => {
  const server = await serve(t, (response) => sendJson(response, { results: [], next: '/?page=2' }))
  t.deepEqual(await lastValueFrom(fromPrompts({ baseUrl: server.url }).pipe(toArray())), [])
  t.is(server.received.length, 1)
})

test.serial('an answer that stalls is given up after idleTimeout', async (t) => {
  const { tick } = commandTimers(t)
  const pieces = [new TextEncoder().encode('{"results":')]
  const body = new ReadableStream(
    {
      pull: (controller) => {
        const piece = pieces.shift()
        if (piece !== undefined) controller.enqueue(piece)
        // Twice: the piece itself was a sign of life.
        else queueMicrotask(() => [tick(4_000), tick(4_000)])
      },
    },
    { highWaterMark: 0 },
  )
  const fetch = () => Promise.resolve(new Response(body))
  const running = lastValueFrom(fromPrompts({ baseUrl: 'http://127.0.0.1:1', fetch, idleTimeout: 4_000 }))
  t.like(await errorOf(running), { _tag: 'Timeout', phase: 'idle', limit: 4_000 })
})

for (const [what, answer] of [
  ['a bare list', [{ id: 'a' }]],
  ['data', { data: [{ id: 'a' }] }],
  ['prompts', { prompts: [{ id: 'a' }] }],
] as const)
  test(`reads the older form of a list: ${what}`, async (t) => {
    const server = await serve(t, (response) => sendJson(response, answer))
    const all = await lastValueFrom(fromPrompts({ baseUrl: server.url }).pipe(toArray()))
    t.deepEqual(all, [{ id: 'a' }])
  })

// ── versions

test('gives the deployed version, a numbered one, or the latest', async (t) => {
  const { baseUrl } = await start(t, GREETING)
  const load = (version?: number | 'latest') =>
    lastValueFrom(fromPromptVersion('greeting', { baseUrl, ...(version === undefined ? {} : { version }) }))
  t.like(await load(), { version: 2, temperature: 0.2, variables: { language: 'French' }, is_deployed: true })
  t.like(await load(1), { version: 1, messages: [user('Hi {{name}}')] })
  t.is((await load('latest')).version, 3)
})

test('a prompt may be long', async (t) => {
  const long = 'x'.repeat(2_000_000)
  const { baseUrl } = await start(t, { prompts: { long: { messages: [user(long)] } } })
  const { messages } = await lastValueFrom(fromPromptVersion('long', { baseUrl }))
  t.is(messages?.[0]?.content, long)
})

test('asks by GET, without a body, and with the key', async (t) => {
  const server = await serve(t, (response) => sendJson(response, { version: 4 }))
  const options = { baseUrl: server.url, apiKey: KEY, version: 4 }
  t.deepEqual(await lastValueFrom(fromPromptVersion('a/b ?', options)), { version: 4 })
  t.like(server.received[0], { method: 'GET', path: '/api/prompts/a%2Fb%20%3F/versions/4/', body: '' })
  t.is(server.received[0]?.headers.authorization, `Bearer ${KEY}`)
})

test('says when a prompt, a version or a deployed version is missing', async (t) => {
  const { baseUrl } = await start(t, GREETING)
  t.like(await errorOf(lastValueFrom(fromPromptVersion('nope', { baseUrl }))), {
    _tag: 'HttpError',
    status: 404,
  })
  t.like(await errorOf(lastValueFrom(fromPromptVersion('greeting', { baseUrl, version: 9 }))), {
    _tag: 'HttpError',
    status: 404,
  })
  const broken = await serve(t, (response) =>
    response.writeHead(404, { 'content-length': 100 }).write('{"detail":', () => response.destroy()),
  )
  t.like(await errorOf(lastValueFrom(fromPromptVersion('nope', { baseUrl: broken.url }))), {
    _tag: 'HttpError',
    status: 404,
  })
  const server = await serve(t, (response) => sendJson(response, { id: 'p', live_version: null }))
  const error = await errorOf(lastValueFrom(fromPromptVersion('p', { baseUrl: server.url })))
  t.true(error instanceof InvalidResponse)
  t.is(error?.message, 'Prompt p: live_version: expected a deployed version, found null.')
  const newest = await errorOf(
    lastValueFrom(fromPromptVersion('p', { baseUrl: server.url, version: 'latest' })),
  )
  t.is(newest?.message, 'Prompt p: current_version: expected a version, found undefined.')
})

// ── errors and ends

test('asks again as the policy says, and waits as long as it is told', async (t) => {
  const { baseUrl, fault, requests } = await start(t, GREETING)
  fault({ on: 'prompts', status: 503, retryAfter: 0, times: 2 })
  t.is((await lastValueFrom(fromPrompts({ baseUrl }))).id, 'greeting')
  fault({ on: 'prompts', status: 429, retryAfter: 0 })
  t.is((await errorOf(lastValueFrom(fromPrompts({ baseUrl }))))?._tag, 'RateLimited')
  t.is((await errorOf(lastValueFrom(fromPrompts({ baseUrl, retry: { count: 0 } }))))?._tag, 'RateLimited')
  t.is(requests.length, 0)
})

for (const [what, body, expected] of [
  ['no JSON', '<h1>Hi</h1>', { _tag: 'InvalidResponse', expected: 'JSON' }],
  ['nothing', '', { _tag: 'InvalidResponse', found: 'an empty body' }],
  ['another shape', '{"results":[{"name":"x"}]}', { _tag: 'InvalidResponse', path: 'results[0].id' }],
  ['an error', '{"detail":"No"}', { _tag: 'GatewayError', message: 'No' }],
] as const)
  test(`refuses an answer that is ${what}`, async (t) => {
    const server = await serve(t, (response) =>
      response.writeHead(200, { 'x-respan-log-id': 'log' }).end(body),
    )
    t.like(await errorOf(lastValueFrom(fromPrompts({ baseUrl: server.url }))), { logId: 'log', ...expected })
    t.is(server.received.length, 1)
  })

test('needs a key for Respan itself, and repeats none in an error', async (t) => {
  t.is((await errorOf(lastValueFrom(fromPrompts())))?._tag, 'MissingApiKey')
  const server = await serve(t, (response) => sendJson(response, { detail: `Bad ${KEY}` }, { status: 401 }))
  const error = await errorOf(lastValueFrom(fromPrompts({ baseUrl: server.url, apiKey: KEY })))
  t.true(error instanceof HttpError)
  t.false(JSON.stringify(error).includes(KEY) || (error?.message ?? KEY).includes(KEY))
})

test('breaks off when it is left, and when its signal is aborted', async (t) => {
  const arrived = [latch(), latch()]
  const server = await serve(t, (_, __, number) => arrived[number - 1]?.open())
  const controller = new AbortController()
  const { signal } = controller
  const subscription = fromPrompts({ baseUrl: server.url, signal }).subscribe({ error: () => t.fail() })
  await arrived[0]?.opened
  subscription.unsubscribe()
  await server.received[0]?.broken
  const aborted = errorOf(firstValueFrom(fromPromptVersion('p', { baseUrl: server.url, signal })))
  await arrived[1]?.opened
  controller.abort()
  t.is((await aborted)?._tag, 'Aborted')
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('refuses wrong options when it is built', (t) => {
  const place = (build: () => unknown) =>
    t.throws(build, { instanceOf: InvalidInput })?.message.split(': expected', 1)[0]
  t.is(
    place(() => fromPrompts({ timeout: -1 })),
    'fromPrompts: timeout',
  )
  for (const promptId of [' ', JSON.parse('7'), JSON.parse('null')])
    t.is(
      place(() => fromPromptVersion(promptId)),
      'fromPromptVersion: promptId',
    )
  for (const version of [0, 1.5, Number.NaN])
    t.is(
      place(() => fromPromptVersion('p', { version })),
      'fromPromptVersion: version',
    )
})

// ── variables

const Names = io.type({ names: io.readonlyArray(io.string) }, 'Names')

test('a codec that provides what the deployed version reads is right, with the names', async (t) => {
  const { baseUrl } = await start(t, GREETING)
  const check = await lastValueFrom(
    fromPromptVersion('greeting', { baseUrl }).pipe(map(checkPromptVariables(Names))),
  )
  t.deepEqual(check, { _tag: 'Right', right: ['language', 'names'] })
})

const version = (content: string, variables: Record<string, unknown> = {}): PromptVersion => ({
  version: 3,
  messages: [{ role: 'user', content }],
  variables,
})

const messageOf = (codec: io.Mixed, of: PromptVersion): string | undefined => {
  const check = checkPromptVariables(codec)(of)
  return check._tag === 'Left' ? check.left.message : undefined
}

test('what is missing is named', (t) => {
  const of = version('{{a}} {{ b | upper }} {% if c %}{{d.e}}{% endif %}')
  t.is(
    messageOf(io.type({ a: io.string }, 'Mine'), of),
    'Version 3 of the prompt: b, c, d: expected fields that every Mine has, found none.',
  )
  t.is(
    messageOf(io.partial({ a: io.string }, 'Mine'), version('{{a}}')),
    'Version 3 of the prompt: a: expected a field that every Mine has, found optional.',
  )
  t.is(messageOf(io.type({ a: io.string, unused: io.string }), version('{{a}}')), undefined)
  t.is(
    messageOf(io.partial({ a: io.string }, 'Mine'), version('{{a}}{{b}}')),
    'Version 3 of the prompt: a, b: expected fields that every Mine has, found none.',
  )
})

test('a default counts unless it is empty', (t) => {
  const none = io.type({})
  t.is(messageOf(none, version('{{a}}', { a: 0 })), undefined)
  for (const empty of ['', null]) t.not(messageOf(none, version('{{a}}', { a: empty })), undefined)
  t.not(messageOf(none, version('{{toString}}')), undefined)
})

test('what a template sets itself is no variable of it', (t) => {
  t.is(messageOf(io.type({}), version('{% set a = 1 %}{{a}}{% for b in [1] %}{{b}}{% endfor %}')), undefined)
})

const Recursive = io.recursion<{ a: string }>('Recursive', () => io.type({ a: io.string }))

for (const [what, codec, provided] of [
  ['a type', io.type({ a: io.string }), true],
  ['a strict type', io.strict({ a: io.string }), true],
  ['a field that may be undefined', io.type({ a: io.union([io.string, io.undefined]) }), false],
  ['an intersection', io.intersection([io.type({ b: io.string }), io.type({ a: io.string })]), true],
  [
    'an intersection with a partial one',
    io.intersection([io.type({ a: io.string }), io.partial({ a: io.string })]),
    true,
  ],
  [
    'a partial one that others complete',
    io.intersection([io.partial({ a: io.string }), io.type({ a: io.string })]),
    true,
  ],
  ['an intersection of partial ones', io.intersection([io.partial({ a: io.string }), io.partial({})]), false],
  ['an intersection with a record', io.intersection([io.type({ a: io.string }), io.UnknownRecord]), false],
  [
    'a union in which all have it',
    io.union([io.type({ a: io.string }), io.type({ a: io.number, b: io.string })]),
    true,
  ],
  ['a union in which some have it', io.union([io.type({ a: io.string }), io.type({ b: io.string })]), false],
  ['a refinement', io.refinement(io.type({ a: io.string }), () => true), true],
  ['a readonly one', io.readonly(io.exact(io.type({ a: io.string }))), true],
  ['a record', io.record(io.string, io.string), false],
  ['a recursive one', Recursive, false],
  ['a codec of its own', new io.Type('Own', (_): _ is object => true, io.success, io.identity), false],
] as const)
  test(`the fields of ${what} are ${provided ? 'found' : 'not taken for granted'}`, (t) => {
    t.is(messageOf(codec, version('{{a}}')) === undefined, provided)
  })

test('the names that are read are given once each, in alphabetical order', (t) => {
  const check = checkPromptVariables(io.type({ a: io.string, b: io.string }))(version('{{b}}{{a}}{{b}}'))
  t.deepEqual(check, { _tag: 'Right', right: ['a', 'b'] })
  const messages = [user('{{b}}'), user('{{a}}'), user('{{b}}')]
  const several = checkPromptVariables(io.type({ a: io.string, b: io.string }))({ version: 1, messages })
  t.deepEqual(several, { _tag: 'Right', right: ['a', 'b'] })
})

test('the texts of a version are templates, and nothing else is', (t) => {
  const of = (...messages: ReadonlyArray<unknown>) =>
    messageOf(io.type({}), anything({ version: 1, messages }))
  const part = (type: string, text: unknown) => ({ role: 'user', content: [{ type, text }] })
  for (const type of ['text', 'input_text']) {
    t.regex(of(part(type, '{{a}}')) ?? '', /^Version 1 of the prompt: a: /)
    t.regex(of(user('a'), part(type, '{% if %}')) ?? '', /: messages\[1\]\.content\[0\]\.text:1:1: /)
  }
  t.is(of(part('refusal', '{{a}}'), part('text', 1), { role: 'assistant', content: null }), undefined)
  t.is(messageOf(io.type({}), anything({ version: 1 })), undefined)
  t.not(messageOf(io.type({}), anything({ ...version('{{a}}'), variables: null })), undefined)
})

test('what is no codec is refused at once, and one whose fields are unknown when it is used', (t) => {
  t.like(
    t.throws(() => checkPromptVariables(anything({})), { instanceOf: InvalidInput }),
    { path: 'codec', expected: 'an io-ts codec' },
  )
  const check = checkPromptVariables(io.UnknownRecord)(version(''))
  t.like(check._tag === 'Left' ? check.left : undefined, { path: 'codec', found: 'UnknownRecord' })
})

test('a template that is none is told by its place', (t) => {
  t.regex(messageOf(io.type({}), version('{% if %}')) ?? '', /messages\[0\]\.content/)
})
