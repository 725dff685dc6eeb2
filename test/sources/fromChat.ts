import test from 'ava'
import {
  type ChatRequest,
  fromChat,
  type Gateway,
  type GatewayEvent,
  memorySink,
  respanGenerate,
  respanTrace,
  StreamInterrupted,
  user,
  wholeReply,
} from 'respan-rx'
import { marbleGateway, marbles } from 'respan-rx/testing'
import { firstValueFrom, from, lastValueFrom, map, of, take, toArray } from 'rxjs'

const request = (stream: boolean): ChatRequest => ({
  model: 'm',
  messages: [user('hi')],
  ...(stream ? { stream } : {}),
})

const tags = map(({ _tag }: { readonly _tag: string }) => _tag)

test('emits the events of a streamed reply, the finished one last', (t) =>
  marbles(t.deepEqual, ({ expectObservable }) => {
    expectObservable(fromChat(marbleGateway('--a-----b-|'), request(true)).pipe(tags)).toBe(
      '--(sd)--d-(f|)',
      {
        s: 'ReplyStarted',
        d: 'TextDelta',
        f: 'ReplyFinished',
      },
    )
  }))

test('emits the finished reply alone when it does not stream', (t) =>
  marbles(t.deepEqual, ({ expectObservable }) => {
    expectObservable(fromChat(marbleGateway('--a-b-|'), request(false)).pipe(tags)).toBe('------(f|)', {
      f: 'ReplyFinished',
    })
  }))

test('sends at subscription, anew for each, and stops when it is left', (t) =>
  marbles(t.deepEqual, ({ expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('---a---b---|')
    const event$ = fromChat(gateway, request(true)).pipe(tags)
    t.is(gateway.requests.length, 0)
    expectObservable(event$, '^-!').toBe('--')
    expectObservable(event$, '-^--!').toBe('----')
    expectSubscriptions(gateway.subscriptions).toBe(['^-!', '-^--!'])
  }))

test('fails with what had arrived when the stream ends before its finish reason', async (t) => {
  const gateway = marbleGateway('a-b-|', {}, undefined, { finishReason: null })
  const error = await t.throwsAsync<StreamInterrupted>(lastValueFrom(fromChat(gateway, request(true))))
  t.true(error instanceof StreamInterrupted)
  t.deepEqual(error?.partial?.replies, ['ab'])
})

test('refuses a request that is none before it is sent', async (t) => {
  const gateway = marbleGateway('a|')
  const event$ = fromChat(gateway, { ...request(true), temperature: 3 })
  t.like(await t.throwsAsync(lastValueFrom(event$)), { _tag: 'InvalidInput', path: 'temperature' })
  t.is(gateway.requests.length, 0)
})

test('keeps no text with collect: false', async (t) => {
  const events = await lastValueFrom(
    fromChat(marbleGateway('(ab|)'), request(true), { collect: false }).pipe(toArray()),
  )
  const last = events.at(-1)
  t.deepEqual(last?._tag === 'ReplyFinished' ? last.reply.replies : undefined, [''])
})

// ── gateways of one's own

const gatewayOf = (chat: Gateway['chat']): Gateway => ({ name: 'own', kind: 'openai', chat })

test('a reply without a choice is none', async (t) => {
  const events: ReadonlyArray<ReadonlyArray<GatewayEvent>> = [
    [],
    [{ _tag: 'Response', response: { choices: [] } }],
  ]
  for (const answer of events) {
    const error = await t.throwsAsync(
      lastValueFrom(
        fromChat(
          gatewayOf(() => from(answer)),
          request(false),
        ),
      ),
    )
    t.like(error, { _tag: 'InvalidResponse', path: 'choices', found: 'array(0)' })
  }
})

const chunk = (content: string, more: object = {}): GatewayEvent => ({
  _tag: 'Chunk',
  chunk: { choices: [{ index: 0, delta: { content }, ...more }] },
})

test('a synchronous gateway is stopped by whoever leaves', async (t) => {
  let pulled = 0
  const endless = function* () {
    for (;;) {
      pulled++
      yield chunk('a')
    }
  }
  const event$ = fromChat(
    gatewayOf(() => from(endless())),
    request(true),
  )
  t.is((await lastValueFrom(event$.pipe(take(3), toArray()))).length, 3)
  t.true(pulled < 5, `${pulled} pulled`)
})

test('an event that can not be read is an error of the reply', async (t) => {
  // A gateway without types.
  const broken = gatewayOf(() => of(JSON.parse('{"_tag":"Chunk","chunk":{}}')))
  await t.throwsAsync(lastValueFrom(fromChat(broken, request(true))), { instanceOf: TypeError })
})

test('a gateway that throws fails its generation, in the trace too', async (t) => {
  const sink = memorySink()
  const throwing = gatewayOf(() => {
    throw new Error('no gateway')
  })
  const reply$ = of('hi').pipe(respanGenerate({ model: 'm', gateway: throwing }), respanTrace('T', { sink }))
  await t.throwsAsync(lastValueFrom(reply$), { message: 'no gateway' })
  t.deepEqual(
    sink.spans().map(({ name, status }) => [name, status]),
    [
      ['respanGenerate', 'error'],
      ['T', 'error'],
    ],
  )
})

test('whoever leaves when a reply starts leaves no output after the end, nor a finished reply unfinished', async (t) => {
  const sink = memorySink()
  const gateway = gatewayOf(() => from([chunk('all of it', { finish_reason: 'stop' })]))
  const event$ = of('hi').pipe(
    respanGenerate({ model: 'm', stream: true, gateway }),
    respanTrace('T', { sink }),
  )
  t.is((await firstValueFrom(event$))._tag, 'ReplyStarted')
  const last = new Map(sink.events.map(({ spanId, _tag }) => [spanId, _tag]))
  t.deepEqual([...new Set(last.values())], ['SpanEnded'])
  t.is(sink.spans().find(({ name }) => name === 'respanGenerate')?.status, 'ok')
})

test('without collect, a reply is the same whether it is traced or not', async (t) => {
  const logprobs = { content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }] }
  const gateway = gatewayOf(() => from([chunk('a', { logprobs }), chunk('', { finish_reason: 'stop' })]))
  const generate = respanGenerate({ model: 'm', stream: true, collect: false, gateway })
  const untraced = await lastValueFrom(of('hi').pipe(generate, wholeReply()))
  const traced = await lastValueFrom(
    of('hi').pipe(generate, wholeReply(), respanTrace('T', { sink: memorySink() })),
  )
  t.deepEqual(traced, untraced)
})

