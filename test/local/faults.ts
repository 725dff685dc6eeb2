import test from 'ava'
import { lastValueFrom, toArray } from 'rxjs'
import { Fields } from '../../dist/codecs/Fields.js'
import { InvalidInput, isRespanError } from '../../dist/errors.js'
import { type Fault, type Local, startLocal } from '../../dist/local/index.js'
import { respanGateway } from '../../dist/sources/respanGateway.js'
import { start } from '../helpers/local.js'

const ask = (more: object = {}) => ({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'Tell me about rivers.' }],
  ...more,
})

const post = (local: Local, more: object = {}, init: RequestInit = {}): Promise<Response> =>
  fetch(`${local.baseUrl}/chat/completions`, { method: 'POST', body: JSON.stringify(ask(more)), ...init })

const statuses = async (local: Local, count: number, more: object = {}): Promise<ReadonlyArray<number>> => {
  const seen: Array<number> = []
  for (let n = 0; n < count; n++) {
    const response = await post(local, more)
    await response.text()
    seen.push(response.status)
  }
  return seen
}

test('a fault strikes the next n requests', async (t) => {
  const local = await start(t)
  local.fault({ status: 503, times: 2 })
  t.deepEqual(await statuses(local, 3), [503, 503, 200])
})

test('faults strike in the order in which they were given', async (t) => {
  const local = await start(t)
  local.fault({ status: 503, times: 1 })
  local.fault({ status: 500, times: 1 })
  t.deepEqual(await statuses(local, 3), [503, 500, 200])
})

test('a fault without a number lasts until it is removed', async (t) => {
  const local = await start(t, { faults: [{ status: 500, model: 'other' }] })
  const remove = local.fault({ status: 500 })
  t.deepEqual(await statuses(local, 2), [500, 500])
  remove()
  t.deepEqual(await statuses(local, 1), [200])
  t.deepEqual(await statuses(local, 1, { model: 'other' }), [500])
})

test('refusals have the documented bodies', async (t) => {
  const local = await start(t)
  const answer = async (fault: Fault): Promise<readonly [number, string, string | null]> => {
    local.fault({ ...fault, times: 1 })
    const response = await post(local)
    return [response.status, await response.text(), response.headers.get('retry-after')]
  }
  t.deepEqual(await answer({ retryAfter: 60 }), [
    429,
    '{"detail":"Rate limit exceeded","retry_after":60}',
    '60',
  ])
  t.deepEqual(await answer({ status: 500 }), [
    500,
    '{"detail":"Internal server error","error_code":"INTERNAL_ERROR"}',
    null,
  ])
  t.deepEqual(await answer({ status: 503 }), [503, '{"detail":"Service Unavailable"}', null])
  t.deepEqual(await answer({ status: 599 }), [599, '{"detail":"HTTP status 599"}', null])
  t.deepEqual(await answer({ status: 402, body: { error: { message: 'no' } } }), [
    402,
    '{"error":{"message":"no"}}',
    null,
  ])
  t.deepEqual(await answer({ body: 'as it is' }), [200, 'as it is', null])
  t.deepEqual(await answer({ status: 204 }), [204, '', null])
  for (const status of [205, 304]) t.deepEqual(await answer({ status }), [status, '', null])
  t.deepEqual(await answer({ body: 'later', retryAfter: 3 }), [429, 'later', '3'])
  const [status, page, retryAfter] = await answer({ html: true, retryAfter: 9 })
  t.deepEqual([status, retryAfter], [502, '9'])
  t.regex(page, /^<html>/u)
  const details = async (code: number): Promise<unknown> => JSON.parse((await answer({ status: code }))[1])
  t.like(await details(400), { detail: 'Invalid request format' })
  t.regex(JSON.stringify(await details(401)), /Your API key is invalid or expired/u)
  t.like(await details(403), { detail: 'You do not have permission to perform this action.' })
  t.like(await details(404), { detail: 'Not found.' })
  t.like(await details(413), { detail: 'Request entity too large' })
  t.deepEqual(await details(422), {
    detail: 'Validation error',
    errors: { messages: ['A fault was asked for.'] },
  })
})

