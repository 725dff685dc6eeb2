import { LLMock } from '@copilotkit/aimock'
import test from 'ava'
import { filter, lastValueFrom, toArray } from 'rxjs'
import type { ChatRequest } from '../../dist/codecs/ChatRequest.js'
import { InvalidInput } from '../../dist/errors.js'
import { fromChat } from '../../dist/sources/fromChat.js'
import { openaiGateway } from '../../dist/sources/openaiGateway.js'
import { respanGateway } from '../../dist/sources/respanGateway.js'
import { inEnvironment } from '../helpers/inEnvironment.js'
import { sendEvents, sendJson, serve } from '../helpers/server.js'

// A developer's own environment must not decide what is tested here.
for (const name of ['RESPAN_API_KEY', 'RESPAN_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'])
  delete process.env[name]

const KEY = 'sk-canary-0123456789'
const ASK: ChatRequest = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] }
const RESPONSE = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
}

const urlOf = async (
  gateway: (fetch: typeof globalThis.fetch) => ReturnType<typeof openaiGateway>,
): Promise<unknown> => {
  const urls: Array<unknown> = []
  const fetch: typeof globalThis.fetch = async (input) => {
    urls.push(input)
    return Response.json(RESPONSE)
  }
  await lastValueFrom(gateway(fetch).chat(ASK))
  return urls[0]
}

test('asks OpenAI unless told otherwise, and keeps the path that it is told', async (t) => {
  t.is(
    await urlOf((fetch) => openaiGateway({ fetch, apiKey: KEY })),
    'https://api.openai.com/v1/chat/completions',
  )
  t.is(
    await urlOf((fetch) => openaiGateway({ fetch, baseUrl: 'http://localhost:11434/v1/' })),
    'http://localhost:11434/v1/chat/completions',
  )
  t.is(
    await urlOf((fetch) => openaiGateway({ fetch, baseUrl: 'http://localhost:4000' })),
    'http://localhost:4000/chat/completions',
  )
})

test.serial('takes its key and its address from the environment of OpenAI only', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const chat$ = openaiGateway().chat(ASK)
  inEnvironment(t, { RESPAN_API_KEY: 'of-respan', RESPAN_BASE_URL: 'http://127.0.0.1:1' })
  await t.throwsAsync(lastValueFrom(chat$), { name: 'MissingApiKey', message: /OPENAI_API_KEY/ })
  inEnvironment(t, { OPENAI_BASE_URL: `${server.url}/v1` })
  await lastValueFrom(chat$)
  inEnvironment(t, { OPENAI_API_KEY: KEY })
  await lastValueFrom(chat$)
  t.deepEqual(
    server.received.map(({ headers }) => headers.authorization),
    [undefined, `Bearer ${KEY}`],
  )
  t.is(server.received[0]?.path, '/v1/chat/completions')
})

test.serial('a host of the other platform gets the key of that platform from the environment', async (t) => {
  inEnvironment(t, { RESPAN_API_KEY: 'of-respan', OPENAI_API_KEY: 'of-openai' })
  const keys: Array<string | null> = []
  const fetch: typeof globalThis.fetch = async (_, init) => {
    keys.push(new Headers(init?.headers).get('authorization'))
    return Response.json(RESPONSE)
  }
  for (const baseUrl of ['https://api.respan.ai/api', 'https://api.openai.com/v1'])
    for (const gateway of [openaiGateway, respanGateway])
      await lastValueFrom(gateway({ baseUrl, fetch }).chat(ASK))
  t.deepEqual(keys, ['Bearer of-respan', 'Bearer of-respan', 'Bearer of-openai', 'Bearer of-openai'])
})

test('sends the request as it is', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  await lastValueFrom(openaiGateway({ baseUrl: server.url, apiKey: KEY }).chat(ASK))
  t.deepEqual(JSON.parse(server.received[0]?.body ?? ''), ASK)
})

test('says what it takes for an answer: JSON, and events where a stream is asked for', async (t) => {
  const server = await serve(t, (response) => sendJson(response, RESPONSE))
  const gateway = openaiGateway({ baseUrl: server.url, apiKey: KEY })
  await lastValueFrom(gateway.chat(ASK))
  await lastValueFrom(gateway.chat({ ...ASK, stream: true }))
  t.deepEqual(
    server.received.map(({ headers }) => headers.accept),
    ['application/json', 'text/event-stream, application/json'],
  )
})

