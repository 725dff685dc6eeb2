// Our generators against a server that nobody here wrote.

import { LLMock } from '@copilotkit/aimock'
import test, { type ExecutionContext } from 'ava'
import {
  type ChatParams,
  type GenerateInput,
  memorySink,
  openaiGenerate,
  type Reply,
  respanGenerate,
  respanTrace,
  StreamInterrupted,
  tokens,
  toolResult,
  user,
  wholeReply,
} from 'respan-rx'
import { lastValueFrom, of, toArray } from 'rxjs'
import { errorOf } from '../helpers/errorOf.js'

type Response = Parameters<LLMock['onMessage']>[1]

const TEXT = 'Tea is an infusion of leaves, drunk everywhere.'

const start = async (
  t: ExecutionContext,
  response: Response = { content: TEXT },
  more?: Parameters<LLMock['onMessage']>[2],
): Promise<LLMock> => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 4, logLevel: 'silent' })
  mock.onMessage('tea', response, more)
  await mock.start()
  t.teardown(() => mock.stop())
  return mock
}

interface Asking {
  readonly params?: ChatParams
  readonly headers?: Readonly<Record<string, string>>
  readonly retry?: { readonly count?: number; readonly delay?: number }
}

const model = 'gpt-4o-mini'

/** The reply by either generator, whole or put together of its stream. */
const ask = (
  { url }: LLMock,
  by: 'respan' | 'openai',
  stream: boolean,
  { retry = { count: 0 }, ...more }: Asking = {},
  input: GenerateInput = 'Tell me about tea.',
): Promise<Reply> => {
  const generate = by === 'respan' ? respanGenerate : openaiGenerate
  const options = { model, baseUrl: `${url}/v1`, apiKey: 'mock', retry, ...more }
  const input$ = of(input)
  return lastValueFrom(
    stream
      ? input$.pipe(generate({ ...options, stream: true }), wholeReply())
      : input$.pipe(generate(options)),
  )
}

const WAYS = [
  ['respan', 'whole', false],
  ['respan', 'streamed', true],
  ['openai', 'whole', false],
  ['openai', 'streamed', true],
] as const

const TOOL = { type: 'function', function: { name: 'get_weather' } } as const

