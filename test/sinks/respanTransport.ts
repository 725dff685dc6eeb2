import { inspect } from 'node:util'
import test from 'ava'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import { firstValueFrom, lastValueFrom } from 'rxjs'
import { InvalidInput, isRespanError } from '../../dist/errors.js'
import type { DeliveryWarning } from '../../dist/sinks/BufferPolicy.js'
import { bufferedSink } from '../../dist/sinks/bufferedSink.js'
import { respanTransport } from '../../dist/sinks/respanTransport.js'
import { traceUrl } from '../../dist/sinks/traceUrl.js'
import { foldSpans } from '../../dist/tracing/foldSpans.js'
import type { Span, SpanEvent } from '../../dist/tracing/SpanEvent.js'
import { fixture } from '../helpers/fixture.js'
import { sendJson, serve } from '../helpers/server.js'
import { ended, finish, idOf, NOTHING, numberOf, range, started } from '../helpers/spans.js'

const KEY = 'canary-5f0c2d9e8b7a4160'

const spans = (...numbers: ReadonlyArray<number>): ReadonlyArray<Span> =>
  foldSpans(numbers.flatMap((number) => [started(number), ended(number)]))

test('posts a bare array to the ingest path, with the key, and asks not to be traced', async (t) => {
  const server = await serve(t, (response) => sendJson(response, { status: 'ok', errors: [] }))
  const transport = respanTransport({ apiKey: KEY, baseUrl: server.url, headers: { 'x-mine': '1' } })
  t.deepEqual(await lastValueFrom(transport(spans(1, 2))), { rejected: [] })
  const [request] = server.received
  t.like(request, { method: 'POST', path: '/api/v1/traces/ingest' })
  t.like(request?.headers, {
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/json',
    'x-respan-dogfood': '1',
    'x-mine': '1',
  })
  const body: unknown = JSON.parse(request?.body ?? '')
  t.true(Array.isArray(body) && body.length === 2)
})

test('where there is no page, a path of its server delivers nothing, and says so', async (t) => {
  const transport = respanTransport({ apiKey: KEY, baseUrl: '/api/respan' })
  t.is(transport.destination, 'respan')
  t.is(transport.traceUrl, undefined)
  await t.throwsAsync(lastValueFrom(transport(spans(1))), {
    instanceOf: InvalidInput,
    message:
      'baseUrl: expected an http(s) URL without credentials, found a bare path, which works only in a page served over http(s).',
  })
  const sink = bufferedSink(transport, { onWarning: () => undefined })
  finish(sink, 1)
  t.like(await sink.flush(), { left: { report: { ...NOTHING, dropped: 1 } } })
})

test('sends nothing before it is subscribed, and once per subscription', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const receipt$ = respanTransport({ baseUrl: server.url })(spans(1))
  t.is(server.received.length, 0)
  await lastValueFrom(receipt$)
  await lastValueFrom(receipt$)
  t.is(server.received.length, 2)
})

for (const [name, status, type] of [
  ['ingest.response.status.json', 200, 'application/json'],
  ['ingest.response.message.json', 200, 'application/json'],
  ['ingest.response.legacy.json', 201, 'application/json'],
  ['ingest.response.empty.txt', 204, 'text/plain'],
  ['ingest.response.empty.txt', 202, 'application/json'],
  ['error.502.html', 200, 'text/html'],
] as const)
  test(`takes ${name} with ${status} as delivered`, async (t) => {
    const server = await serve(t, (response) => {
      response.writeHead(status, { 'content-type': type })
      response.end(status === 204 ? undefined : fixture(name))
    })
    t.deepEqual(await lastValueFrom(respanTransport({ baseUrl: server.url })(spans(1))), { rejected: [] })
  })

