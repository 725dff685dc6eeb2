import { isIP } from 'node:net'
import test from 'ava'
import OpenAI from 'openai'
import { ChatChunk } from '../../dist/codecs/ChatChunk.js'
import { ChatResponse } from '../../dist/codecs/ChatResponse.js'
import { answerCache } from '../../dist/local/answerCache.js'
import { builtInModel } from '../../dist/local/builtInModel.js'
import type { Local } from '../../dist/local/index.js'
import { toModelRequest } from '../../dist/local/toModelRequest.js'
import { start } from '../helpers/local.js'

const openai = ({ baseUrl }: Local): OpenAI => new OpenAI({ apiKey: 'any', baseURL: baseUrl, maxRetries: 0 })

const post = (
  local: Local,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(`${local.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

interface Likely {
  readonly token: string
  readonly logprob: number
}

interface Choice {
  readonly index: number
  readonly message: {
    readonly content: string
    readonly reasoning_content?: string
    readonly tool_calls: ReadonlyArray<{
      readonly function: { readonly name: string; readonly arguments: string }
    }>
  }
  readonly finish_reason: string
  readonly logprobs: {
    readonly content: ReadonlyArray<Likely & { readonly top_logprobs: ReadonlyArray<Likely> }>
  }
}

interface Answer {
  readonly created: number
  readonly model: string
  readonly choices: readonly [Choice, ...ReadonlyArray<Choice>]
  readonly usage: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly total_tokens: number
    readonly completion_tokens_details: { readonly reasoning_tokens: number }
  }
  readonly request_breakdown: {
    readonly cost: number
    readonly cached: boolean
    readonly latency: number
    readonly stream: boolean
    readonly timestamp: string
    readonly metadata: unknown
    readonly full_request: { readonly customer_identifier?: string }
  }
}

const json = async (response: Response): Promise<Answer> => JSON.parse(await response.text())

const ask = (content: string, more: object = {}) => ({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content }],
  ...more,
})

const calling = (...ids: ReadonlyArray<string>): object => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })),
})
const called = (id: string): object => ({ role: 'tool', tool_call_id: id, content: 'done' })
const hi = { role: 'user', content: 'Hi' }
const tool = (name: string): object => ({ type: 'function', function: { name } })
const schema = (name: string): object => ({ type: 'json_schema', json_schema: { name, schema: {} } })

const eventsOf = (text: string): ReadonlyArray<string> =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /u, ''))

test('answers the official client, in a readable text about the prompt', async (t) => {
  const local = await start(t)
  const { data, response } = await openai(local)
    .chat.completions.create(ask('Tell me about artificial intelligence.'))
    .withResponse()
  t.true(ChatResponse.is(data))
  t.is(data.model, 'gpt-4o-mini-2024-07-18')
  t.is(data.choices[0]?.finish_reason, 'stop')
  t.regex(data.choices[0]?.message.content ?? '', /artificial intelligence.*\.$/su)
  t.regex(response.headers.get('x-respan-log-id') ?? '', /^[0-9a-f]{32}$/u)
  t.regex(response.headers.get('x-respan-gateway-request-id') ?? '', /^[0-9a-f-]{36}$/u)
})

test('an answer says when it was made', async (t) => {
  const local = await start(t)
  const before = Math.floor(Date.now() / 1000)
  const { created, request_breakdown } = await json(
    await post(local, ask('Say x', { request_breakdown: true })),
  )
  const after = Date.now() / 1000
  t.true(created >= before && created <= after)
  const { latency, timestamp } = request_breakdown
  t.is(timestamp, new Date((created + latency) * 1000).toISOString())
})

test('streams the same text in the order of the contract', async (t) => {
  const local = await start(t)
  const request = ask('Tell me about rivers.', { request_breakdown: true })
  const whole = await json(await post(local, request))
  const response = await post(local, { ...request, stream: true, stream_options: { include_usage: true } })
  t.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  t.is(response.headers.get('cache-control'), 'no-cache')
  t.truthy(response.headers.get('x-respan-log-id'))
  const events = eventsOf(await response.text())
  t.is(events.at(-1), '[DONE]')
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event))
  t.true(chunks.every(ChatChunk.is))
  t.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '', refusal: null })
  const pieces = chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '')
  t.is(pieces.join(''), whole.choices[0].message.content)
  t.deepEqual(chunks.at(-3).choices, [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }])
  t.true(chunks.slice(0, -2).every(({ usage }) => usage === null))
  t.deepEqual(chunks.at(-2).choices, [])
  t.deepEqual(chunks.at(-2).usage, whole.usage)
  t.is(chunks.at(-1).id, 'request_breakdown')
  t.is(chunks.at(-1).choices[0].request_breakdown.cost, whole.request_breakdown.cost)
  t.true(chunks.at(-1).choices[0].request_breakdown.stream)
  t.false(whole.request_breakdown.stream)
  t.is(chunks.at(-2).usage.completion_tokens, pieces.filter((piece) => piece !== '').length)
})

test('streams to the official client', async (t) => {
  const local = await start(t)
  const stream = await openai(local).chat.completions.create({
    ...ask('Tell me about rivers.'),
    stream: true,
  })
  const pieces: Array<string> = []
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '')
  t.true(pieces.length > 10)
  t.regex(pieces.join(''), /rivers/u)
})

test('the same request gets the same answer, another seed another one', async (t) => {
  const [one, two] = await Promise.all([start(t), start(t)])
  const text = async (local: Local, more: object = {}): Promise<unknown> => {
    const { choices, usage } = await json(await post(local, ask('Tell me about tea.', more)))
    return { choices, usage }
  }
  const first = await text(one)
  t.deepEqual(await text(one), first)
  t.deepEqual(await text(two), first)
  t.notDeepEqual(await text(one, { seed: 1 }), first)
  t.deepEqual(await text(one, { seed: 1 }), await text(two, { seed: 1 }))
})

test('usage is counted from the texts', async (t) => {
  const local = await start(t)
  const usage = async (content: string) => (await json(await post(local, ask(content)))).usage
  const short = await usage('Say one')
  const long = await usage('Say one two three four five six seven eight nine ten')
  t.true(long.prompt_tokens > short.prompt_tokens)
  t.true(long.completion_tokens > short.completion_tokens)
  t.is(long.total_tokens, long.prompt_tokens + long.completion_tokens)
})

test('usage counts the names, calls and tools of a conversation too', async (t) => {
  const local = await start(t)
  const counted = async (more: object): Promise<number> =>
    (await json(await post(local, ask('Say x', more)))).usage.prompt_tokens
  const plain = await counted({})
  t.is(await counted({ messages: [{ role: 'user', name: 'Ada', content: 'Say x' }] }), plain + 1)
  t.true((await counted({ tools: [WEATHER] })) > plain + 20)
  const afterCall = (args: string): object => ({
    messages: [
      hi,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: args } }],
      },
      called('a'),
    ],
  })
  t.is(await counted(afterCall('{"one":"two three"}')), (await counted(afterCall('{"one":"two"}'))) + 1)
})

test('max_tokens cuts the answer and says so', async (t) => {
  const local = await start(t)
  for (const limit of ['max_tokens', 'max_completion_tokens']) {
    const { choices, usage } = await json(await post(local, ask('Tell me about tea.', { [limit]: 5 })))
    t.is(choices[0].finish_reason, 'length')
    t.is(usage.completion_tokens, 5)
  }
})

test('of two limits the one of reasoning models counts', async (t) => {
  const local = await start(t)
  const limits = { max_tokens: 9, max_completion_tokens: 4 }
  t.is((await json(await post(local, ask('Tell me about tea.', limits)))).usage.completion_tokens, 4)
})

test('max_tokens cuts thoughts, and leaves no room for a text or a call behind them', async (t) => {
  const local = await start(t)
  const thinking = { reasoning_effort: 'low', tools: [WEATHER] }
  for (const content of ['Hello', 'What is the weather in Paris?']) {
    const answer = async (limits: object): Promise<Answer> =>
      json(await post(local, ask(content, { ...thinking, ...limits })))
    const cut = await answer({ max_tokens: 5 })
    t.like(cut.choices[0], { message: { content: '' }, finish_reason: 'length' })
    t.false('tool_calls' in cut.choices[0].message)
    t.is(cut.usage.completion_tokens, 5)
    const thoughts = (await answer({})).usage.completion_tokens_details.reasoning_tokens
    const further = await answer({ max_tokens: thoughts + 2 })
    t.is(further.choices[0].finish_reason, 'length')
    t.is(further.usage.completion_tokens, thoughts + 2)
    t.is(further.usage.completion_tokens_details.reasoning_tokens, thoughts)
  }
  const stopped = ask('Say x', { reasoning_effort: 'low', max_tokens: 5, stop: 'x' })
  t.is((await json(await post(local, stopped))).choices[0].finish_reason, 'length')
})

test('max_tokens cuts the arguments of calls, and no call comes after', async (t) => {
  const local = await start(t)
  const request = ask('What is the weather in Paris and Oslo?', { tools: [WEATHER] })
  const within = async (limits: object): Promise<readonly [string, ReadonlyArray<string>, number]> => {
    const { choices, usage } = await json(await post(local, { ...request, ...limits }))
    const [{ finish_reason, message }] = choices
    return [finish_reason, message.tool_calls.map((call) => call.function.arguments), usage.completion_tokens]
  }
  const [, [paris = '', oslo = ''], all] = await within({})
  t.deepEqual(await within({ max_tokens: all }), ['tool_calls', [paris, oslo], all])
  t.deepEqual(await within({ max_tokens: all - 1 }), ['length', [paris, oslo.slice(0, -2)], all - 1])
  t.deepEqual(await within({ max_tokens: 2 }), ['length', ['{"city'], 2])
})

test('stop ends the answer before the first mark', async (t) => {
  const local = await start(t)
  const one = await json(await post(local, ask('Say red, green, blue', { stop: ',' })))
  t.is(one.choices[0].message.content, 'red')
  t.is(one.choices[0].finish_reason, 'stop')
  const several = await json(await post(local, ask('Say red, green, blue', { stop: ['nothing', ' green'] })))
  t.is(several.choices[0].message.content, 'red,')
  const nothing = await json(await post(local, ask('Say red, green, blue', { stop: '' })))
  t.is(nothing.choices[0].message.content, 'red, green, blue')
})

test('n gives different wordings, and one usage for all', async (t) => {
  const local = await start(t)
  const { choices, usage } = await json(await post(local, ask('Tell me about tea.', { n: 3 })))
  const texts = choices.map((choice) => choice.message.content)
  t.is(new Set(texts).size, 3)
  t.deepEqual(
    choices.map(({ index }) => index),
    [0, 1, 2],
  )
  const streamed = eventsOf(
    await (await post(local, ask('Tell me about tea.', { n: 3, stream: true }))).text(),
  )
  const joined = ['', '', '']
  for (const event of streamed.slice(0, -1)) {
    const [choice] = JSON.parse(event).choices
    joined[choice.index] += choice.delta.content ?? ''
  }
  t.deepEqual(joined, texts)
  t.true(usage.completion_tokens > 60)
})

test('the choices of a stream take turns', async (t) => {
  const local = await start(t)
  const streamed = await (await post(local, ask('Say the same', { n: 3, stream: true }))).text()
  t.deepEqual(
    eventsOf(streamed)
      .slice(0, 6)
      .map((event) => JSON.parse(event).choices[0].index),
    [0, 1, 2, 0, 1, 2],
  )
})

test('reads the text parts of a message', async (t) => {
  const local = await start(t)
  const content = [
    { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
    { type: 'text', text: 'Tell me about bridges.' },
  ]
  const { choices, usage } = await json(
    await post(local, { model: 'm', messages: [{ role: 'user', content }] }),
  )
  t.regex(choices[0].message.content, /bridges/u)
  t.true(usage.prompt_tokens > 85)
})

test('quotes the document that answers the question', async (t) => {
  const local = await start(t)
  const prompt = `Given these documents, answer the question.
Documents:
  Paris is the capital of France. Its river is the Seine.
  Goethe wrote Faust in the course of sixty years.

Question: Who wrote Faust?
Answer:`
  const { choices } = await json(await post(local, ask(prompt)))
  t.regex(choices[0].message.content, /Goethe wrote Faust/u)
})

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'Current weather in a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
    },
  },
}

test('calls a tool with arguments from its schema and the prompt, then answers with its result', async (t) => {
  const client = openai(await start(t))
  const messages: Array<OpenAI.ChatCompletionMessageParam> = [
    { role: 'user', content: 'What is the weather in Paris, in celsius?' },
  ]
  const first = await client.chat.completions.create({ model: 'gpt-4o', messages, tools: [WEATHER] })
  t.is(first.choices[0]?.finish_reason, 'tool_calls')
  const message = first.choices[0]?.message
  t.is(message?.content, null)
  const [call] = message?.tool_calls ?? []
  if (call?.type !== 'function' || message === undefined) return t.fail()
  t.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris', unit: 'celsius' })
  const second = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [...messages, message, { role: 'tool', tool_call_id: call.id, content: '{"temperature":21}' }],
    tools: [WEATHER],
  })
  t.is(second.choices[0]?.finish_reason, 'stop')
  t.regex(second.choices[0]?.message.content ?? '', /get_weather.*21/u)
})

test('calls once for each place, unless parallel calls are off', async (t) => {
  const local = await start(t)
  const prompt = ask('What is the weather in Paris and Oslo?', { tools: [WEATHER] })
  const cities = async (request: object): Promise<unknown> => {
    const { choices } = await json(await post(local, request))
    return choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments).city)
  }
  t.deepEqual(await cities(prompt), ['Paris', 'Oslo'])
  t.deepEqual(await cities({ ...prompt, parallel_tool_calls: false }), ['Paris'])
  const referring = {
    ...WEATHER.function,
    parameters: { $ref: '#/$defs/place', $defs: { place: WEATHER.function.parameters } },
  }
  const tools = [{ type: 'function', function: referring }]
  t.deepEqual(await cities({ ...prompt, tools }), ['Paris', 'Oslo'])
})

test('calls at most four times, and once where every call would be the same', async (t) => {
  const local = await start(t)
  const cities =
    (tool: object) =>
    async (content: string): Promise<unknown> => {
      const { choices } = await json(await post(local, ask(content, { tools: [tool] })))
      return choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments).city)
    }
  const many = 'What is the weather in Paris, Oslo, Rome, Bern and Cairo?'
  t.deepEqual(await cities(WEATHER)(many), ['Paris', 'Oslo', 'Rome', 'Bern'])
  t.deepEqual(await cities(tool('get_weather'))(many), [undefined])
})

const asWeather: ReadonlyArray<readonly [what: string, tool: OpenAI.FunctionDefinition]> = [
  ['name', { name: 'get_weather' }],
  ['name in camel case', { name: 'getWeather' }],
  ['description', { name: 'f', description: 'What the weather is like' }],
  ['parameters', { name: 'f', parameters: { properties: { weather: {} } } }],
]

for (const [what, fitting] of asWeather) {
  test(`calls the tool whose ${what} fits the question`, async (t) => {
    const tools = [tool('other'), { type: 'function', function: fitting }]
    const request = ask('What is the weather in Paris?', { tools })
    const { choices } = await json(await post(await start(t), request))
    t.is(choices[0].message.tool_calls[0]?.function.name, fitting.name)
  })
}

test('takes no greeting for a reason to call a tool', async (t) => {
  const { choices } = await json(await post(await start(t), ask('Hello', { tools: [WEATHER] })))
  t.is(choices[0].finish_reason, 'stop')
})

test('takes the last message for the question where no user asks', async (t) => {
  const messages = [{ role: 'system', content: 'What is the weather in Paris?' }]
  const { choices } = await json(await post(await start(t), { model: 'm', messages, tools: [WEATHER] }))
  t.like(JSON.parse(choices[0].message.tool_calls[0]?.function.arguments ?? ''), { city: 'Paris' })
})

test('streams tool calls as the official client reads them', async (t) => {
  const client = openai(await start(t))
  const runner = client.chat.completions.stream({
    ...ask('What is the weather in Paris and Oslo?'),
    tools: [WEATHER],
  })
  const { choices } = await runner.finalChatCompletion()
  t.is(choices[0]?.finish_reason, 'tool_calls')
  const calls = choices[0]?.message.tool_calls ?? []
  t.is(calls.length, 2)
  t.is(new Set(calls.map(({ id }) => id)).size, 2)
  t.deepEqual(
    calls.map((call) => call.type === 'function' && JSON.parse(call.function.arguments).city),
    ['Paris', 'Oslo'],
  )
})

test('a stream of calls has no text, and one of thoughts has the thoughts', async (t) => {
  const local = await start(t)
  const deltas = async (content: string, more: object): Promise<ReadonlyArray<Record<string, unknown>>> => {
    const text = await (await post(local, ask(content, { stream: true, ...more }))).text()
    return eventsOf(text)
      .slice(0, -1)
      .map((event) => JSON.parse(event).choices[0].delta)
  }
  const [first] = await deltas('What is the weather in Paris?', { tools: [WEATHER] })
  t.deepEqual(first, { role: 'assistant', content: null, refusal: null })
  const thinking = { reasoning_effort: 'low' }
  const whole = await json(await post(local, ask('Tell me about tea.', thinking)))
  const pieces = await deltas('Tell me about tea.', thinking)
  const thoughts = pieces.map(({ reasoning_content: piece }) => piece ?? '').join('')
  t.regex(thoughts, /tea/u)
  t.like(whole.choices[0].message, { reasoning_content: thoughts })
})

test('obeys tool_choice', async (t) => {
  const local = await start(t)
  const other = {
    type: 'function',
    function: { name: 'search', parameters: { type: 'object', properties: { query: { type: 'string' } } } },
  }
  const tools = [WEATHER, other]
  const called = async (tool_choice: unknown): Promise<unknown> => {
    const { choices } = await json(
      await post(local, ask('What is the weather in Paris?', { tools, tool_choice })),
    )
    return choices[0].message.tool_calls?.[0]?.function.name
  }
  t.is(await called('none'), undefined)
  t.is(await called('auto'), 'get_weather')
  t.is(await called({ type: 'function', function: { name: 'search' } }), 'search')
  t.is(
    (await post(local, ask('x', { tools, tool_choice: { type: 'function', function: { name: 'nope' } } })))
      .status,
    422,
  )
  const greeted = await json(await post(local, ask('Hello', { tools, tool_choice: 'required' })))
  t.is(greeted.choices[0].finish_reason, 'tool_calls')
  // As OpenAI tells of a function that the request names.
  const named = { tools, tool_choice: { type: 'function', function: { name: 'search' } } }
  t.is((await json(await post(local, ask('x', named)))).choices[0].finish_reason, 'stop')
})

const content = async (local: Local, schema: object, prompt = 'Weather in Paris?'): Promise<string> => {
  const response_format = { type: 'json_schema', json_schema: { name: 'any', schema } }
  return (await json(await post(local, ask(prompt, { response_format })))).choices[0].message.content
}

test('ends a schema that refers to itself where one of its variants does', async (t) => {
  const e = { $ref: '#/$defs/e' }
  const sum = {
    type: 'object',
    properties: { op: { enum: ['+', '-'] }, l: e, r: e },
    required: ['op', 'l', 'r'],
  }
  const $defs = { e: { anyOf: [sum, { type: 'number' }] } }
  const text = await content(await start(t), { type: 'object', properties: { e }, required: ['e'], $defs })
  const isExpression = (value: unknown): boolean => {
    if (typeof value === 'number') return true
    const { op, l, r } = Object(value)
    return ['+', '-'].includes(op) && isExpression(l) && isExpression(r)
  }
  t.true(isExpression(JSON.parse(text).e), text)
  t.true(text.length < 1_000)
})

test('knows formats by their own names, and follows references however they are written', async (t) => {
  const local = await start(t)
  const of = async (schema: object) =>
    JSON.parse(await content(local, { properties: { a: schema }, $defs: { '100%': { const: 1 } } })).a
  t.is(isIP(await of({ type: 'string', format: 'ipv6' })), 6)
  t.regex(await of({ type: 'string', format: 'duration' }), /^PT\d+M$/u)
  t.is(typeof (await of({ type: 'string', format: 'constructor' })), 'string')
  t.is(await of({ $ref: '#/$defs/100%' }), 1)
})

test('fills a JSON schema for the official client', async (t) => {
  const local = await start(t)
  const client = openai(local)
  const schema = {
    type: 'object',
    properties: {
      title: { type: 'string', maxLength: 30 },
      participants: { type: 'array', items: { type: 'string' }, minItems: 2 },
      mood: { enum: ['calm', 'heated'] },
      size: { type: 'integer', minimum: 3, maximum: 9 },
      nested: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/place' }] },
    },
    required: ['title', 'participants', 'mood', 'size', 'nested'],
    additionalProperties: false,
    $defs: { place: { type: 'object', properties: { city: { const: 'Rome' } }, required: ['city'] } },
  }
  const { choices } = await client.chat.completions.create({
    ...ask('Ada Lovelace meets Charles Babbage for a heated discussion.'),
    response_format: { type: 'json_schema', json_schema: { name: 'event', schema, strict: true } },
  })
  const value = JSON.parse(choices[0]?.message.content ?? '')
  t.deepEqual(Object.keys(value), ['title', 'participants', 'mood', 'size', 'nested'])
  t.deepEqual(value.participants.slice(0, 2), ['Ada Lovelace', 'Charles Babbage'])
  t.is(value.mood, 'heated')
  t.true(value.size >= 3 && value.size <= 9)
  t.deepEqual(value.nested, { city: 'Rome' })
  const some = await client.chat.completions.create({
    ...ask('Some json about cats'),
    response_format: { type: 'json_object' },
  })
  t.is(typeof JSON.parse(some.choices[0]?.message.content ?? ''), 'object')
  const own = { type: 'json_object', response_schema: { properties: { city: { const: 'Rome' } } } }
  const inner = await json(await post(local, ask('Some json', { response_format: own })))
  t.deepEqual(JSON.parse(inner.choices[0].message.content), { city: 'Rome' })
  const open = { type: 'json_schema', json_schema: { name: 'any' } }
  const any = await json(await post(local, ask('Some json', { response_format: open })))
  t.is(any.choices[0].message.content, '{}')
})

test('thinks aloud when asked to, and gives log probabilities', async (t) => {
  const local = await start(t)
  const { choices, usage } = await json(
    await post(
      local,
      ask('Tell me about tea.', { reasoning_effort: 'low', logprobs: true, top_logprobs: 1 }),
    ),
  )
  t.regex(choices[0].message.reasoning_content ?? '', /tea/u)
  t.true(usage.completion_tokens_details.reasoning_tokens > 0)
  t.is(choices[0].logprobs.content.map(({ token }) => token).join(''), choices[0].message.content)
})

test('thinks aloud for each way to ask for it, and not for the least effort', async (t) => {
  const local = await start(t)
  const thinks = async (more: object): Promise<boolean> =>
    (await json(await post(local, ask('Say x', more)))).choices[0].message.reasoning_content !== undefined
  t.true(await thinks({ reasoning_effort: 'high' }))
  t.true(await thinks({ thinking: { type: 'enabled', budget_tokens: 1_024 } }))
  for (const more of [
    { reasoning_effort: 'none' },
    { reasoning_effort: 'minimal' },
    { thinking: { type: 'disabled' } },
  ])
    t.false(await thinks(more))
})

test('gives as many alternatives to each token as were asked for, the likeliest first', async (t) => {
  const local = await start(t)
  // " the" is among the alternatives to others.
  const request = ask('Say all the same', { logprobs: true, top_logprobs: 3, stream: false })
  const { choices } = await json(await post(local, request))
  for (const { token, logprob, top_logprobs: top } of choices[0].logprobs.content) {
    t.is(top.length, 3)
    t.like(top[0], { token, logprob })
    t.is(new Set(top.map((one) => one.token)).size, 3)
    t.true(top.every((one, rank) => rank === 0 || one.logprob < (top[rank - 1]?.logprob ?? 0)))
  }
  const without = await json(await post(local, ask('Say x', { logprobs: true })))
  t.deepEqual(without.choices[0].logprobs.content[0]?.top_logprobs, [])
  const streamed = eventsOf(await (await post(local, { ...request, stream: true })).text())
  t.deepEqual(
    streamed.slice(0, -1).flatMap((event) => JSON.parse(event).choices[0].logprobs?.content ?? []),
    choices[0].logprobs.content,
  )
})

test('the three ways to pass Respan parameters: top level, then respan_params, then the header', async (t) => {
  const local = await start(t)
  const header = Buffer.from(
    JSON.stringify({ request_breakdown: true, metadata: { from: 'header' }, customer_identifier: 'Zoë' }),
  ).toString('base64')
  const breakdown = async (body: object) =>
    (await json(await post(local, ask('Say x', body), { 'x-data-respan-params': header }))).request_breakdown
  const fromHeader = await breakdown({})
  t.deepEqual(fromHeader.metadata, { from: 'header' })
  t.is(fromHeader.full_request.customer_identifier, 'Zoë')
  t.deepEqual((await breakdown({ respan_params: { metadata: { from: 'params' } } })).metadata, {
    from: 'params',
  })
  const both = { respan_params: { metadata: { from: 'params' } }, metadata: { from: 'top' } }
  t.deepEqual((await breakdown(both)).metadata, { from: 'top' })
  t.is((await post(local, ask('Say x'), { 'x-data-respan-params': 'nonsense' })).status, 400)
})

test('Respan parameters may come under their old names, and in a header as plain JSON', async (t) => {
  const local = await start(t)
  const metadata = async (body: object, headers: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    (await json(await post(local, ask('Say x', { request_breakdown: true, ...body }), headers)))
      .request_breakdown.metadata
  const given = (from: string): object => ({ metadata: { from } })
  t.deepEqual(await metadata({ keywordsai_params: given('old') }), { from: 'old' })
  t.deepEqual(await metadata({ keywordsai_params: given('old'), respan_params: given('new') }), {
    from: 'new',
  })
  for (const name of ['x-data-respan-params', 'x-data-keywordsai-params'])
    t.deepEqual(await metadata({}, { [name]: JSON.stringify(given('header')) }), { from: 'header' })
  t.like(await json(await post(local, ask('Say x'), { 'x-data-respan-params': '[1]' })), {
    detail: 'X-Data-Respan-Params is not the base64 of a JSON object',
  })
})

test('the breakdown has a cost where the price is known, and no secret', async (t) => {
  const local = await start(t)
  const breakdown = async (body: object) =>
    (await json(await post(local, ask('Say x', { request_breakdown: true, ...body })))).request_breakdown
  const known = await breakdown({ customer_credentials: { openai: { api_key: 'sk-secret' } } })
  t.true(known.cost > 0 && known.cost < 0.001)
  t.false(JSON.stringify(known).includes('sk-secret'))
  t.false('cost' in (await breakdown({ model: 'my-own-model' })))
})

test('a model at a named provider has the name and the price of the model', async (t) => {
  const local = await start(t)
  const request = ask('Say x', { request_breakdown: true })
  const plain = await json(await post(local, request))
  const { model, request_breakdown } = await json(
    await post(local, { ...request, model: 'azure/gpt-4o-mini' }),
  )
  t.is(model, plain.model)
  t.is(request_breakdown.cost, plain.request_breakdown.cost)
})

test('caches whole conversations when asked to', async (t) => {
  const local = await start(t)
  const cached = async (content: string, more: object = {}): Promise<unknown> => {
    const request = ask(content, { cache_enabled: true, request_breakdown: true, ...more })
    return (await json(await post(local, request))).request_breakdown.cached
  }
  t.false(await cached('Tell me about tea.'))
  t.true(await cached('Tell me about tea.'))
  t.false(await cached('Tell me about coffee.'))
  const byCustomer = { cache_options: { cache_by_customer: true } }
  t.false(await cached('Tell me about tea.', { ...byCustomer, customer_identifier: 'a' }))
  t.false(await cached('Tell me about tea.', { ...byCustomer, customer_identifier: 'b' }))
  t.true(await cached('Tell me about tea.', { ...byCustomer, customer_identifier: 'b' }))
})

test('the cache is left alone unless a request asks for it', async (t) => {
  const local = await start(t)
  const cached = async (more: object): Promise<unknown> =>
    (await json(await post(local, ask('Say x', { request_breakdown: true, ...more })))).request_breakdown
      .cached
  t.false(await cached({ cache_enabled: true }))
  t.false(await cached({}))
  t.false(await cached({ cache_enabled: false }))
})

test('an answer from the cache costs nothing, and is kept no longer than asked for', async (t) => {
  const local = await start(t)
  const breakdown = async (more: object) =>
    (
      await json(
        await post(local, ask('Say x', { cache_enabled: true, request_breakdown: true, seed: 1, ...more })),
      )
    ).request_breakdown
  t.true((await breakdown({})).cost > 0)
  t.like(await breakdown({}), { cached: true, cost: 0 })
  t.like(await breakdown({ seed: 2, cache_ttl: 0 }), { cached: false })
  t.like(await breakdown({ seed: 2 }), { cached: false })
  t.like(await breakdown({ seed: 2 }), { cached: true })
})

const deciding: ReadonlyArray<object> = [
  { max_completion_tokens: 9 },
  { max_tokens: 9 },
  { n: 2 },
  { response_format: schema('a') },
  { seed: 1 },
  { stop: 'a' },
  { temperature: 1 },
  { tools: [tool('f')], tool_choice: 'none' },
  { tools: [tool('f')] },
  { tools: [tool('f')], parallel_tool_calls: false },
  { reasoning_effort: 'low' },
  { thinking: { type: 'enabled' } },
  { cache_options: { is_cached_by_model: true } },
  { cache_options: { is_cached_by_model: true }, model: 'gpt-4o' },
]

test('the cache keeps apart what is answered differently', async (t) => {
  const local = await start(t)
  const cached = async (more: object): Promise<unknown> => {
    const request = ask('Say x', { cache_enabled: true, request_breakdown: true, ...more })
    return (await json(await post(local, request))).request_breakdown.cached
  }
  t.false(await cached({}))
  for (const more of deciding) t.false(await cached(more), JSON.stringify(more))
  for (const more of deciding) t.true(await cached(more), JSON.stringify(more))
  t.true(await cached({ model: 'gpt-4o' }))
})

test('the cache forgets the oldest answers', (t) => {
  const cache = answerCache(2)
  const answer = builtInModel(toModelRequest({}, []))
  const cached = (content: string): boolean =>
    cache({ cache_enabled: true }, [{ role: 'user', content }], () => ({ model: 'm', answer })).cached
  t.deepEqual(['a', 'b', 'b', 'c', 'b', 'a'].map(cached), [false, false, true, false, true, false])
})

test('picks among weighted models by the conversation', async (t) => {
  const local = await start(t)
  const models = [
    { model: 'a', weight: 0.5 },
    { model: 'b', weight: 0.5 },
  ]
  const picked = async (content: string, more: object): Promise<string> =>
    (await json(await post(local, { messages: [{ role: 'user', content }], ...more }))).model
  const prompts = Array.from({ length: 12 }, (_, index) => `Say ${index}`)
  const group = { load_balance_group: { group_id: 'g', models } }
  const first = await Promise.all(prompts.map((prompt) => picked(prompt, group)))
  t.deepEqual([...new Set(first)].toSorted(), ['a', 'b'])
  t.deepEqual(await Promise.all(prompts.map((prompt) => picked(prompt, group))), first)
  t.is(await picked('Say x', { ...group, model: 'c' }), 'c')
  t.is(await picked('Say x', { load_balance_models: [{ model: 'd', weight: 1 }], model: 'c' }), 'd')
  t.is(await picked('Say x', { models: ['e', 'f'], exclude_models: ['e'] }), 'f')
})

test('the router leaves out excluded providers, by the name of a model or by who offers it', async (t) => {
  const local = await start(t)
  const answered = async (more: object): Promise<string> =>
    (await json(await post(local, ask('Say x', { model: undefined, ...more })))).model
  const models = ['azure/e', 'claude-sonnet-4-5', 'gpt-4o-mini', 'f']
  t.is(await answered({ models, exclude_providers: ['bedrock'] }), 'azure/e')
  t.is(await answered({ models, exclude_providers: ['azure'] }), 'claude-sonnet-4-5-20250929')
  t.is(await answered({ models, exclude_providers: ['azure', 'anthropic'] }), 'gpt-4o-mini-2024-07-18')
  t.is(await answered({ models, exclude_providers: ['azure', 'anthropic', 'openai'] }), 'f')
  const excluded = { exclude_models: ['f'], exclude_providers: ['openai'] }
  t.is(await answered({ model: 'gpt-4o-mini', ...excluded }), 'gpt-4o-mini-2024-07-18')
  local.fault({ model: 'a', status: 500 })
  t.is(await answered({ model: 'a', fallback_models: ['f'], ...excluded }), 'f')
})

test('without fallbacks, one model is asked, whatever else is named', async (t) => {
  const local = await start(t)
  local.fault({ model: 'a', status: 500 })
  const more = { disable_fallback: true, models: ['a', 'b'], fallback_models: ['c'] }
  t.is((await post(local, ask('Say x', { model: 'a', ...more }))).status, 500)
  t.is((await post(local, ask('Say x', { model: undefined, ...more }))).status, 500)
  const group = { load_balance_group: { group_id: 'g' }, disable_fallback: true, fallback_models: ['c'] }
  t.is((await post(local, ask('Say x', { model: undefined, ...group }))).status, 422)
})

test('a model beside others has them as its fallbacks, each asked once', async (t) => {
  const local = await start(t)
  const answered = async (more: object): Promise<string> => {
    local.fault({ model: 'a', status: 500, times: 1 })
    return (await json(await post(local, ask('Say x', { model: 'a', ...more })))).model
  }
  t.is(await answered({ models: ['a', 'b'], fallback_models: ['c'] }), 'b')
  t.is(await answered({ fallback_models: ['a', 'c'] }), 'c')
  const older = { loadbalance_models: [{ model: 'd', weight: 1 }] }
  t.is((await json(await post(local, ask('Say x', older)))).model, 'd')
  t.is((await json(await post(local, ask('Say x', { ...older, model: undefined })))).model, 'd')
})

test('what is wrong with a request is answered as documented', async (t) => {
  const local = await start(t)
  const refused = async (body: unknown): Promise<readonly [number, unknown]> => {
    const response = await post(local, body)
    return [response.status, await json(response)]
  }
  t.deepEqual(await refused('not json'), [400, { detail: 'Invalid request format' }])
  t.deepEqual(await refused([]), [400, { detail: 'Invalid request format' }])
  t.deepEqual(await refused({}), [
    422,
    {
      detail: 'Validation error',
      errors: { messages: ['This field is required.'], model: ['This field is required.'] },
    },
  ])
  t.deepEqual(await refused(ask('x', { temperature: 3 })), [
    422,
    {
      detail: 'Validation error',
      errors: { temperature: ['temperature: expected number 0 to 2, found number 3'] },
    },
  ])
  t.is((await refused({ model: 'm', messages: [{ role: 'user' }] }))[0], 422)
  t.is((await refused({ model: 'm', messages: [] }))[0], 422)
  t.deepEqual(await refused(ask('x', { model: 'unknown/gpt-9' })), [
    404,
    { detail: 'Requested model unknown/gpt-9 is not available in the model list' },
  ])
  // OpenAI's interface takes null for "not given".
  t.is((await refused(ask('Say x', { stop: null, tools: null })))[0], 200)
  // Other clients send these with their defaults.
  const defaults = { field_name: 'data: ', delimiter: '\n\n', mock_response: '', is_log_omitted: false }
  t.is((await refused(ask('Say x', defaults)))[0], 200)
})

const choice = { type: 'function', function: { name: 'f' } }
const named = 'expected 1 to 64 letters, digits, underscores and hyphens'
const noCall = 'no such call in the preceding assistant message'
const empty = 'This list may not be empty.'

const wrong: ReadonlyArray<readonly [title: string, more: object, field: string, problem: string]> = [
  [
    'an answer to a call that nobody made',
    { messages: [hi, called('a')] },
    'messages',
    `messages[1].tool_call_id: ${noCall}`,
  ],
  [
    'an answer to another call',
    { messages: [hi, calling('a'), called('a'), called('b')] },
    'messages',
    `messages[3].tool_call_id: ${noCall}`,
  ],
  [
    'an answer that comes too late',
    { messages: [calling('a'), called('a'), hi, called('a')] },
    'messages',
    `messages[3].tool_call_id: ${noCall}`,
  ],
  [
    'calls without answers',
    { messages: [hi, calling('a', 'b'), called('a'), hi] },
    'messages',
    'messages[1].tool_calls: 1 not answered by the tool messages that follow',
  ],
  [
    'calls without answers at the end',
    { messages: [hi, calling('a', 'b')] },
    'messages',
    'messages[1].tool_calls: 2 not answered by the tool messages that follow',
  ],
  [
    'an assistant that says nothing',
    { messages: [hi, { role: 'assistant', content: null }] },
    'messages',
    'messages[1]: an assistant message needs content or tool_calls',
  ],
  [
    'content without parts',
    { messages: [{ role: 'user', content: [] }] },
    'messages',
    `messages[0].content: ${empty}`,
  ],
  ['a model without a name', { model: '' }, 'model', 'This field is required.'],
  ['a model with a blank name', { model: ' \t' }, 'model', 'This field is required.'],
  ['too many choices', { n: 129 }, 'n', 'n: expected at most 128, found 129'],
  ['a choice without tools', { tool_choice: choice }, 'tool_choice', 'tool_choice: allowed only with tools'],
  [
    'parallel calls without tools',
    { parallel_tool_calls: false },
    'parallel_tool_calls',
    'parallel_tool_calls: allowed only with tools',
  ],
  ['no tools in the list', { tools: [] }, 'tools', 'This list may not be empty; leave it out.'],
  [
    'a blank in the name of a function',
    { tools: [tool('f'), tool('get weather')] },
    'tools',
    `tools[1].function.name: ${named}`,
  ],
  ['a name that is too long', { tools: [tool('f'.repeat(65))] }, 'tools', `tools[0].function.name: ${named}`],
  [
    'a schema with punctuation in its name',
    { response_format: schema('a.b') },
    'response_format',
    `response_format.json_schema.name: ${named}`,
  ],
  [
    'JSON that no message speaks of',
    { response_format: { type: 'json_object' } },
    'response_format',
    'response_format: for json_object, the word "json" must occur in the messages',
  ],
  [
    'too many stop marks',
    { stop: ['a', 'b', 'c', 'd', 'e'] },
    'stop',
    'stop: expected at most 4 entries, found 5',
  ],
  [
    'alternatives without log probabilities',
    { top_logprobs: 3 },
    'top_logprobs',
    'top_logprobs: allowed only with logprobs: true',
  ],
  [
    'options of a stream without a stream',
    { stream_options: { include_usage: true } },
    'stream_options',
    'stream_options: allowed only with stream: true',
  ],
  [
    'a group that only the platform knows',
    { model: undefined, load_balance_group: { group_id: 'g' } },
    'load_balance_group',
    'load_balance_group.models: the local gateway has no stored groups',
  ],
]

for (const [title, more, field, problem] of wrong) {
  test(`refuses ${title}`, async (t) => {
    const response = await post(await start(t), ask('Say x', more))
    t.is(response.status, 422)
    t.deepEqual(JSON.parse(await response.text()), {
      detail: 'Validation error',
      errors: { [field]: [problem] },
    })
  })
}

const fine: ReadonlyArray<readonly [title: string, more: object]> = [
  [
    'calls, in any order of their answers',
    { messages: [hi, calling('a', 'b'), called('b'), called('a'), calling('a'), called('a'), hi] },
  ],
  ['an empty text of the assistant', { messages: [hi, { role: 'assistant', content: '' }, hi] }],
  ['a refusal of the assistant', { messages: [hi, { role: 'assistant', content: null, refusal: 'No' }, hi] }],
  [
    'JSON that a message speaks of',
    { messages: [hi, { role: 'system', content: 'As JSON' }], response_format: { type: 'json_object' } },
  ],
  [
    'as much as there may be',
    { n: 128, stop: ['1', '2', '3', '4'], tools: [tool('f'.repeat(64))], max_tokens: 1 },
  ],
]

for (const [title, more] of fine) {
  test(`takes ${title}`, async (t) => {
    const response = await post(await start(t), ask('Say x', more))
    t.is(response.status, 200, await response.text())
  })
}

test('tells all that is wrong at once', async (t) => {
  const response = await post(await start(t), ask('x', { n: 200, top_logprobs: 1, tools: [] }))
  t.deepEqual(Object.keys(JSON.parse(await response.text()).errors), ['tools', 'n', 'top_logprobs'])
})
