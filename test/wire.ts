// The chat contract from the generator to a gateway that speaks it, and back.

import test, { type ExecutionContext } from 'ava'
import {
  Aborted,
  ChatParams,
  GatewayError,
  type GenerateInput,
  HttpError,
  InvalidInput,
  memorySink,
  type PromptInput,
  type PromptSettings,
  type Reply,
  type ReplyEvent,
  respanGenerate,
  respanTrace,
  StreamInterrupted,
  user,
  wholeReply,
} from 'respan-rx'
import { type Local, type LocalOptions, type LocalPrompt, startLocal } from 'respan-rx/local'
import { lastValueFrom, of, tap, toArray } from 'rxjs'
import { anything } from './helpers/anything.js'
import { fixture } from './helpers/fixture.js'
import { sendEvents, sendJson, serve } from './helpers/server.js'

const model = 'gpt-4o-mini'

const start = async (t: ExecutionContext, options: LocalOptions = {}): Promise<Local> => {
  const local = await startLocal(options)
  t.teardown(local.close)
  return local
}

type Options = Partial<
  Omit<Parameters<typeof respanGenerate>[0], 'gateway' | 'stream' | 'promptId' | 'variables'>
>

/** The reply, whole or put together of its stream: nobody should see a difference. */
const ask = (
  local: Pick<Local, 'baseUrl'>,
  input: GenerateInput,
  options: Options = {},
  stream = false,
): Promise<Reply> => {
  const all = anything<{ model: string }>({ model, baseUrl: local.baseUrl, retry: { count: 0 }, ...options })
  return lastValueFrom(
    stream
      ? of(input).pipe(respanGenerate({ ...all, stream: true }), wholeReply())
      : of(input).pipe(respanGenerate(all)),
  )
}

const bodyOf = ({ requests }: Local): unknown => requests.at(-1)?.body

const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const

/** Both ways to get a reply. */
const WAYS = [
  ['whole', false],
  ['streamed', true],
] as const

// ── Respan parameters

const BASE64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')

test('parameters of the top level win over respan_params, which win over the header', async (t) => {
  const local = await start(t)
  const { breakdown } = await ask(local, 'Say yes', {
    attributes: { request_breakdown: true, customer_identifier: 'top', metadata: { from: 'top' } },
    extraBody: {
      respan_params: {
        customer_identifier: 'nested',
        thread_identifier: 'nested',
        metadata: { more: 'nested' },
      },
    },
    headers: {
      'X-Data-Respan-Params': BASE64({
        customer_identifier: 'header',
        thread_identifier: 'header',
        custom_identifier: 'Zoë ☕',
        metadata: { even: 'more' },
      }),
    },
  })
  t.like(breakdown?.full_request, {
    customer_identifier: 'top',
    thread_identifier: 'nested',
    custom_identifier: 'Zoë ☕',
    metadata: { from: 'top' },
  })
})

test('the sample of nested parameters arrives as it is', async (t) => {
  const local = await start(t)
  const {
    model: _,
    messages,
    respan_params,
    ...attributes
  } = JSON.parse(fixture('chat.request.nested-params.json'))
  const { 'X-Data-Respan-Params': header } = JSON.parse(fixture('chat.request.nested-params.headers.json'))
  const { breakdown } = await ask(local, messages, {
    attributes: { ...attributes, request_breakdown: true },
    extraBody: { respan_params },
    headers: { 'X-Data-Respan-Params': header },
  })
  t.like(breakdown?.full_request, {
    customer_identifier: 'wins-top-level',
    thread_identifier: 'wins-over-header',
    group_identifier: 'only-in-header',
    metadata: { source: 'nested' },
  })
})

test('every field of the full sample arrives as it was given', async (t) => {
  const local = await start(t)
  const request = JSON.parse(fixture('chat.request.full.json'))
  const { model: asked, messages, stream, stream_options, ...fields } = request
  const known = new Set([...Object.keys(fields)].filter((key) => isParam(key)))
  const pick = (wanted: boolean) =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => known.has(key) === wanted))
  await ask(
    local,
    messages,
    { model: asked, params: pick(true), attributes: pick(false) },
    stream === true && stream_options.include_usage,
  )
  t.deepEqual(bodyOf(local), request)
})