test("tells the spans that the answer's errors name, and what else they say", async (t) => {
  const batch = spans(1, 2, 3)
  const answers = [fixture('ingest.response.status-errors.json'), '{"errors":["out of paper", {"code": 7}]}']
  const server = await serve(t, (response) => {
    response.end(answers.shift())
  })
  const transport = respanTransport({ baseUrl: server.url })
  t.deepEqual(await lastValueFrom(transport(batch)), {
    rejected: [{ span: batch[2], reason: 'span 2: span_unique_id is required' }],
  })
  t.deepEqual(await lastValueFrom(transport(batch)), {
    rejected: [],
    warnings: ['out of paper', '{"code":7}'],
  })
})

test('a complaint that repeats a span is about that span, not about its parent', async (t) => {
  const family = foldSpans([started(1), ended(1), started(2, { parentId: idOf(1) }), ended(2)])
  const batch = [...spans(3), ...family]
  for (const [errors, refused] of [
    [[{ span_unique_id: idOf(2), span_parent_id: idOf(1), error: 'no' }], 2],
    [{ [idOf(2)]: [`below ${idOf(1)}`] }, 2],
    [{ '[2].span_parent_id': [`${idOf(1)} is unknown`] }, 2],
    [[{}, {}, { span_parent_id: [`${idOf(1)} is unknown`] }], 2],
    [[{ index: 0, span_unique_id: idOf(2) }], 2],
    [[{ span_unique_id: idOf(1), error: 'no' }], 1],
  ] as const) {
    const server = await serve(t, (response) => sendJson(response, { errors }))
    const { rejected } = await lastValueFrom(respanTransport({ baseUrl: server.url })(batch))
    t.deepEqual(
      rejected.map(({ span }) => numberOf(span)),
      [refused],
    )
  }
})

test('a complaint with a million blanks is read in linear time', async (t) => {
  const server = await serve(t, (response) =>
    sendJson(response, { errors: [`span${' '.repeat(1_000_000)}`] }),
  )
  const { rejected, warnings } = await lastValueFrom(respanTransport({ baseUrl: server.url })(spans(1)))
  t.deepEqual([rejected, warnings?.length], [[], 1])
})

test('an answer that is too long to be read may have refused spans: that is told', async (t) => {
  const errors = [{ index: 0, error: 'no', input: 'x'.repeat(2 ** 20) }]
  const server = await serve(t, (response) => sendJson(response, { errors }))
  const { rejected, warnings } = await lastValueFrom(respanTransport({ baseUrl: server.url })(spans(1)))
  t.deepEqual(rejected, [])
  t.deepEqual(warnings, ['more than a megabyte, which was not read; spans may have been refused'])
})

const failing = async (
  t: Parameters<typeof serve>[0],
  ...[status, body, headers = {}]: [status: number, body: string, headers?: Record<string, string>]
): Promise<unknown> => {
  const server = await serve(t, (response) => {
    response.writeHead(status, headers)
    response.end(body)
  })
  return t.throwsAsync(firstValueFrom(respanTransport({ apiKey: KEY, baseUrl: server.url })(spans(1))), {
    any: true,
  })
}

// The shape of what an answer complains about is undocumented: whatever is understood of it counts.
const complaining: ReadonlyArray<readonly [body: unknown, named: ReadonlyArray<number>, others: number]> = [
  [{ errors: [] }, [], 0],
  [{ errors: ['span 1: too long'] }, [1], 0],
  [{ errors: { 0: ['too long'] } }, [0], 0],
  [{ errors: 'span 0: too long' }, [0], 0],
  [{ errors: 'quota nearly reached' }, [], 1],
  [{ errors: ['span 1: too long', 'quota nearly reached'] }, [1], 1],
  [{ errors: [{}, { model: ['unknown'] }, {}] }, [1], 0],
  [{ status: 207, trace_ids: [12], ingested_spans: '2', errors: ['span 2: no'] }, [2], 0],
  [['span 1 is here'], [], 0],
  [{ detail: ['span 1: fine'] }, [], 0],
  ['accepted', [], 0],
]