test('a refusal says what its body is: JSON, text or a page', async (t) => {
  const local = await start(t)
  const type = async (fault: Fault): Promise<string | null> => {
    local.fault({ ...fault, times: 1 })
    return (await post(local)).headers.get('content-type')
  }
  t.is(await type({ status: 500 }), 'application/json')
  t.is(await type({ body: { own: true } }), 'application/json')
  t.is(await type({ body: 'own' }), 'text/plain; charset=utf-8')
  t.is(await type({ html: true }), 'text/html')
})

test('an unknown fault is refused when it is given', async (t) => {
  const local = await start(t)
  t.throws(() => local.fault({ status: 42 }), { instanceOf: InvalidInput })
  await t.throwsAsync(startLocal({ faults: [{ times: 0 }] }), { instanceOf: InvalidInput })
})

test('a misspelt fault is refused wherever it is given, and its name is in the message', async (t) => {
  const local = await start(t)
  const misspelt: Fault = JSON.parse('{"statsu":503,"times":1}')
  const error = t.throws(() => local.fault(misspelt), { instanceOf: InvalidInput })
  t.regex(error?.message ?? '', /^fault: statsu: expected status instead, found /u)
  const started = await t.throwsAsync(startLocal({ faults: [{ status: 500 }, misspelt] }), {
    instanceOf: InvalidInput,
  })
  t.regex(started?.message ?? '', /^startLocal: faults\[1\]\.statsu: /u)
  const response = await post(local, {}, { headers: { 'x-local-fault': '{"bogus":1}' } })
  t.is(response.status, 422)
  t.regex(JSON.parse(await response.text()).errors.bogus[0], /^bogus: expected one of the fields on, /u)
  t.deepEqual(await statuses(local, 1), [200])
})

test('the same fault given twice is two faults, each removed on its own', async (t) => {
  const local = await start(t)
  const fault: Fault = { status: 503 }
  const [first, second] = [local.fault(fault), local.fault(fault)]
  t.deepEqual(await statuses(local, 1), [503])
  first()
  first()
  t.deepEqual(await statuses(local, 1), [503])
  second()
  t.deepEqual(await statuses(local, 1), [200])
})

test('a header asks for a fault of one request', async (t) => {
  const local = await start(t)
  const response = await post(local, {}, { headers: { 'x-local-fault': '{"status":418}' } })
  t.is(response.status, 418)
  t.is((await post(local, {}, { headers: { 'x-local-fault': 'x' } })).status, 400)
  t.is((await post(local, {}, { headers: { 'x-local-fault': '{"status":"x"}' } })).status, 422)
  t.deepEqual(await statuses(local, 1), [200])
})

test('the fault of a header comes before those that wait for the next request', async (t) => {
  const local = await start(t)
  local.fault({ status: 503, times: 1 })
  t.is((await post(local, {}, { headers: { 'x-local-fault': '{"status":418}' } })).status, 418)
  t.deepEqual(await statuses(local, 2), [503, 200])
})

test('a fallback model answers for one that fails, and is named', async (t) => {
  const local = await start(t)
  local.fault({ model: 'gpt-4o-mini', status: 500 })
  const request = { fallback_models: ['unknown/x', 'claude-sonnet-4-5', 'gpt-4o'] }
  const response = await post(local, request)
  t.is(JSON.parse(await response.text()).model, 'claude-sonnet-4-5-20250929')
  t.is((await post(local, { ...request, disable_fallback: true })).status, 500)
  t.is((await post(local, { fallback_models: ['unknown/x'] })).status, 404)
  const streamed = await (await post(local, { ...request, stream: true })).text()
  t.regex(streamed, /"model":"claude-sonnet-4-5-20250929"/u)
  t.is(local.requests.at(-1)?.model, 'claude-sonnet-4-5-20250929')
})

const outcome = async (local: Local, fault: Fault, stream: boolean): Promise<string> => {
  local.fault({ ...fault, times: 1 })
  const gateway = respanGateway({ baseUrl: local.baseUrl, apiKey: 'x', retry: { count: 0 } })
  try {
    const events = await lastValueFrom(
      gateway
        .chat({ model: 'm', messages: [{ role: 'user', content: 'Tell me about rivers.' }], stream })
        .pipe(toArray()),
    )
    return `${events.filter((event) => event._tag === 'Chunk').length} chunks`
  } catch (error) {
    return isRespanError(error) ? error._tag : String(error)
  }
}