/** Refuses a wrong value, so it knows the field. */
const isParam = (key: string): boolean => !ChatParams.is({ [key]: Symbol('of no type') })

test('the provider is pinned, and beta features are asked for, by header', async (t) => {
  const local = await start(t)
  const headers = {
    'X-Respan-Route-Provider': 'vertex_ai',
    'X-Respan-Beta': 'token-breakdown-2026-03-26,env-scoped-integrations-2026-03-28',
  }
  for (const [, stream] of WAYS) await ask(local, 'Hi', { headers }, stream)
  for (const request of local.requests)
    t.like(request.headers, {
      'x-respan-route-provider': 'vertex_ai',
      'x-respan-beta': 'token-breakdown-2026-03-26,env-scoped-integrations-2026-03-28',
    })
})

for (const field of ['field_name', 'delimiter', 'mock_response', 'is_log_omitted'])
  test(`${field} is refused, wherever it stands`, async (t) => {
    const local = await start(t)
    const bad = { [field]: '---' }
    const path = (build: () => unknown) => t.throws(build, { instanceOf: InvalidInput })?.path
    for (const [options, where] of [
      [{ attributes: bad }, `attributes.${field}`],
      [{ extraBody: bad }, `extraBody.${field}`],
      [{ extraBody: { respan_params: bad } }, `extraBody.respan_params.${field}`],
      [{ extraBody: { keywordsai_params: bad } }, `extraBody.keywordsai_params.${field}`],
    ] as const)
      t.is(
        path(() => respanGenerate({ model, ...anything<object>(options) })),
        where,
      )
    for (const [options, item, where] of [
      [{ attributes: () => bad }, 'Hi', `attributes.${field}`],
      [{}, { prompt: 'Hi', attributes: bad }, `attributes.${field}`],
    ] as const) {
      const error = await t.throwsAsync<InvalidInput>(ask(local, anything(item), anything(options)))
      t.like(error, { _tag: 'InvalidInput', path: where })
    }
    t.is(local.requests.length, 0)
  })

// ── messages

test('messages of several parts arrive as they were given: texts, images, audio, files, and what is yet to come', async (t) => {
  const local = await start(t)
  const messages = [
    { role: 'system', content: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }] },
    {
      role: 'user',
      name: 'ada',
      content: [
        { type: 'text', text: 'What is in these?' },
        { type: 'image_url', image_url: { url: 'https://example.org/a.png', detail: 'low' } },
        { type: 'image_url', image_url: 'data:image/png;base64,AAAA' },
        { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
        { type: 'file', file: { file_id: 'file-1' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
        { type: 'input_file', file_id: 'file-2' },
        { type: 'hologram', hologram: { depth: 3 }, note: null },
      ],
    },
    {
      role: 'assistant',
      content: null,
      reasoning_content: 'Hm.',
      thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 's' }],
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
        { id: 'b', type: 'function', function: { name: 'look', arguments: '{not json' } },
      ],
    },
    { role: 'tool', tool_call_id: 'a', content: 'a cat' },
    { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'an error' }] },
    { role: 'developer', content: 'Now answer.' },
    { role: 'user', content: 'Please.' },
  ]
  for (const [, stream] of WAYS) {
    await ask(local, anything(messages), {}, stream)
    t.like(bodyOf(local), { messages })
  }
})