for (const [body, named, others] of complaining)
  test(`of an answer of ${JSON.stringify(body)}, ${named.length} spans are refused and ${others} complaints passed on`, async (t) => {
    const server = await serve(t, (response) => sendJson(response, body))
    const receipt = await firstValueFrom(respanTransport({ baseUrl: server.url })(spans(0, 1, 2)))
    t.deepEqual(
      receipt.rejected.map(({ span }) => numberOf(span)),
      named,
    )
    t.is(receipt.warnings?.length ?? 0, others)
  })

test('a complaint about no span keeps its key', async (t) => {
  const server = await serve(t, (response) => sendJson(response, { errors: { quota: 'nearly reached' } }))
  const { warnings } = await firstValueFrom(respanTransport({ baseUrl: server.url })(spans(0)))
  t.deepEqual(warnings, ['quota: nearly reached'])
})

for (const [name, status] of [
  ['error.400.json', 400],
  ['error.401.invalid-key.json', 401],
  ['error.422.json', 422],
  ['error.500.json', 500],
  ['error.502.html', 502],
  ['error.503.empty.txt', 503],
] as const)
  test(`${name} is an HttpError with status ${status}`, async (t) => {
    t.like(await failing(t, status, fixture(name)), { _tag: 'HttpError', status })
  })

test('429 is RateLimited, with the time from the body', async (t) => {
  t.like(await failing(t, 429, fixture('error.429.respan.json')), { _tag: 'RateLimited', retryAfter: 60_000 })
})

test('any other failure tells when the server wants to be asked again, too', async (t) => {
  t.like(await failing(t, 503, '', { 'retry-after': '7' }), { _tag: 'HttpError', retryAfter: 7_000 })
})

test('a redirect as a browser shows it, without its status, delivers nothing', async (t) => {
  const fake: typeof fetch = () => Promise.resolve(Response.error())
  const transport = respanTransport({ baseUrl: 'http://127.0.0.1:1', fetch: fake })
  await t.throwsAsync(firstValueFrom(transport(spans(1))), { name: 'HttpError' })
})

test('does not follow a redirect, which could take the key elsewhere', async (t) => {
  const elsewhere = await serve(t, (response) => sendJson(response, {}))
  t.like(await failing(t, 307, '', { location: elsewhere.url }), { _tag: 'HttpError', status: 307 })
  t.is(elsewhere.received.length, 0)
})

test('gives up after timeout, and hangs up', async (t) => {
  const server = await serve(t, () => undefined)
  const transport = respanTransport({ baseUrl: server.url, timeout: 50 })
  await t.throwsAsync(firstValueFrom(transport(spans(1))), { name: 'Timeout' })
  await server.received[0]?.broken
  t.pass()
})

test('unsubscribing hangs up', async (t) => {
  const server = await serve(t, (_, { broken }) => {
    subscription.unsubscribe()
    void broken.then(() => resolve?.())
  })
  let resolve: (() => void) | undefined
  const broken = new Promise<void>((take) => {
    resolve = take
  })
  const subscription = respanTransport({ baseUrl: server.url })(spans(1)).subscribe()
  await broken
  t.pass()
})

test('nobody there is a NetworkError', async (t) => {
  await t.throwsAsync(firstValueFrom(respanTransport({ baseUrl: 'http://127.0.0.1:1' })(spans(1))), {
    name: 'NetworkError',
  })
})

test('a span that no codec lets through is named, and nothing is sent', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const transport = respanTransport({ baseUrl: server.url })
  const long = foldSpans([started(3, { attributes: { customer_identifier: 'x'.repeat(121) } }), ended(3)])
  await t.throwsAsync(firstValueFrom(transport([...spans(1, 2), ...long])), {
    instanceOf: InvalidInput,
    message: /^Span: \[2\]\.customer_identifier: expected string of at most 120/,
  })
  t.is(server.received.length, 0)
})

