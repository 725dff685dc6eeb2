// What is asked again, how long is waited, and what the trace says of it, through the generator.

import type { ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import {
  memorySink,
  type Reply,
  type ReplyEvent,
  type RetryPolicy,
  respanGenerate,
  respanTrace,
  withFallback,
} from 'respan-rx'
import { startLocal } from 'respan-rx/local'
import { firstValueFrom, lastValueFrom, type OperatorFunction, of } from 'rxjs'
import { commandTimers } from './helpers/commandTimers.js'
import { errorOf } from './helpers/errorOf.js'
import { event, sendEvents, sendJson, serve, type TestServer } from './helpers/server.js'

const model = 'm'

const RESPONSE = {
  model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
}
const TEXT = event({ model, choices: [{ index: 0, delta: { content: 'Hel' } }] })
const QUOTA = { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } }

type Answer = (response: ServerResponse) => unknown

const status =
  (code: number, headers: Record<string, string> = {}, body: unknown = {}): Answer =>
  (response) =>
    sendJson(response, body, { status: code, headers })

/** A server that answers in turn, the last answer for ever. */
const answering = (t: ExecutionContext, ...answers: ReadonlyArray<Answer>): Promise<TestServer> =>
  serve(t, (response, _, number) => answers[Math.min(number, answers.length) - 1]?.(response))

const well: Answer = (response) => sendJson(response, RESPONSE)

const AT_ONCE: RetryPolicy = { delay: 0 }

// ── which failures

const opened: Answer = (response) => {
  sendEvents(response)
  response.write(': connected\n\n', () => response.socket?.destroy())
}

const begun: Answer = (response) => {
  sendEvents(response)
  response.write(TEXT, () => response.socket?.destroy())
}

const FAILURES: ReadonlyArray<readonly [what: string, answer: Answer, requests: number, tag: string]> = [
  ...[408, 409, 500, 502, 503, 504, 529].map(
    (code) => [`HTTP ${code}`, status(code), 3, 'HttpError'] as const,
  ),
  ['HTTP 429', status(429), 3, 'RateLimited'],
  ['no answer at all', (response) => response.socket?.destroy(), 3, 'NetworkError'],
  ...[400, 401, 403, 404, 413, 422].map((code) => [`HTTP ${code}`, status(code), 1, 'HttpError'] as const),
  ['a quota that is used up', status(429, {}, QUOTA), 1, 'RateLimited'],
  ['an error object under status 200', (response) => sendJson(response, QUOTA), 1, 'GatewayError'],
  ['an answer that is none', (response) => sendJson(response, []), 1, 'InvalidResponse'],
  ['a stream that breaks before its first event', opened, 1, 'StreamInterrupted'],
  ['a stream that breaks after its first token', begun, 1, 'StreamInterrupted'],
]

for (const [what, answer, requests, tag] of FAILURES)
  test(`${what}: ${requests === 1 ? 'asked once' : 'asked three times in all'}`, async (t) => {
    const server = await answering(t, answer)
    const sink = memorySink()
    const ask = respanGenerate({ model, stream: true, baseUrl: server.url, retry: AT_ONCE })
    const error = await errorOf(lastValueFrom(of('Hi').pipe(ask, respanTrace('flow', { sink }))))
    t.is(error?._tag, tag)
    t.is(server.received.length, requests)
    // However often it was asked, it is one generation.
    const generations = sink.spans().filter(({ type }) => type === 'generation')
    t.is(generations.length, 1)
    t.is(generations[0]?.generation?.attempts, requests)
  })

test('the ids of an attempt that failed are not those of one without an answer', async (t) => {
  const server = await answering(
    t,
    status(500, { 'x-respan-log-id': 'log-1', 'x-request-id': 'req-1' }),
    (response) => response.socket?.destroy(),
  )
  const sink = memorySink()
  const ask = respanGenerate({ model, baseUrl: server.url, retry: { ...AT_ONCE, count: 1 } })
  const error = await errorOf(lastValueFrom(of('Hi').pipe(ask, respanTrace('flow', { sink }))))
  t.is(error?._tag, 'NetworkError')
  const [generation] = sink.spans().flatMap(({ generation }) => generation ?? [])
  t.like(generation, { attempts: 2, logId: undefined, requestId: undefined })
})

test.serial('a timeout of ours: asked once', async (t) => {
  const server = await answering(t, () => timers.tick(5_000))
  const timers = commandTimers(t)
  const ask = respanGenerate({ model, baseUrl: server.url, retry: AT_ONCE, timeout: 5_000 })
  const error = await errorOf(lastValueFrom(of('Hi').pipe(ask)))
  t.like(error, { _tag: 'Timeout', phase: 'headers', limit: 5_000 })
  t.is(server.received.length, 1)
})

// ── how long

const DATES = { date: 'Wed, 11 Mar 2026 08:00:00 GMT', 'retry-after': 'Wed, 11 Mar 2026 08:00:03 GMT' }

const WAITS: ReadonlyArray<
  readonly [what: string, answers: ReadonlyArray<Answer>, waits: ReadonlyArray<number>, retry?: RetryPolicy]