test('a stream is cut, ended, broken or stopped by an error where the fault says', async (t) => {
  const local = await start(t)
  t.is(await outcome(local, { cutAfter: 3 }, true), 'StreamInterrupted')
  t.is(local.requests.at(-1)?.outcome, 'cut')
  t.is(local.requests.at(-1)?.chunks, 3)
  t.is(await outcome(local, { endAfter: 3 }, true), '3 chunks')
  t.is(await outcome(local, { malformedAfter: 3 }, true), 'InvalidResponse')
  t.is(await outcome(local, { errorAfter: 3 }, true), 'GatewayError')
  t.is(await outcome(local, { cutAfter: 0 }, true), 'StreamInterrupted')
})

test('a broken event is one among the others, and an error is the last', async (t) => {
  const local = await start(t)
  const events = async (fault: Fault): Promise<ReadonlyArray<string>> => {
    local.fault({ ...fault, times: 1 })
    return (await (await post(local, { stream: true })).text()).split('\n\n').slice(0, -1)
  }
  const whole = (await events({})).length
  const isJson = (event: string): boolean => /^data: (?:\{.*\}|\[DONE\])$/su.test(event)
  const broken = await events({ malformedAfter: 3 })
  t.is(broken.length, whole + 1)
  t.deepEqual(
    broken.flatMap((event, index) => (isJson(event) ? [] : [index])),
    [3],
  )
  const failed = await events({ errorAfter: 3 })
  t.is(failed.length, 4)
  t.regex(failed[3] ?? '', /^data: \{"error":/u)
})

test('a fault decides over the pace of the built-in model', async (t) => {
  const local = await start(t, { chunkDelay: 60_000, faults: [{ slowChunks: 0 }] })
  t.regex(await (await post(local, { stream: true })).text(), /\[DONE\]/u)
})

test('a document is cut, broken or replaced by an error', async (t) => {
  const local = await start(t)
  for (const cutAfter of [1, 5]) t.is(await outcome(local, { cutAfter }, false), 'StreamInterrupted')
  t.is(await outcome(local, { malformedAfter: 1 }, false), 'InvalidResponse')
  t.is(await outcome(local, { endAfter: 0 }, false), 'InvalidResponse')
  t.is(await outcome(local, { errorAfter: 0 }, false), 'GatewayError')
})

const firstPiece = async (response: Response): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
  const reader = response.body?.getReader()
  if (reader === undefined) throw new Error('no body')
  await reader.read()
  return reader
}

test('work stops when the client leaves a slow stream', async (t) => {
  const local = await start(t)
  local.fault({ slowChunks: 200 })
  const leaving = new AbortController()
  await firstPiece(await post(local, { stream: true }, { signal: leaving.signal }))
  t.is(local.requests[0]?.outcome, 'pending')
  leaving.abort()
  await local.idle()
  t.is(local.requests[0]?.outcome, 'aborted')
  t.true((local.requests[0]?.chunks ?? 99) < 10)
})

test('work stops when the client leaves before the answer, or a stream that hangs', async (t) => {
  const local = await start(t)
  local.fault({ delay: 60_000, times: 1 })
  const leaving = new AbortController()
  const pending = post(local, {}, { signal: leaving.signal })
  const other = await post(local, { model: 'other' })
  t.is(other.status, 200)
  leaving.abort()
  await t.throwsAsync(pending, { any: true })
  await local.idle()
  t.is(local.requests[0]?.outcome, 'aborted')
  local.fault({ hangAfter: 2, times: 1 })
  const hanging = new AbortController()
  await firstPiece(await post(local, { stream: true }, { signal: hanging.signal }))
  hanging.abort()
  await local.idle()
  t.is(local.requests.at(-1)?.outcome, 'aborted')
  t.true((local.requests.at(-1)?.chunks ?? 99) <= 2)
})