test('logprobs that came before a whole response are not lost', async (t) => {
  const token = (text: string) => ({ token: text, logprob: -1, bytes: null, top_logprobs: [] })
  const message = { role: 'assistant' as const, content: 'ab' }
  const gateway = gatewayOf(() =>
    from<ReadonlyArray<GatewayEvent>>([
      chunk('a', { logprobs: { content: [token('a')] } }),
      chunk('b', { logprobs: { content: [token('b')] } }),
      { _tag: 'Response', response: { choices: [{ index: 0, message, finish_reason: 'stop' }] } },
    ]),
  )
  const finished = await lastValueFrom(fromChat(gateway, request(true)))
  const [meta] = finished._tag === 'ReplyFinished' ? finished.reply.meta : []
  t.deepEqual(meta?.logprobs, { content: [token('a'), token('b')] })
})

test('a whole response after chunks goes on with their reply', async (t) => {
  const message = { role: 'assistant' as const, content: 'ab' }
  const gateway = gatewayOf(() =>
    from<ReadonlyArray<GatewayEvent>>([
      chunk('a'),
      { _tag: 'Response', response: { choices: [{ index: 0, message, finish_reason: 'stop' }] } },
    ]),
  )
  const all = await lastValueFrom(fromChat(gateway, request(true)).pipe(tags, toArray()))
  t.deepEqual(all, ['ReplyStarted', 'TextDelta', 'TextDelta', 'ReplyFinished'])
})

test('logprobs of a whole response stay as they came, with what they say there is none of', async (t) => {
  const logprobs = { content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }], refusal: null }
  const message = { role: 'assistant' as const, content: 'a' }
  const response = { choices: [{ index: 0, message, finish_reason: 'stop', logprobs }] }
  const gateway = gatewayOf(() => of<GatewayEvent>({ _tag: 'Response', response }))
  const finished = await lastValueFrom(fromChat(gateway, request(true)))
  const [meta] = finished._tag === 'ReplyFinished' ? finished.reply.meta : []
  t.deepEqual(meta?.logprobs, logprobs)
})

test('the id and the name of a call come once, however often a provider repeats them', async (t) => {
  const piece = (call: object) => chunk('', { delta: { tool_calls: [{ index: 0, ...call }] } })
  const gateway = gatewayOf(() =>
    from([
      piece({ id: 'c', function: { name: 'f', arguments: '{' } }),
      piece({ id: 'c', function: { name: 'f', arguments: '' } }),
      piece({ id: '', function: { name: '', arguments: '}' } }),
      chunk('', { finish_reason: 'tool_calls' }),
    ]),
  )
  const events = await lastValueFrom(fromChat(gateway, request(true)).pipe(toArray()))
  t.deepEqual(
    events.flatMap((event) =>
      event._tag === 'ToolCallDelta' ? [[event.callId, event.name, event.json]] : [],
    ),
    [
      ['c', 'f', '{'],
      [undefined, undefined, ''],
      [undefined, undefined, '}'],
    ],
  )
})