for (const [way, stream] of WAYS) {
  test(`several tool calls at once, ${way}`, async (t) => {
    const local = await start(t)
    const { messages, replies, meta } = await ask(
      local,
      'What is the weather in Paris and Oslo?',
      { params: { tools: [WEATHER], parallel_tool_calls: true } },
      stream,
    )
    const [message] = messages
    const calls = message?.role === 'assistant' ? (message.tool_calls ?? []) : []
    t.deepEqual(
      calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
      [
        ['get_weather', { city: 'Paris' }],
        ['get_weather', { city: 'Oslo' }],
      ],
    )
    t.is(new Set(calls.map(({ id }) => id)).size, 2)
    t.is(meta[0]?.finish_reason, 'tool_calls')
    t.deepEqual(replies, [''])
  })

  test(`several choices, with one usage for all, ${way}`, async (t) => {
    const local = await start(t)
    const { replies, meta } = await ask(local, 'Tell me about tea.', { params: { n: 3 } }, stream)
    t.is(new Set(replies).size, 3)
    t.deepEqual(
      meta.map(({ index, finish_reason, usage }) => [index, finish_reason, usage !== undefined]),
      [
        [0, 'stop', true],
        [1, 'stop', false],
        [2, 'stop', false],
      ],
    )
  })

  test(`more choices asked for than a provider gives, ${way}`, async (t) => {
    const server = await serve(t, (response) => sendJson(response, JSON.parse(fixture('chat.response.json'))))
    const { replies } = await ask({ baseUrl: server.url }, 'Hi', { params: { n: 3 } }, stream)
    t.is(replies.length, 1)
  })

  test(`reasoning, ${way}`, async (t) => {
    const local = await start(t)
    const { replies, messages, meta } = await ask(
      local,
      'Tell me about tea.',
      { params: { reasoning_effort: 'low' } },
      stream,
    )
    const [message] = messages
    const reasoning = message?.role === 'assistant' ? message.reasoning_content : undefined
    t.regex(reasoning ?? '', /tea/)
    t.false((replies[0] ?? '').includes(reasoning ?? 'none'))
    t.true(Number(meta[0]?.usage?.completion_tokens_details?.reasoning_tokens) > 0)
  })

  test(`log probabilities, one for each token, ${way}`, async (t) => {
    const local = await start(t)
    const { replies, meta } = await ask(
      local,
      'Tell me about tea.',
      { params: { logprobs: true, top_logprobs: 2 } },
      stream,
    )
    const tokens = meta[0]?.logprobs?.content ?? []
    t.true(tokens.length > 10)
    t.is(tokens.map(({ token }) => token).join(''), replies[0] ?? '')
    t.true(
      tokens.every(({ logprob, top_logprobs }) => (logprob ?? 1) <= 0 && (top_logprobs?.length ?? 0) > 0),
    )
  })

  test(`JSON by a schema, and JSON of any kind, ${way}`, async (t) => {
    const local = await start(t)
    const schema = {
      type: 'object',
      properties: { title: { type: 'string' }, size: { type: 'integer', minimum: 3, maximum: 9 } },
      required: ['title', 'size'],
    }
    const bySchema = await ask(
      local,
      'A book about tea',
      {
        params: {
          response_format: { type: 'json_schema', json_schema: { name: 'book', schema, strict: true } },
        },
      },
      stream,
    )
    t.deepEqual(Object.keys(JSON.parse(bySchema.replies[0] ?? '')), ['title', 'size'])
    const any = await ask(
      local,
      'Some json about tea',
      { params: { response_format: { type: 'json_object' } } },
      stream,
    )
    t.is(typeof JSON.parse(any.replies[0] ?? ''), 'object')
  })

  test(`stop marks, a limit of tokens, and a seed, ${way}`, async (t) => {
    const local = await start(t)
    const say = async (params: ChatParams, prompt = 'Say red, green, blue'): Promise<Reply> =>
      ask(local, prompt, { params }, stream)
    t.deepEqual((await say({ stop: [','] })).replies, ['red'])
    t.like(await say({ max_tokens: 2 }), { meta: [{ finish_reason: 'length' }] })
    const about = async (seed: number) => (await say({ seed }, 'Tell me about tea.')).replies
    t.deepEqual(await about(1), await about(1))
    t.notDeepEqual(await about(1), await about(2))
  })

  test(`a refusal, ${way}`, async (t) => {
    const server = await serve(t, (response) =>
      stream
        ? sendEvents(response, fixture('chat.stream.refusal.sse'))
        : sendJson(response, JSON.parse(fixture('chat.response.refusal.json'))),
    )
    const { replies, messages } = await ask({ baseUrl: server.url }, 'Hi', {}, stream)
    t.deepEqual(replies, [''])
    const [message] = messages
    t.true(message?.role === 'assistant' && (message.refusal ?? '') !== '')
  })

  test(`a breakdown tells the cost, and overwrites nothing, ${way}`, async (t) => {
    const local = await start(t)
    const options = { attributes: { request_breakdown: true }, params: { max_tokens: 3 } }
    const { meta, breakdown, replies } = await ask(local, 'Tell me about tea.', options, stream)
    const plain = await ask(local, 'Tell me about tea.', { params: { max_tokens: 3 } }, stream)
    t.deepEqual(replies, plain.replies)
    t.like(meta[0], { finish_reason: 'length', model: plain.meta[0]?.model, usage: plain.meta[0]?.usage })
    t.true(Number(meta[0]?.cost) > 0)
    t.is(meta[0]?.cost, breakdown?.cost ?? undefined)
    t.like(breakdown, { status_code: 200, cached: false, stream })
    t.false('cost' in (plain.meta[0] ?? {}))
  })

  test(`the ids of log and request, in each meta and in each error, ${way}`, async (t) => {
    const local = await start(t)
    const { meta } = await ask(local, 'Hi', { params: { n: 2 } }, stream)
    for (const one of meta) {
      t.is(one.logId, local.requests[0]?.logId)
      t.regex(one.requestId ?? '', /^[\da-f-]{36}$/)
    }
    const refused = local.fault({ status: 500 })
    const error = await t.throwsAsync<HttpError>(ask(local, 'Hi', {}, stream), { instanceOf: HttpError })
    refused()
    t.is(error?.logId, local.requests[1]?.logId)
    t.regex(error?.requestId ?? '', /^[\da-f-]{36}$/)
    local.fault(stream ? { endAfter: 3 } : { cutAfter: 1 })
    const cut = await t.throwsAsync<StreamInterrupted>(ask(local, 'Hi', {}, stream), {
      instanceOf: StreamInterrupted,
    })
    t.is(cut?.logId, local.requests[2]?.logId)
    t.regex(cut?.requestId ?? '', /^[\da-f-]{36}$/)
  })
}