> = [
  ['as Retry-After says, in seconds', [status(429, { 'retry-after': '2' })], [2_000]],
  ['as Retry-After says, with a date', [status(503, DATES)], [3_000]],
  ['as retry-after-ms says', [status(429, { 'retry-after-ms': '120' })], [120]],
  ['as the body says', [status(429, {}, { detail: 'Rate limit exceeded', retry_after: 1.5 })], [1_500]],
  [
    'as the finest of them says',
    [status(429, { 'retry-after-ms': '10', 'retry-after': '2' }, { retry_after: 9 })],
    [10],
  ],
  ['beyond the cap when the server asks for it', [status(429, { 'retry-after': '30' })], [30_000]],
  // Half of 500 and of 1000: the random number of these tests is a half.
  ['a random part of half a second, then of one', [status(500), status(500)], [250, 500]],
  [
    'a random part of what doubles up to the cap',
    [status(500), status(500), status(500), status(500)],
    [500, 1_000, 1_500, 1_500],
    { count: 4, delay: 1_000, maxDelay: 3_000 },
  ],
]

for (const [what, answers, waits, retry] of WAITS)
  test.serial(`waits ${what}`, async (t) => {
    const { random } = Math
    Math.random = () => 0.5
    t.teardown(() => {
      Math.random = random
    })
    const server = await answering(t, ...answers, well)
    const { tick, pending } = commandTimers(t)
    const sink = memorySink()
    const ask = respanGenerate({
      model,
      baseUrl: server.url,
      timeout: Number.POSITIVE_INFINITY,
      ...(retry === undefined ? {} : { retry }),
    })
    const running = lastValueFrom(of('Hi').pipe(ask, respanTrace('flow', { sink })))
    for (const wait of waits) {
      // The body of an error has a timer, too, until it is read.
      while (!pending().includes(wait)) await new Promise(setImmediate)
      t.deepEqual(pending(), [wait])
      tick(wait)
      t.deepEqual(pending(), [])
    }
    t.deepEqual((await running).replies, ['Hello'])
    t.is(server.received.length, waits.length + 1)
    t.is(sink.spans()[0]?.generation?.attempts, waits.length + 1)
  })

test('a wait that would pass the deadline is not begun', async (t) => {
  const server = await answering(t, status(429, { 'retry-after': '30' }))
  const ask = respanGenerate({ model, baseUrl: server.url, retry: { deadline: 20_000 } })
  const error = await errorOf(lastValueFrom(of('Hi').pipe(ask)))
  t.like(error, { _tag: 'RateLimited', retryAfter: 30_000 })
  t.is(server.received.length, 1)
})

test('leaving while it waits ends the wait, and the span says so', async (t) => {
  const server = await answering(t, (response) => {
    response.on('finish', () => setImmediate(() => setImmediate(() => subscription.unsubscribe())))
    status(503, { 'retry-after': '50' })(response)
  })
  const sink = memorySink()
  let left: () => void = () => undefined
  const gone = new Promise<void>((resolve) => {
    left = resolve
  })
  const ask = respanGenerate({ model, baseUrl: server.url })
  const subscription = of('Hi').pipe(ask, respanTrace('flow', { sink })).subscribe()
  subscription.add(left)
  await gone
  t.is(server.received.length, 1)
  t.like(sink.spans()[0], { status: 'cancelled', generation: { attempts: 1 } })
})

// ── attempts in the trace, and a fallback after them

test('the attempts reach the platform, with the status in the end', async (t) => {
  const local = await startLocal()
  t.teardown(local.close)
  const run = async (times: number): Promise<void> => {
    const settled = local.fault({ status: 503, retryAfter: 0, times })
    const ask = respanGenerate({ model, gateway: local.gateway })
    await errorOf(firstValueFrom(of('Hi').pipe(ask, respanTrace('flow', { sink: local.sink }))))
    settled()
  }
  await run(2)
  await run(3)
  await local.sink.flush()
  t.deepEqual(
    local
      .spans()
      .filter(({ log_type }) => log_type === 'chat')
      .map(({ status_code, metadata }) => [status_code, metadata?.attempts]),
    [
      [200, 3],
      [503, 3],
    ],
  )
})

test('a fallback comes after the last attempt, and both are spans of their own', async (t) => {
  const local = await startLocal({ faults: [{ status: 503, retryAfter: 0, model: 'first' }] })
  t.teardown(local.close)
  const sink = memorySink()
  const by = (name: string): OperatorFunction<string, Reply> =>
    respanGenerate({ model: name, gateway: local.gateway, name })
  await lastValueFrom(of('Hi').pipe(withFallback(by('first'), by('second')), respanTrace('flow', { sink })))
  t.deepEqual(
    sink.spans().map(({ name, status: ended, generation }) => [name, ended, generation?.attempts]),
    [
      ['first', 'error', 3],
      ['second', 'ok', 1],
      ['flow', 'ok', undefined],
    ],
  )
})

test('a fallback is for what its predicate names, and never after the first token', async (t) => {
  const local = await startLocal({
    faults: [
      { cutAfter: 3, model: 'cut' },
      { status: 404, model: 'gone' },
    ],
  })
  t.teardown(local.close)
  const by = (name: string): OperatorFunction<string, ReplyEvent> =>
    respanGenerate({ model: name, gateway: local.gateway, stream: true })
  const second = by('second')
  const run = (name: string, options = {}) =>
    errorOf(lastValueFrom(of('Tell me about tea.').pipe(withFallback(by(name), second, options))))
  t.is(await run('gone'), undefined)
  t.is((await run('gone', { when: () => false }))?._tag, 'HttpError')
  t.is((await run('cut'))?._tag, 'StreamInterrupted')
})