test('ids of calls that are numbers become text, whole or streamed', async (t) => {
  const called = (id: number) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
  const pieces = [called(0), called(7), { id: 7, function: { arguments: ' ' } }]
  const streamed = gatewayOf(() =>
    from([
      ...pieces.map((call) => chunk('', { delta: { tool_calls: [call] } })),
      chunk('', { finish_reason: 'tool_calls' }),
    ]),
  )
  const message = { content: null, tool_calls: [called(0), called(7)] }
  const whole = gatewayOf(() =>
    of<GatewayEvent>({
      _tag: 'Response',
      response: { choices: [{ index: 0, message, finish_reason: 'tool_calls' }] },
    }),
  )
  for (const [gateway, json] of [
    [streamed, '{} '],
    [whole, '{}'],
  ] as const) {
    const events = await lastValueFrom(fromChat(gateway, request(true)).pipe(toArray()))
    const ids = events.flatMap((event) => (event._tag === 'ToolCallDelta' ? [event.callId] : []))
    t.deepEqual(
      ids.filter((id) => id !== undefined),
      ['0', '7'],
    )
    const [reply] = events.flatMap((event) => (event._tag === 'ReplyFinished' ? [event.reply] : []))
    t.deepEqual(reply?.messages[0]?.tool_calls, [
      { id: '0', type: 'function', function: { name: 'f', arguments: '{}' } },
      { id: '7', type: 'function', function: { name: 'f', arguments: json } },
    ])
  }
})

for (const finish_reason of ['', null, undefined])
  test(`a whole reply is finished with ${JSON.stringify(finish_reason)} as its reason`, async (t) => {
    const choice = {
      index: 0,
      message: { content: 'hi' },
      ...(finish_reason !== undefined && { finish_reason }),
    }
    const gateway = gatewayOf(() => of<GatewayEvent>({ _tag: 'Response', response: { choices: [choice] } }))
    const last = await lastValueFrom(fromChat(gateway, request(false)))
    t.like(last, { _tag: 'ReplyFinished', reply: { replies: ['hi'] } })
    t.is(last._tag === 'ReplyFinished' ? last.reply.meta[0]?.finish_reason : last._tag, null)
  })

test('calls without an index are put together by their ids, in linear time', async (t) => {
  const count = 60_000
  const piece = (id: string, json: string): GatewayEvent =>
    chunk('', { delta: { tool_calls: [{ id, function: { name: 'f', arguments: json } }] } })
  const gateway = gatewayOf(() =>
    from([
      ...Array.from({ length: count }, (_, index) => piece(`c${index}`, '{')),
      piece('c0', '}'),
      chunk('', { finish_reason: 'tool_calls' }),
    ]),
  )
  const [message] = (await lastValueFrom(fromChat(gateway, request(true)).pipe(wholeReply()))).messages
  t.is(message?.tool_calls?.length, count)
  t.deepEqual(message?.tool_calls?.[0], {
    id: 'c0',
    type: 'function',
    function: { name: 'f', arguments: '{}' },
  })
})

test('what comes beside log probabilities is put together in linear time, and becomes no prototype', async (t) => {
  const count = 30_000
  const beside = (name: string): GatewayEvent =>
    chunk('a', { logprobs: Object.fromEntries([[name, { a: 1 }]]) })
  const gateway = gatewayOf(() =>
    from([
      ...Array.from({ length: count }, (_, index) => beside(`x${index}`)),
      beside('__proto__'),
      chunk('', { finish_reason: 'stop' }),
    ]),
  )
  const [meta] = (await lastValueFrom(fromChat(gateway, request(true)).pipe(wholeReply()))).meta
  t.is(Object.keys(meta?.logprobs ?? {}).length, count + 1)
  t.is(Object.getPrototypeOf(meta?.logprobs), Object.prototype)
})

test('a span does not change when its caller changes what was sent', async (t) => {
  const sink = memorySink()
  const attributes = { properties: { a: 1 }, metadata: { nested: { k: 1 } } }
  await lastValueFrom(
    of({ prompt: 'hi', attributes }).pipe(
      respanGenerate({ model: 'm', gateway: marbleGateway('a|') }),
      respanTrace('T', { sink }),
    ),
  )
  attributes.properties.a = 2
  attributes.metadata.nested.k = 2
  t.deepEqual(sink.spans()[0]?.attributes, { properties: { a: 1 }, metadata: { nested: { k: 1 } } })
})