test('a span of no shape at all holds up none beside it', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const sink = bufferedSink(respanTransport({ baseUrl: server.url }), { onWarning: () => undefined })
  finish(sink, 1)
  // A plain JavaScript user's own sink may take something off by null.
  for (const event of [started(2), { ...ended(2), generation: null }]) sink.next(event as SpanEvent)
  finish(sink, 3)
  t.true(isLeft(await sink.flush()))
  t.like(sink.stats(), { delivered: 2, rejected: 1, queued: 0 })
  t.is(server.received.length, 1)
})

test('what JSON refuses is named in its place, and sent', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const batch = foldSpans([started(1, { attributes: { properties: { big: 1n, cycle } } }), ended(1)])
  await firstValueFrom(respanTransport({ baseUrl: server.url })(batch))
  const [sent] = JSON.parse(server.received[0]?.body ?? '[]')
  t.deepEqual(sent.properties, { big: '1', cycle: { self: '[redacted]' } })
})

test('through the buffer, such a span is rejected and the others arrive', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const sink = bufferedSink(respanTransport({ baseUrl: server.url }), { onWarning: () => undefined })
  finish(sink, 1, 2)
  sink.next(started(3, { attributes: { customer_identifier: 'x'.repeat(121) } }))
  sink.next(ended(3))
  finish(sink, 4)
  const outcome = await sink.flush()
  t.true(isLeft(outcome))
  t.like(sink.stats(), { delivered: 3, rejected: 1 })
  t.is(server.received.length, 1)
})

// Bun makes a connection for each request that says `keepalive: false`.
test('names keepalive only when it is asked to', async (t) => {
  const seen: Array<unknown> = []
  const fake: typeof fetch = (_, init = {}) => {
    seen.push('keepalive' in init ? init.keepalive : 'not named')
    return Promise.resolve(new Response('{}'))
  }
  const transport = respanTransport({ baseUrl: 'http://127.0.0.1:1', fetch: fake })
  await lastValueFrom(transport(spans(1), { keepalive: true }))
  await lastValueFrom(transport(spans(1)))
  t.deepEqual(seen, [true, 'not named'])
})

// A page that is being left has no further tick.
test('a request that outlives its page reaches fetch in the tick of the call', async (t) => {
  let calls = 0
  const fake: typeof fetch = () => {
    calls++
    return Promise.resolve(new Response('{}'))
  }
  const transport = respanTransport({ baseUrl: 'http://127.0.0.1:1', fetch: fake })
  const sent = lastValueFrom(transport(spans(1), { keepalive: true }))
  t.is(calls, 1)
  await sent
})

test('knows the exact size of a span in a request', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const transport = respanTransport({ baseUrl: server.url })
  const batch = foldSpans([started(1, { input: 'Grüße, 世界 "\n' }), ended(1), started(2), ended(2)])
  await lastValueFrom(transport(batch))
  const size = batch.reduce((sum, span) => sum + (transport.bytes?.(span) ?? 0), 0)
  // Each span with its comma; the array has one comma less and two brackets.
  t.is(Buffer.byteLength(server.received[0]?.body ?? ''), size + 1)
})

for (const [title, connection, path] of [
  ['a base URL that is none', { baseUrl: 'respan' }, 'baseUrl'],
  ['a base URL with credentials', { baseUrl: 'https://user:pass@api.respan.ai' }, 'baseUrl'],
  ['a key with a line break', { apiKey: 'a\nb' }, 'apiKey'],
  ['a timeout of 0', { timeout: 0 }, 'timeout'],
] as const)
  test(`${title} is refused when the transport is made`, (t) => {
    t.is(t.throws(() => respanTransport(connection), { instanceOf: InvalidInput })?.path, path)
  })

// ── the buffer over the real thing

const quick = { maxDelay: 5, retry: { delay: 1 } } as const