test('a client that has left uses up no fault of a fallback model', async (t) => {
  const local = await start(t)
  local.fault({ model: 'gpt-4o-mini', delay: 60_000 })
  local.fault({ model: 'other', status: 503, times: 1 })
  const leaving = new AbortController()
  const pending = post(local, { fallback_models: ['other'] }, { signal: leaving.signal })
  t.is((await post(local, { model: 'third' })).status, 200)
  leaving.abort()
  await t.throwsAsync(pending, { any: true })
  await local.idle()
  t.deepEqual(await statuses(local, 2, { model: 'other' }), [503, 200])
})

test('a delay longer than a timer can be does not end at once', async (t) => {
  const local = await start(t)
  local.fault({ delay: 2 ** 31, times: 1 })
  const leaving = new AbortController()
  const pending = post(local, { model: 'delayed' }, { signal: leaving.signal })
  t.deepEqual(await statuses(local, 5, { model: 'other' }), Array(5).fill(200))
  leaving.abort()
  await t.throwsAsync(pending, { any: true })
  await local.idle()
  t.deepEqual(
    local.requests
      .filter(({ outcome }) => outcome === 'aborted')
      .map(({ body }) => Fields.is(body) && body.model),
    ['delayed'],
  )
})

test('a stream that a fault ends lets go of its upstream', async (t) => {
  const upstream = await start(t, { faults: [{ hangAfter: 3 }] })
  const local = await start(t, { upstream: { baseUrl: upstream.baseUrl }, faults: [{ endAfter: 2 }] })
  t.is((await (await post(local, { stream: true })).text()).split('\n\n').length, 3)
  await upstream.idle()
  t.is(upstream.requests[0]?.outcome, 'aborted')
})

test('a reader that is slow slows the work down', async (t) => {
  const local = await start(t)
  const leaving = new AbortController()
  const request = {
    stream: true,
    n: 100,
    messages: [{ role: 'user', content: 'Write 2000 words about rivers.' }],
  }
  await firstPiece(await post(local, request, { signal: leaving.signal }))
  // A whole answer comes in between; what the first reader doesn't take isn't made.
  await (await post(local)).text()
  t.true((local.requests[0]?.chunks ?? 0) < 200_000)
  t.is(local.requests[0]?.outcome, 'pending')
  leaving.abort()
  await local.idle()
})

test('ingest, prompts and embeddings have faults of their own', async (t) => {
  const local = await start(t, { prompts: { p: { messages: [{ role: 'user', content: 'x' }] } } })
  local.fault({ on: 'ingest', status: 413, times: 1 })
  local.fault({ on: 'prompts', status: 500, times: 1 })
  local.fault({ on: 'embeddings', status: 429, times: 1 })
  const spans = JSON.stringify([{ trace_unique_id: 'a', span_unique_id: 'b' }])
  const send = (): Promise<Response> =>
    fetch(`${local.baseUrl}/v1/traces/ingest`, { method: 'POST', body: spans })
  t.is((await send()).status, 413)
  t.is((await fetch(`${local.baseUrl}/prompts/p/`)).status, 500)
  t.is(
    (await fetch(`${local.baseUrl}/embeddings`, { method: 'POST', body: '{"model":"m","input":"x"}' }))
      .status,
    429,
  )
  t.deepEqual(await statuses(local, 1), [200])
  local.fault({ on: 'any', cutAfter: 0, times: 1 })
  await t.throwsAsync(send().then((response) => response.text()))
  t.is(local.spans().length, 1)
  t.is((await send()).status, 200)
})

test('a fault of one model strikes its embeddings, and no request without a model', async (t) => {
  const local = await start(t)
  local.fault({ on: 'any', model: 'text-embedding-3-small', status: 429 })
  const embed = async (model: string): Promise<number> =>
    (
      await fetch(`${local.baseUrl}/embeddings`, {
        method: 'POST',
        body: JSON.stringify({ model, input: 'x' }),
      })
    ).status
  t.is(await embed('text-embedding-3-small'), 429)
  t.is(await embed('text-embedding-3-large'), 200)
  t.is((await fetch(`${local.baseUrl}/prompts/`)).status, 200)
})