test('an error inside a stream has the ids, too', async (t) => {
  const local = await start(t, { faults: [{ errorAfter: 3 }] })
  const error = await t.throwsAsync<GatewayError>(ask(local, 'Tell me about tea.', {}, true), {
    instanceOf: GatewayError,
  })
  t.is(error?.logId, local.requests[0]?.logId)
  t.true((error?.partial?.replies[0] ?? '') !== '')
})

test('an answer that is aborted has the ids, too', async (t) => {
  const local = await start(t, { faults: [{ hangAfter: 3 }] })
  const controller = new AbortController()
  const stream$ = of('Tell me about tea.').pipe(
    respanGenerate({ model, baseUrl: local.baseUrl, signal: controller.signal, stream: true }),
    tap(({ _tag }) => _tag === 'TextDelta' && controller.abort()),
  )
  const error = await t.throwsAsync<Aborted>(lastValueFrom(stream$), { instanceOf: Aborted })
  t.is(error?.logId, local.requests[0]?.logId)
  t.regex(error?.requestId ?? '', /^[\da-f-]{36}$/)
})

// ── prompts

const translator: LocalPrompt = {
  deployed: 2,
  versions: [
    { messages: [user('Say one')], model: 'gpt-4o' },
    {
      messages: [{ role: 'system', content: 'Translate into {{language}}.' }, user('{{user_input}}')],
      model,
      variables: { language: 'French', user_input: '' },
      params: { temperature: 0.2, max_tokens: 300 },
    },
    { messages: [user('Say draft')], model: 'gpt-4o' },
  ],
}