test('delivers 1,000 spans through failures of every kind, each span once', async (t) => {
  const answers: ReadonlyArray<readonly [number, string]> = [
    [503, ''],
    [429, '{"detail":"Rate limit exceeded","retry_after":0}'],
    [413, ''],
    [401, '{"detail":"not yet"}'],
    [400, fixture('error.400.json')],
    [500, fixture('error.500.json')],
    [408, ''],
  ]
  const got: Array<string> = []
  const server = await serve(t, (response, { body }, number) => {
    const failure = number % 2 === 0 ? undefined : answers[(number - 1) / 2]
    if (number === 5) return response.destroy()
    if (failure !== undefined) {
      response.writeHead(failure[0])
      return response.end(failure[1])
    }
    const payloads: ReadonlyArray<{ readonly span_unique_id: string }> = JSON.parse(body)
    got.push(...payloads.map(({ span_unique_id }) => span_unique_id))
    return sendJson(response, { status: 'ok' })
  })
  const sink = bufferedSink(respanTransport({ baseUrl: server.url }), {
    ...quick,
    onWarning: () => undefined,
  })
  finish(sink, ...range(1, 1_000))
  let outcome = await sink.flush()
  for (let round = 0; round < 10 && isLeft(outcome); round++) outcome = await sink.flush()
  t.like(sink.stats(), { accepted: 1_000, delivered: 1_000 })
  t.deepEqual([...got].sort(), range(1, 1_000).map(idOf).sort())
})

test('the key appears in no warning, no error, no count and no name, also when the server repeats it', async (t) => {
  const server = await serve(t, (response, _, number) => {
    response.writeHead([401, 400, 503, 429, 422][number % 5] ?? 500, { 'x-request-id': KEY })
    response.end(JSON.stringify({ detail: `Bearer ${KEY} is wrong`, error: { message: KEY, code: KEY } }))
  })
  const warnings: Array<DeliveryWarning> = []
  const transport = respanTransport({ apiKey: KEY, baseUrl: server.url })
  const sink = bufferedSink(transport, { ...quick, onWarning: (warning) => warnings.push(warning) })
  finish(sink, ...range(1, 10))
  const outcomes = [await sink.flush(), await sink.flush(), await sink.close()]
  t.true(outcomes.some(isLeft))
  t.true(warnings.length > 0)
  t.true(warnings.every(({ error }) => isRespanError(error)))
  const all = inspect([warnings, outcomes, sink.stats(), transport.destination, sink], {
    depth: 20,
    showHidden: true,
    getters: true,
  })
  t.false(all.includes(KEY))
  t.true(
    server.received.every(
      ({ headers, body }) => headers.authorization === `Bearer ${KEY}` && !body.includes(KEY),
    ),
  )
})

test('a flush that delivers is a Right', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const sink = bufferedSink(respanTransport({ baseUrl: server.url }))
  finish(sink, 1, 2)
  t.deepEqual(await sink.flush(), right({ ...NOTHING, delivered: 2 }))
})

// ── where a trace is shown

for (const [baseUrl, page] of [
  ['https://api.respan.ai/api', 'https://platform.respan.ai/platform/traces?trace_unique_id=a%2Fb'],
  ['http://127.0.0.1:4242/api', 'http://127.0.0.1:4242/traces/a%2Fb'],
  ['http://localhost:4242/api', 'http://localhost:4242/traces/a%2Fb'],
  ['http://[::1]:4242/api', 'http://[::1]:4242/traces/a%2Fb'],
  ['https://endpoint.respan.ai/api', undefined],
  ['https://api.respan.ai.evil.example/api', undefined],
  ['https://127.0.0.1.evil.example/api', undefined],
  ['https://proxy.local/respan', undefined],
] as const)
  test(`a trace at ${baseUrl} is shown at ${page ?? 'no page that is known'}`, (t) => {
    t.is(traceUrl(baseUrl)?.('a/b'), page)
    const sink = bufferedSink(respanTransport({ apiKey: KEY, baseUrl }))
    t.is(sink.traceUrl?.('a/b'), page)
  })

test('without a key that its host demands, a sink has no page to show', (t) => {
  t.is(respanTransport({ baseUrl: 'https://api.respan.ai', apiKey: ' ' }).traceUrl, undefined)
})