test('reads streams whose content is a list of parts, and whose usage comes without a list of choices', async (t) => {
  const thinking = [
    {
      type: 'thinking',
      thinking: [
        { type: 'text', text: 'Hm' },
        { type: 'text', text: '.' },
      ],
    },
  ]
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  const chunks = [
    { choices: [{ index: 0, delta: { role: 'assistant', content: thinking } }] },
    {
      choices: [
        {
          index: 0,
          delta: {
            content: [
              { type: 'text', text: 'Hel' },
              { type: 'reference', ids: [1] },
            ],
          },
        },
      ],
    },
    { choices: [{ index: 0, delta: { content: 'lo' }, finish_reason: 'stop' }] },
    { choices: null, usage },
    { usage },
  ]
  const server = await serve(t, (response) =>
    sendEvents(response, ...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), 'data: [DONE]\n\n'),
  )
  const gateway = openaiGateway({ baseUrl: server.url, apiKey: KEY })
  const { reply } = await lastValueFrom(
    fromChat(gateway, { ...ASK, stream: true }).pipe(filter((event) => event._tag === 'ReplyFinished')),
  )
  t.deepEqual(reply.messages, [{ role: 'assistant', content: 'Hello', reasoning_content: 'Hm.' }])
  t.deepEqual(reply.meta[0]?.usage, usage)
})

test('what is no chunk after all is told by its path', async (t) => {
  for (const [chunk, path] of [
    [{ choices: null }, 'choices'],
    [{ choices: [{ delta: { content: 3 } }] }, 'choices[0].delta.content'],
    [{ choices: [{ delta: { content: [{ text: 'a' }], role: 3 } }] }, 'choices[0].delta.role'],
    [{ choices: [null] }, 'choices[0]'],
  ] as const) {
    const server = await serve(t, (response) => sendEvents(response, `data: ${JSON.stringify(chunk)}\n\n`))
    const gateway = openaiGateway({ baseUrl: server.url, apiKey: KEY })
    await t.throwsAsync(lastValueFrom(gateway.chat({ ...ASK, stream: true })), {
      name: 'InvalidResponse',
      message: new RegExp(`: ${path.replaceAll(/[[\]]/g, '\\$&')}: expected`, 'u'),
    })
  }
})

test('names itself and refuses wrong options when it is built', (t) => {
  t.like(openaiGateway(), { name: 'openai', kind: 'openai' })
  const error = t.throws(() => openaiGateway({ timeout: -1 }), { instanceOf: InvalidInput })
  t.true(error.message.startsWith('openaiGateway: timeout: '))
})

test('understands a server that nobody here wrote, streamed and whole', async (t) => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 3 })
  mock.onMessage('Hi', { content: 'Hello from somebody else.' })
  await mock.start()
  t.teardown(() => mock.stop())
  const { chat } = openaiGateway({ baseUrl: `${mock.url}/v1`, apiKey: KEY })
  const stream = await lastValueFrom(
    chat({ ...ASK, stream: true, stream_options: { include_usage: true } }).pipe(toArray()),
  )
  const chunks = stream.flatMap((event) => (event._tag === 'Chunk' ? [event.chunk] : []))
  t.is(chunks.map(({ choices }) => choices[0]?.delta?.content ?? '').join(''), 'Hello from somebody else.')
  t.true(chunks.some(({ choices }) => choices[0]?.finish_reason === 'stop'))
  t.true(chunks.some(({ usage }) => (usage?.completion_tokens ?? 0) > 0))
  const whole = await lastValueFrom(chat(ASK))
  t.is(whole._tag === 'Response' && whole.response.choices[0]?.message?.content, 'Hello from somebody else.')
})

test('reports the faults of a server that nobody here wrote', async (t) => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 3 })
  mock.onMessage('Hi', { content: 'Hello from somebody else.' })
  await mock.start()
  t.teardown(() => mock.stop())
  const ask = (chaos: string, stream: boolean) =>
    lastValueFrom(
      openaiGateway({
        baseUrl: `${mock.url}/v1`,
        apiKey: KEY,
        retry: { count: 0 },
        headers: { [`x-aimock-chaos-${chaos}`]: '1' },
      }).chat({ ...ASK, stream }),
    )
  await t.throwsAsync(ask('drop', true), { name: 'HttpError' })
  await t.throwsAsync(ask('malformed', false), { name: 'InvalidResponse' })
})