const PROMPTS = { translator, other: { messages: [user('Say {{word}}')], model } }

const ECHO = { attributes: { request_breakdown: true } }

/** The reply to a stored prompt, and the request as the gateway understood it. */
const askPrompt = async (
  local: Local,
  input: PromptInput,
  prompt: PromptSettings = {},
  options: object = {},
): Promise<{ readonly reply: Reply; readonly request: unknown }> => {
  const reply = await lastValueFrom(
    of(input).pipe(
      respanGenerate({ promptId: 'translator', gateway: local.gateway, prompt, ...ECHO, ...options }),
    ),
  )
  return { reply, request: reply.breakdown?.full_request }
}

const SYSTEM = { role: 'system', content: 'Translate into French.' }
const THE_CAT = { variables: { user_input: 'The cat' } }

test('schema 2: the stored prompt wins, params are its patch, and messages follow it', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const { reply, request } = await askPrompt(
    local,
    { ...THE_CAT, messages: [user('And the dog')], params: { max_tokens: 2 } },
    { echo: true },
    { model: 'gpt-4o', params: { temperature: 1, max_tokens: 9 } },
  )
  t.deepEqual<unknown, unknown>(reply.promptMessages, [SYSTEM, user('The cat'), user('And the dog')])
  t.like(reply.meta[0], { model: 'gpt-4o-mini-2024-07-18', finish_reason: 'length' })
  t.like(request, { temperature: 1, max_tokens: 2 })
})

test('schema 2: a patch of its own goes over the params, and may hold no messages', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const patched = await askPrompt(local, THE_CAT, { patch: { max_tokens: 3 } }, { params: { max_tokens: 9 } })
  t.like(patched.request, { temperature: 0.2, max_tokens: 3 })
  const error = await t.throwsAsync<InvalidInput>(
    askPrompt(local, THE_CAT, { patch: { messages: [user('x')] } }),
  )
  t.like(error, { _tag: 'InvalidInput' })
  t.regex(error?.path ?? '', /^prompt/)
  t.is(local.requests.length, 1)
})

for (const field of ['field_name', 'delimiter', 'mock_response', 'is_log_omitted'])
  test(`no part of a request changes how it is answered on the wire: ${field}`, async (t) => {
    const local = await start(t, { prompts: PROMPTS })
    const params = anything<ChatParams>({ [field]: 'x' })
    for (const send of [
      () => askPrompt(local, THE_CAT, { patch: params }),
      () => askPrompt(local, THE_CAT, { schema_version: 1, override_params: params }),
      () => askPrompt(local, THE_CAT, {}, { params }),
      () => askPrompt(local, { ...THE_CAT, params }, {}),
      () => ask(local, 'Say yes', { params }),
      () => ask(local, 'Say yes', { extraBody: params }),
    ])
      t.like(await t.throwsAsync<InvalidInput>(async () => send()), { _tag: 'InvalidInput' })
    t.is(local.requests.length, 0)
  })

test('schema 1: the stored prompt wins over the request, and override_params over the prompt', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const v1 = { schema_version: 1, echo: true } as const
  const plain = await askPrompt(local, { ...THE_CAT, messages: [user('Say mine')] }, v1, { model: 'gpt-4o' })
  t.deepEqual<unknown, unknown>(plain.reply.promptMessages, [SYSTEM, user('The cat')])
  t.is(plain.reply.meta[0]?.model, 'gpt-4o-mini-2024-07-18')
  const over = await askPrompt(
    local,
    THE_CAT,
    { ...v1, override_params: { max_tokens: 5, model: 'gpt-4o', messages: [user('Say over')] } },
    { params: { max_tokens: 9, top_p: 0.5 } },
  )
  t.deepEqual<unknown, unknown>(over.reply.promptMessages, [user('Say over')])
  t.is(over.reply.meta[0]?.model, 'gpt-4o-2024-08-06')
  t.like(over.request, { temperature: 0.2, max_tokens: 5, top_p: 0.5 })
  const appended = await askPrompt(local, THE_CAT, {
    ...v1,
    override_params: { messages: [user('And be brief.')] },
    override_config: { messages_override_mode: 'append' },
  })
  t.deepEqual<unknown, unknown>(appended.reply.promptMessages, [
    SYSTEM,
    user('The cat'),
    user('And be brief.'),
  ])
})