for (const [by, way, stream] of WAYS) {
  test(`text, model and usage, ${way}, ${by}`, async (t) => {
    const usage = { prompt_tokens: 11, completion_tokens: 12, total_tokens: 23 }
    const mock = await start(t, { content: TEXT, model: 'gpt-4o-mini-2024-07-18', usage })
    const { replies, meta } = await ask(mock, by, stream)
    t.deepEqual(replies, [TEXT])
    t.like(meta[0], { model: 'gpt-4o-mini-2024-07-18', finish_reason: 'stop', usage })
    t.is(typeof meta[0]?.requestId, 'string')
  })

  test(`tool calls, and an answer to their results, ${way}, ${by}`, async (t) => {
    const mock = await start(t, {
      toolCalls: [
        { name: 'get_weather', arguments: '{"city":"Paris"}', id: 'call_a' },
        { name: 'get_weather', arguments: '{"city":"Oslo"}', id: 'call_b' },
      ],
    })
    mock.prependFixture({ match: { toolCallId: 'call_b' }, response: { content: 'It rains on the tea.' } })
    const question = user('Is there tea?')
    const { messages, meta, replies } = await ask(mock, by, stream, { params: { tools: [TOOL] } }, [question])
    t.is(meta[0]?.finish_reason, 'tool_calls')
    t.deepEqual(replies, [''])
    const [message] = messages
    t.deepEqual(
      message?.role === 'assistant'
        ? message.tool_calls?.map(({ id, function: fn }) => [id, fn.name, JSON.parse(fn.arguments)])
        : undefined,
      [
        ['call_a', 'get_weather', { city: 'Paris' }],
        ['call_b', 'get_weather', { city: 'Oslo' }],
      ],
    )
    const results = [toolResult('call_a', 'rain'), toolResult('call_b', 'rain')]
    const answer = await ask(mock, by, stream, {}, [question, ...messages, ...results])
    t.deepEqual(answer.replies, ['It rains on the tea.'])
  })

  test(`reasoning, and another finish reason, ${way}, ${by}`, async (t) => {
    const mock = await start(t, { content: TEXT, reasoning: 'Hm, tea.', finishReason: 'length' })
    const { messages, meta } = await ask(mock, by, stream)
    t.like(messages[0], { content: TEXT, reasoning_content: 'Hm, tea.' })
    t.is(meta[0]?.finish_reason, 'length')
  })

  test(`chaos: an error, ${way}, ${by}`, async (t) => {
    const mock = await start(t)
    const headers = { 'x-aimock-chaos-drop': '1' }
    t.like(await errorOf(ask(mock, by, stream, { headers })), { _tag: 'HttpError', status: 500 })
    await errorOf(ask(mock, by, stream, { headers, retry: { delay: 0 } }))
    t.is(mock.getRequests().length, 4)
  })

  test(`chaos: malformed JSON, ${way}, ${by}`, async (t) => {
    const mock = await start(t)
    const headers = { 'x-aimock-chaos-malformed': '1' }
    t.like(await errorOf(ask(mock, by, stream, { headers })), { _tag: 'InvalidResponse', expected: 'JSON' })
  })

  test(`chaos: a limit, with the time to wait, ${way}, ${by}`, async (t) => {
    const mock = await start(t)
    const headers = { 'x-aimock-chaos-ratelimit': '1' }
    t.like(await errorOf(ask(mock, by, stream, { headers })), { _tag: 'RateLimited', retryAfter: 1_000 })
  })

  test(`chaos: a disconnection before the answer, ${way}, ${by}`, async (t) => {
    const mock = await start(t)
    const headers = { 'x-aimock-chaos-disconnect': '1' }
    t.is((await errorOf(ask(mock, by, stream, { headers })))?._tag, 'NetworkError')
    await errorOf(ask(mock, by, stream, { headers, retry: { delay: 0 } }))
    t.is(mock.getRequests().length, 4)
  })

  test(`a refusal by status, in the provider's words, ${way}, ${by}`, async (t) => {
    const mock = await start(t, {
      error: { message: 'No tea left', type: 'invalid_request_error', code: 'no_tea' },
      status: 400,
    })
    const error = await errorOf(ask(mock, by, stream))
    t.like(error, { _tag: 'HttpError', status: 400, code: 'no_tea' })
    t.true(error?.message.includes('No tea left'))
  })

  test(`one error, then an answer, ${way}, ${by}`, async (t) => {
    const mock = await start(t)
    mock.nextRequestError(503, { message: 'Busy' })
    const { replies } = await ask(mock, by, stream, { retry: { delay: 0 } })
    t.deepEqual(replies, [TEXT])
    t.is(mock.getRequests().length, 2)
  })
}

for (const by of ['respan', 'openai'] as const)
  test(`a disconnection in the middle of a stream, ${by}`, async (t) => {
    const mock = await start(t, { content: TEXT }, { truncateAfterChunks: 4, latency: 50 })
    const error = await t.throwsAsync<StreamInterrupted>(ask(mock, by, true, { retry: { delay: 0 } }), {
      instanceOf: StreamInterrupted,
    })
    const partial = error?.partial?.replies[0] ?? ''
    t.true(partial.length > 0 && TEXT.startsWith(partial))
    t.is(mock.getRequests().length, 1)
  })

test('the tokens as they come, in a trace that adds them up', async (t) => {
  const { url } = await start(t)
  const sink = memorySink()
  const pieces = await lastValueFrom(
    of('Tell me about tea.').pipe(
      openaiGenerate({ model, baseUrl: `${url}/v1`, stream: true }),
      tokens(),
      respanTrace('tea', { sink }),
      toArray(),
    ),
  )
  t.true(pieces.length > 5)
  t.is(pieces.join(''), TEXT)
  const [generation, root] = sink.spans()
  t.like(generation, { status: 'ok', generation: { usageSource: 'reported', finishReasons: ['stop'] } })
  t.is(root?.output, TEXT)
})

test('JSON, when it is asked for', async (t) => {
  const mock = await start(t)
  mock.onJsonOutput('book', { title: 'Tea' })
  const params: ChatParams = { response_format: { type: 'json_object' } }
  for (const [by, , stream] of WAYS) {
    const { replies } = await ask(mock, by, stream, { params }, 'A book as json, please')
    t.deepEqual(JSON.parse(replies[0] ?? ''), { title: 'Tea' })
  }
})