test('schema 1: without override the request wins over the stored prompt', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const { reply } = await askPrompt(
    local,
    { ...THE_CAT, messages: [user('Say mine')] },
    { schema_version: 1, override: false },
    { model: 'gpt-4o' },
  )
  t.deepEqual(reply.replies, ['mine'])
  t.is(reply.meta[0]?.model, 'gpt-4o-2024-08-06')
})

test('a version is the deployed one unless a number or the latest is asked for', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const said = async (prompt: PromptSettings) => (await askPrompt(local, THE_CAT, prompt)).reply.replies[0]
  t.is(await said({ version: 1 }), 'one')
  t.is(await said({ version: 'latest' }), 'draft')
  t.false(['one', 'draft'].includes((await said({})) ?? ''))
  await t.throwsAsync(said({ version: 9 }), { name: 'HttpError' })
})

test('the rendered messages come back only when they are asked for', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const echoed = async (prompt: PromptSettings) =>
    (await askPrompt(local, THE_CAT, prompt)).reply.promptMessages !== undefined
  t.false(await echoed({}))
  t.false(await echoed({ schema_version: 1 }))
  t.true(await echoed({ echo: true }))
  t.true(await echoed({ schema_version: 1, echo: true }))
})

test('rendered messages may have null wherever nothing was said', async (t) => {
  const image = { type: 'image_url', image_url: { url: 'https://example.org/a.png', detail: null } }
  const text = { type: 'text', text: 'What is it?', cache_control: null }
  const rendered = { role: 'user', content: [text, image], name: null, tool_calls: null, refusal: null }
  const answer = { ...JSON.parse(fixture('chat.response.json')), prompt_message: [rendered] }
  const server = await serve(t, (response) => sendJson(response, answer))
  const { replies, promptMessages } = await ask({ baseUrl: server.url }, 'Hi')
  t.is(replies.length, 1)
  t.deepEqual<unknown, unknown>(promptMessages, [rendered])
})

test('an image is sent and received in a detail that is yet to come', async (t) => {
  const messages = [
    user([{ type: 'image_url', image_url: { url: 'https://example.org/a.png', detail: 'original' } }]),
  ]
  const answer = { ...JSON.parse(fixture('chat.response.json')), prompt_message: messages }
  const server = await serve(t, (response) => sendJson(response, answer))
  const { promptMessages } = await ask({ baseUrl: server.url }, messages)
  t.deepEqual<unknown, unknown>(promptMessages, messages)
  t.deepEqual(JSON.parse(server.received[0]?.body ?? ''), { model, messages })
})

test('typed variables arrive as what they are: an image, JSON, another prompt', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const { reply } = await askPrompt(
    local,
    {
      variables: {
        language: { _type: 'prompt', prompt_id: 'other', variables: { word: 'Latin' } },
        user_input: { _type: 'image_url', value: 'https://example.org/a.png' },
      },
    },
    { echo: true },
  )
  t.like(reply.promptMessages?.[0], { content: 'Translate into Say Latin.' })
  t.deepEqual(reply.promptMessages?.[1]?.content, [
    { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
  ])
  const error = await t.throwsAsync<InvalidInput>(
    askPrompt(local, { variables: { user_input: { _type: 'video', value: 'x' } } }),
  )
  t.is(error?.path, 'variables.user_input._type')
})

for (const name of ['v1', 'v1-override-params', 'v2', 'composition'])
  test(`the sample prompt.request.${name} is what the generator sends for it`, async (t) => {
    const request = JSON.parse(fixture(`prompt.request.${name}.json`))
    const { prompt, model: asked, messages, ...attributes } = request
    const { prompt_id: promptId, variables, ...settings } = prompt
    const server = await serve(t, (response) => sendJson(response, JSON.parse(fixture('chat.response.json'))))
    await lastValueFrom(
      of({ variables, ...(messages === undefined ? {} : { messages }) }).pipe(
        respanGenerate({
          promptId,
          baseUrl: server.url,
          attributes,
          prompt: { schema_version: 1, ...settings },
          ...(asked === undefined ? {} : { model: asked }),
        }),
      ),
    )
    t.deepEqual(JSON.parse(server.received[0]?.body ?? ''), {
      ...request,
      prompt: { schema_version: 1, echo: false, ...prompt },
    })
  })

test('a stream that says it is done is, with fewer choices than were asked for: many providers ignore n', async (t) => {
  const choice = { choices: [{ index: 0, delta: { content: 'only' }, finish_reason: 'stop' }] }
  const server = await serve(t, (response) =>
    sendEvents(response, `data: ${JSON.stringify(choice)}\n\n`, 'data: [DONE]\n\n'),
  )
  const generate = respanGenerate({ model: 'm', params: { n: 2 }, stream: true, baseUrl: server.url })
  const { replies } = await lastValueFrom(of('hi').pipe(generate, wholeReply()))
  t.deepEqual(replies, ['only'])
})

for (const [schema, prompt] of [
  ['a patch', {}],
  ['override_params', { schema_version: 1 }],
] as const)
  test(`a stored prompt with ${schema} waits for as many choices as it asks for`, async (t) => {
    const choice = (index: number, finish_reason: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index, delta: { content: 'x' }, finish_reason }] })}\n\n`
    const server = await serve(t, (response, _, number) =>
      sendEvents(response, choice(0, 'stop'), ...(number === 1 ? [choice(1, 'stop')] : [])),
    )
    const generate = respanGenerate({
      promptId: 'p',
      prompt,
      params: { n: 2, temperature: 0.5 },
      stream: true,
      baseUrl: server.url,
      retry: { count: 0 },
    })
    const sink = memorySink()
    const run = () => lastValueFrom(of({}).pipe(generate, wholeReply(), respanTrace('flow', { sink })))
    t.is((await run()).replies.length, 2)
    const cut = await t.throwsAsync<StreamInterrupted>(run(), { instanceOf: StreamInterrupted })
    t.deepEqual(cut?.partial?.replies, ['x'])
    const generations = sink
      .spans()
      .flatMap(({ generation }) => (generation === undefined ? [] : [generation]))
    t.deepEqual(
      generations.map(({ request }) => request),
      Array(2).fill({ n: 2, temperature: 0.5, prompt_id: 'p' }),
    )
  })

test('a stored prompt’s span says which version was asked for, where it is a number', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const versionOf = async (prompt: PromptSettings) => {
    const sink = memorySink()
    const generate = respanGenerate({ promptId: 'translator', prompt, gateway: local.gateway })
    await lastValueFrom(of({ variables: { word: 'hello' } }).pipe(generate, respanTrace('flow', { sink })))
    return sink.spans()[0]?.generation?.request?.prompt_version_number
  }
  t.is(await versionOf({ version: 1 }), 1)
  t.is(await versionOf({ version: 'latest' }), undefined)
  t.is(await versionOf({}), undefined)
})

test('a stored prompt streams', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const events = await lastValueFrom(
    of({ variables: { word: 'hello' } }).pipe(
      respanGenerate({ promptId: 'other', gateway: local.gateway, stream: true }),
      toArray<ReplyEvent>(),
    ),
  )
  const last = events.at(-1)
  t.deepEqual(last?._tag === 'ReplyFinished' ? last.reply.replies : [], ['hello'])
  t.like(bodyOf(local), { stream: true, stream_options: { include_usage: true } })
})
