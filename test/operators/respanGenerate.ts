import test from 'ava'
import * as t from 'io-ts'
import { string, type Type, type } from 'io-ts'
import {
  assistant,
  type Gateway,
  InvalidInput,
  isRespanError,
  NetworkError,
  openaiGenerate,
  type Reply,
  type ReplyEvent,
  type RespanAttributes,
  respanGateway,
  respanGenerate,
  respanTrace,
  StreamInterrupted,
  snapshots,
  system,
  type TraceAttributes,
  tokens,
  toolResult,
  user,
  wholeReply,
} from 'respan-rx'
import { type MarbleGateway, marbleGateway, marbles, memorySink } from 'respan-rx/testing'
import {
  catchError,
  exhaustMap,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
  switchMap,
  take,
  tap,
  toArray,
} from 'rxjs'
import { anything } from '../helpers/anything.js'
import { sendJson, serve } from '../helpers/server.js'

const model = 'm'

const textOf = map(({ replies }: Reply) => replies[0])

const tagOf = <T>(source: Observable<T>): Observable<T | string> =>
  source.pipe(catchError((error: unknown) => of(isRespanError(error) ? error._tag : 'foreign')))

const requestOf = async (run: (gateway: MarbleGateway) => Observable<unknown>): Promise<unknown> => {
  const gateway = marbleGateway('a|')
  await lastValueFrom(run(gateway))
  return gateway.requests[0]
}

test('emits one reply per item, in order', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const gateway = marbleGateway('--a-b-|')
    const reply$ = cold('pq|', { p: 'hi', q: 'ho' }).pipe(respanGenerate({ model, gateway }), textOf)
    expectObservable(reply$).toBe('------a-----(b|)', { a: 'ab', b: 'ab' })
    expectObservable(cold('|').pipe(respanGenerate({ model, gateway }))).toBe('|')
  }))

test('emits tokens as they arrive, then the reply with its usage', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const gateway = () => marbleGateway('--a-b-|', { a: 'Hello ', b: 'you' })
    const ask = () =>
      cold('p|', { p: 'hi' }).pipe(respanGenerate({ model, stream: true, gateway: gateway() }))
    expectObservable(ask().pipe(tokens())).toBe('       --a-b-|', { a: 'Hello ', b: 'you' })
    expectObservable(ask().pipe(snapshots())).toBe('    --a-b-|', { a: 'Hello ', b: 'Hello you' })
    expectObservable(ask().pipe(wholeReply())).toBe('   ------(r|)', {
      r: {
        replies: ['Hello you'],
        meta: [
          {
            model,
            index: 0,
            finish_reason: 'stop',
            usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
          },
        ],
        messages: [assistant('Hello you')],
      },
    })
  }))

test('tells interleaved replies apart by their ids', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const gateway = marbleGateway(['--a---b-|', '--c---d-|'])
    const question$ = cold('p-q|', { p: 'first', q: 'second' })
    const generate = respanGenerate({ model, stream: true, gateway, flatten: mergeMap })
    expectObservable(question$.pipe(generate, tokens())).toBe('   --a-c-b-d-|')
    expectObservable(cold('p-q|').pipe(generate, snapshots())).toBe('--c-d-e-f-|', {
      c: 'c',
      d: 'c',
      e: 'cd',
      f: 'cd',
    })
  }))

test('what reads events refuses whole replies, and says what to do', async (t) => {
  const reply$ = of('hi').pipe(respanGenerate({ model, gateway: marbleGateway('a|') }))
  const readers = { tokens: tokens(), snapshots: snapshots(), wholeReply: wholeReply() }
  for (const [name, reader] of Object.entries<OperatorFunction<ReplyEvent, string | Reply>>(readers)) {
    const refused = async (source: Observable<unknown>) =>
      t.throwsAsync(lastValueFrom(anything<Observable<ReplyEvent>>(source).pipe(reader)))
    const error = await refused(reply$)
    t.true(error instanceof InvalidInput)
    t.is(
      error?.message,
      `${name}: expected a ReplyEvent (set stream: true on the generator), found object with keys replies, meta, messages.`,
    )
    for (const value of [undefined, null, 'text', { _tag: 1 }])
      t.like(await refused(of(value)), { _tag: 'InvalidInput' })
  }
})

test('snapshots keep no more than a thousand replies that were left unfinished', async (t) => {
  const delta = (id: number, text = 'x'): ReplyEvent => ({
    _tag: 'TextDelta',
    id: String(id),
    choice: 0,
    text,
  })
  const textsOf = (...events: ReadonlyArray<ReplyEvent>) =>
    lastValueFrom(from(events).pipe(snapshots(), toArray()))
  const others = Array.from({ length: 999 }, (_, index) => delta(index + 1))
  t.is((await textsOf(delta(0), ...others, delta(0, 'y'))).at(-1), 'xy')
  t.is((await textsOf(delta(0), ...others, delta(1_000), delta(0, 'y'))).at(-1), 'y')
  t.is((await textsOf(delta(0), ...others, delta(0, 'y'), delta(1_000), delta(0, 'z'))).at(-1), 'xyz')
})

test('a switching generator aborts the request of the item before', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('--a-b-|')
    const generate = respanGenerate({ model, stream: true, gateway, flatten: switchMap })
    expectObservable(cold('p--q---|', { p: '1', q: '2' }).pipe(generate, tokens())).toBe('--a--a-b-|')
    expectSubscriptions(gateway.subscriptions).toBe(['^--!', '---^-----!'])
  }))

test('an exhausting generator leaves out what comes meanwhile; concurrency bounds a merging one', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const exhausted = marbleGateway('--a|')
    expectObservable(
      cold('pq--r|', { p: '1', q: '2', r: '3' }).pipe(
        respanGenerate({ model, stream: true, gateway: exhausted, flatten: exhaustMap }),
        tokens(),
      ),
    ).toBe('--a---a|')
    const merged = marbleGateway('----a|')
    const generate = respanGenerate({
      model,
      stream: true,
      gateway: merged,
      flatten: mergeMap,
      concurrency: 2,
    })
    expectObservable(cold('(pqr|)', { p: '1', q: '2', r: '3' }).pipe(generate, tokens())).toBe('----(aa)-a|')
    expectSubscriptions(merged.subscriptions).toBe(['^----!', '^----!', '-----^----!'])
  }))

test('unsubscribing aborts the request in every state', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('---a---b---|')
    const token$ = cold('p|', { p: 'hi' }).pipe(respanGenerate({ model, stream: true, gateway }), tokens())
    expectObservable(token$, '^!').toBe('       --')
    expectObservable(token$, '^---!').toBe('    ---a-')
    expectObservable(token$, '^-----!').toBe('  ---a---')
    expectSubscriptions(gateway.subscriptions).toBe(['^!', '^---!', '^-----!'])
  }))

test('taking what it wants stops the request', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('--a-b-c-|')
    const token$ = cold('p|', { p: 'hi' }).pipe(
      respanGenerate({ model, stream: true, gateway }),
      tokens(),
      take(2),
    )
    expectObservable(token$).toBe('           --a-(b|)')
    expectSubscriptions(gateway.subscriptions).toBe('^---!')
  }))

test('a stream without a finish reason is an error with what had arrived, not a short success', async (t) => {
  const gateway = marbleGateway('a-b-|', {}, undefined, { finishReason: null })
  for (const stream of [true, false] as const) {
    const error = await t.throwsAsync<StreamInterrupted>(
      lastValueFrom(of('hi').pipe(respanGenerate({ model, stream: true, gateway }))),
    )
    t.true(error instanceof StreamInterrupted)
    t.deepEqual(error?.partial?.replies, ['ab'], String(stream))
  }
})

test('an error in mid-stream carries what had arrived', async (t) => {
  const gateway = marbleGateway('a-b-#', {}, new NetworkError('gone'))
  const error = await t.throwsAsync<NetworkError>(
    lastValueFrom(of('hi').pipe(respanGenerate({ model, stream: true, gateway }))),
  )
  t.is(error?.message, 'gone')
  t.deepEqual(error?.partial?.replies, ['ab'])
  t.is(error?.partial?.meta[0]?.finish_reason, null)
})

test('forwards an error of its source and makes no request', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const gateway = marbleGateway('a|')
    expectObservable(cold<string>('-#').pipe(respanGenerate({ model, gateway }))).toBe('-#')
    t.is(gateway.requests.length, 0)
  }))

test('takes a text, messages, and objects whose values go over the operator’s', async (t) => {
  const attributes = { customer_identifier: 'c', metadata: { a: 1, b: 1 } }
  const options = { model, attributes, params: { temperature: 1, max_tokens: 9 } }
  const ask = (input: Parameters<ReturnType<typeof respanGenerate>['project']>[0]) =>
    requestOf((gateway) => of(input).pipe(respanGenerate({ ...options, gateway })))
  const common = { ...attributes, temperature: 1, max_tokens: 9, model }
  t.deepEqual(await ask('hi'), { ...common, messages: [user('hi')] })
  const messages = [system('be brief'), user('hi'), assistant('ho'), toolResult('call_1', '{}')]
  t.deepEqual(await ask(messages), { ...common, messages })
  t.deepEqual(
    await ask({
      prompt: 'hi',
      model: 'n',
      params: { temperature: 0 },
      attributes: { metadata: { b: 2 }, thread_identifier: 't' },
    }),
    {
      ...common,
      model: 'n',
      temperature: 0,
      thread_identifier: 't',
      metadata: { a: 1, b: 2 },
      messages: [user('hi')],
    },
  )
  t.deepEqual(await ask({ messages }), { ...common, messages })
})

test('attributes and params may be functions of the input; extraBody goes along', async (t) => {
  const request = await requestOf((gateway) =>
    of('hi').pipe(
      respanGenerate({
        model,
        gateway,
        attributes: (input) => ({ metadata: { input } }),
        params: (input) => ({ max_tokens: String(input).length }),
        extraBody: { brand_new: true, metadata: { extra: 1 }, max_tokens: undefined },
      }),
    ),
  )
  t.deepEqual(request, {
    model,
    messages: [user('hi')],
    metadata: { input: 'hi', extra: 1 },
    max_tokens: 2,
    brand_new: true,
  })
})

test('an item’s values go over every value of the operator’s, and what is undefined hides nothing', async (t) => {
  const own = {
    params: { temperature: 1, seed: undefined },
    attributes: { metadata: { b: 2 }, note: undefined },
  }
  const ask = (options: object, input: object) =>
    requestOf((gateway) =>
      of(anything<string>(input)).pipe(respanGenerate(anything<{ model: string }>({ gateway, ...options }))),
    )
  const patch = { temperature: 0, seed: 7 }
  t.like(await ask({ promptId: 'p', prompt: { patch } }, own), {
    prompt: { patch: { temperature: 1, seed: 7 } },
    metadata: { b: 2 },
  })
  t.like(await ask({ promptId: 'p', prompt: { schema_version: 1, override_params: patch } }, own), {
    prompt: { override_params: { temperature: 1, seed: 7 } },
  })
  const extraBody = { ...patch, metadata: { a: 1, b: 1 }, note: 'mine' }
  t.deepEqual(await ask({ model, extraBody }, { prompt: 'hi', ...own }), {
    model,
    messages: [user('hi')],
    temperature: 1,
    seed: 7,
    metadata: { a: 1, b: 2 },
    note: 'mine',
  })
})

for (const [who, attributes] of [
  ['a load-balancing group', { load_balance_group: { group_id: 'g' } }],
  ['a load-balancing list', { load_balance_models: [{ model: 'a', weight: 1 }] }],
  ['the router', { models: ['a', 'b'] }],
] as const)
  test(`leaves the model to ${who}, whom a model of its own would overrule`, async (t) => {
    const asked = (given: Parameters<typeof respanGenerate>[0]) =>
      requestOf((gateway) => of('hi').pipe(respanGenerate(anything({ ...given, gateway }))))
    const request = { ...attributes, messages: [user('hi')] }
    t.deepEqual(await asked({ attributes }), request)
    t.deepEqual(await asked({ attributes: () => attributes }), request)
  })

test('a function that names nobody who picks the model is told, before any request', async (t) => {
  const gateway = marbleGateway('a|')
  const error = await t.throwsAsync<InvalidInput>(
    lastValueFrom(
      of('hi').pipe(respanGenerate({ gateway, attributes: () => anything<never>({ note: 'n' }) })),
    ),
    { name: 'InvalidInput' },
  )
  t.is(error?.expected, 'ChatRequest with messages and a model, or with a prompt')
  t.is(gateway.requests.length, 0)
})

test('asks for the usage of a stream', async (t) => {
  const request = await requestOf((gateway) =>
    of('hi').pipe(respanGenerate({ model, gateway, stream: true })),
  )
  t.like(request, { stream: true, stream_options: { include_usage: true } })
})

test('other options of a stream go along, and usage is not asked for where a server refuses it', async (t) => {
  const asked = async (stream_options: object) =>
    requestOf((gateway) =>
      of('hi').pipe(respanGenerate({ model, gateway, stream: true, extraBody: { stream_options } })),
    )
  t.like(await asked({ include_obfuscation: false }), {
    stream_options: { include_usage: true, include_obfuscation: false },
  })
  t.like(await asked({ include_usage: false }), { stream_options: { include_usage: false } })
})

test('an item’s options of a stream win over the operator’s', async (t) => {
  const request = await requestOf((gateway) =>
    of({ prompt: 'hi', params: { seed: 1, stream_options: { include_obfuscation: false } } }).pipe(
      respanGenerate({
        model,
        gateway,
        stream: true,
        extraBody: { stream_options: { include_obfuscation: true } },
      }),
    ),
  )
  t.like(request, { stream_options: { include_usage: true, include_obfuscation: false } })
})

test('a stored prompt is asked for by schema 2, with params as its patch', async (t) => {
  const ask = (settings: object, input: object) =>
    requestOf((gateway) => of(input).pipe(respanGenerate({ promptId: 'p', gateway, ...settings })))
  t.deepEqual(await ask({}, { variables: { a: 1 } }), {
    prompt: { prompt_id: 'p', variables: { a: 1 }, schema_version: 2, echo: false },
  })
  t.deepEqual(await ask({ params: { temperature: 0 } }, { messages: [user('more')] }), {
    messages: [user('more')],
    prompt: { prompt_id: 'p', schema_version: 2, echo: false, patch: { temperature: 0 } },
  })
  t.deepEqual(await ask({ params: { n: 2 }, prompt: { schema_version: 1, version: 3, echo: true } }, {}), {
    prompt: {
      prompt_id: 'p',
      schema_version: 1,
      version: 3,
      echo: true,
      override: true,
      override_params: { n: 2 },
    },
  })
  const nothing = { schema_version: 1, override_params: {} }
  t.deepEqual(await ask({ prompt: nothing }, {}), {
    prompt: { prompt_id: 'p', schema_version: 1, echo: false, override: true },
  })
})

const Variables = t.type(
  {
    since: new t.Type<Date, string, unknown>(
      'DateFromText',
      (u): u is Date => u instanceof Date,
      (u, context) => {
        const date = new Date(String(u))
        return Number.isNaN(date.getTime()) ? t.failure(u, context) : t.success(date)
      },
      (date) => date.toISOString(),
    ),
  },
  'Variables',
)

test('typed variables are the input, checked before any request, and sent as they are encoded', async (t) => {
  const gateway = marbleGateway('a|')
  const generate = respanGenerate({ promptId: 'p', variables: Variables, gateway })
  await lastValueFrom(of({ since: new Date(0) }).pipe(generate))
  t.deepEqual(gateway.requests[0]?.prompt?.variables, { since: '1970-01-01T00:00:00.000Z' })
  const error = await t.throwsAsync<InvalidInput>(
    lastValueFrom(of(anything<{ since: Date }>({ since: 'now' })).pipe(generate)),
  )
  t.true(error instanceof InvalidInput)
  t.true(error?.path.startsWith('variables'))
  t.is(gateway.requests.length, 1)
})

test('what a codec of variables threw is the cause of the error', async (t) => {
  const generate = respanGenerate({ promptId: 'p', variables: Variables, gateway: marbleGateway('a|') })
  const error = await t.throwsAsync<InvalidInput>(
    lastValueFrom(of(anything<{ since: Date }>({ since: 'now' })).pipe(generate)),
  )
  t.true(error?.cause instanceof TypeError)
})

test('an item of the wrong shape is an InvalidInput that names its path, before any request', async (t) => {
  const gateway = marbleGateway('a|')
  const wrong = async (input: unknown): Promise<string | undefined> => {
    const error = await t.throwsAsync<InvalidInput>(
      lastValueFrom(of(anything<string>(input)).pipe(respanGenerate({ model, gateway }))),
    )
    t.is(error?._tag, 'InvalidInput')
    return error?.path
  }
  t.is(await wrong([]), 'messages')
  t.is(await wrong(7), 'input')
  t.is(await wrong({ prompt: 'hi', params: { temperature: 3 } }), 'params.temperature')
  t.is(await wrong({ prompt: 7 }), 'prompt')
  for (const blank of ['', ' ', 7, null]) t.is(await wrong({ prompt: 'hi', model: blank }), 'model')
  t.is(await wrong({ prompt: 'hi', messages: [user('ho')] }), 'messages')
  t.is(await wrong({ prompt: 'hi', attributes: { metadata: 1 } }), 'attributes.metadata')
  t.regex((await wrong([user('hi'), { role: 'user' }])) ?? '', /^messages\[1\]/)
  t.is(gateway.requests.length, 0)
})

test('an item of which a stored prompt would read nothing is refused, one with more to it is not', async (t) => {
  const gateway = marbleGateway('a|')
  const ask = respanGenerate({ promptId: 'p', gateway })
  const asked = (input: object) => lastValueFrom(of(input).pipe(ask))
  const error = await t.throwsAsync(asked({ user_input: 'tea' }), { instanceOf: InvalidInput })
  t.is(
    error?.message,
    'respanGenerate: user_input: expected one of the fields variables, messages, model, params, attributes; the variables of a prompt go under variables, found string(3 characters).',
  )
  t.is(gateway.requests.length, 0)
  const more = { question: 'tea?', variables: { user_input: 'tea' } }
  for (const input of [{}, { user_input: undefined }, more]) await asked(input)
  await lastValueFrom(of({ id: 1, prompt: 'hi' }).pipe(respanGenerate({ model, gateway })))
  t.is(gateway.requests.length, 4)
})

test('an error thrown by a function of the user’s travels down the error channel as it is', async (t) => {
  const mine = new RangeError('mine')
  const attributes = () => {
    throw mine
  }
  const error = await t.throwsAsync(
    lastValueFrom(of('hi').pipe(respanGenerate({ model, gateway: marbleGateway('a|'), attributes }))),
  )
  t.is(error, mine)
})

test('a path leads to what is wrong, however it is named', async (t) => {
  const gateway = marbleGateway('a|')
  const path = async <A>(variables: Type<A>, value: unknown) => {
    const generate = respanGenerate({ promptId: 'p', variables, gateway })
    return (await t.throwsAsync<InvalidInput>(lastValueFrom(of(anything<A>(value)).pipe(generate))))?.path
  }
  t.is(await path(type({ 'user-input': string }), { 'user-input': 1 }), 'variables["user-input"]')
  t.is(await path(type({ topic: string }), {}), 'variables.topic')
  t.is(await path(string, 1), 'variables')
  t.is(await path(string, 'tea'), 'variables')
  const item = async (value: object) =>
    (
      await t.throwsAsync<InvalidInput>(
        lastValueFrom(of(value).pipe(respanGenerate({ promptId: 'p', gateway }))),
      )
    )?.path
  t.is(await item({ variables: 3 }), 'variables')
  t.is(await item({ variables: { photo: { _type: 'image_url' } } }), 'variables.photo.value')
})

test('what a function of the user’s gives is checked like a value', async (t) => {
  const gateway = marbleGateway('a|')
  const path = async (options: object): Promise<string | undefined> => {
    const generate = respanGenerate(anything<{ model: string }>({ model, gateway, ...options }))
    return (await t.throwsAsync<InvalidInput>(lastValueFrom(of('hi').pipe(generate))))?.path
  }
  t.is(await path({ params: () => ({ temperature: 3 }) }), 'params.temperature')
  t.is(await path({ attributes: () => 'vip' }), 'attributes')
  t.is(await path({ attributes: () => of({ customer_identifier: 'c' }) }), 'attributes')
  t.is(await path({ params: () => of({ temperature: 0 }) }), 'params')
  t.is(await path({ params: async () => ({ temperature: 1 }) }), 'params')
  t.is(await path({ attributes: async () => ({}) }), 'attributes')
  t.is(gateway.requests.length, 0)
})

test('an item that nobody flattened, or of another shape, is told from what can be asked', async (t) => {
  const gateway = marbleGateway('a|')
  for (const options of [{ model }, { promptId: 'p' }])
    for (const [input, found] of [
      [Promise.resolve('hi'), 'a promise: await it in component() or concatMap()'],
      [of('hi'), 'an observable: flatten it with concatMap()'],
      [undefined, 'undefined'],
      [null, 'null'],
    ] as const) {
      const generate = respanGenerate(anything<{ model: string }>({ ...options, gateway }))
      const error = await t.throwsAsync(lastValueFrom(of(anything<string>(input)).pipe(generate)))
      t.like(error, { _tag: 'InvalidInput', path: 'input', found })
    }
  const lone = anything<string>(user('hi'))
  await t.throwsAsync(lastValueFrom(of(lone).pipe(respanGenerate({ model, gateway }))), {
    message:
      'respanGenerate: input: expected a string, a list of messages, or an object with a prompt or messages, found object with keys role, content.',
  })
  t.is(gateway.requests.length, 0)
})

test('a wrong option of the connection is told by the operator that was given it', (t) => {
  for (const [name, generate] of Object.entries({ respanGenerate, openaiGenerate })) {
    const error = t.throws(() => generate({ model, timeout: -1 }), { instanceOf: InvalidInput })
    t.true(error?.message.startsWith(`${name}: timeout: expected `), error?.message)
  }
})

test('a fetch that gives no response is told as such, and not asked again', async (t) => {
  for (const [answer, found] of [
    [undefined, 'undefined'],
    [{ choices: [] }, 'object with key choices'],
    [{ ok: true, headers: { 'content-type': 'application/json' } }, 'object with keys ok, headers'],
  ] as const) {
    let calls = 0
    const fetch = async () => {
      calls += 1
      // What a caller without types can give.
      return anything(answer)
    }
    const asked = lastValueFrom(of('hi').pipe(respanGenerate({ model, apiKey: 'k', fetch })))
    const error = await t.throwsAsync(asked, { instanceOf: InvalidInput })
    t.is(error?.message, `fetch: expected a Response, found ${found}.`)
    t.is(calls, 1)
  }
})

test('a path alone, as a page knows its own server, reaches nobody where there is no page', async (t) => {
  // A server that renders the page loads the file that makes it.
  const ask = respanGenerate({ model, apiKey: 'k', baseUrl: '/api/respan' })
  const error = await t.throwsAsync(lastValueFrom(of('hi').pipe(ask)), { instanceOf: InvalidInput })
  t.is(
    error?.message,
    'baseUrl: expected an http(s) URL without credentials, found a bare path, which works only in a page served over http(s).',
  )
})

test('what can be no base URL in a page either is refused when the operator is built', (t) => {
  for (const baseUrl of ['//other.local/api', 'api/respan', '/api/respan/chat/completions']) {
    const error = t.throws(() => respanGenerate({ model, baseUrl }), { instanceOf: InvalidInput })
    t.is(
      error?.message,
      `respanGenerate: baseUrl: expected an http(s) URL without credentials or /chat/completions (or, in a web page, a path), found string(${baseUrl.length} characters).`,
    )
  }
})

test('an option that nothing reads is refused, and told where it belongs', (t) => {
  const refused = (more: object): string | undefined =>
    // As a spread passes the compiler.
    t.throws(() => respanGenerate({ model, ...more }), { instanceOf: InvalidInput })?.message
  const instead = (option: string, meant: string, found = 'number 1') =>
    `respanGenerate: ${option}: expected ${meant} instead, found ${found}.`
  t.is(refused({ baseURL: 'sk-secret' }), instead('baseURL', 'baseUrl', 'string(9 characters)'))
  for (const [misspelt, meant] of [
    ['base_url', 'baseUrl'],
    ['API-KEY', 'apiKey'],
    ['modle', 'model'],
    ['models', 'attributes.models'],
    ['modl', 'model'],
    ['mordel', 'model'],
    ['promptld', 'promptId'],
    ['idletimeout', 'idleTimeout'],
    ['paarms', 'params'],
    ['header', 'headers'],
  ] as const)
    t.is(refused({ [misspelt]: 1 }), instead(misspelt, meant))
  for (const far of ['headr', 'nam', 'key', 'dolem'])
    t.regex(refused({ [far]: 1 }) ?? '', /: expected one of the fields model, name, /)
  t.is(refused({ temperature: 1 }), instead('temperature', 'params.temperature'))
  t.is(refused({ maxRetries: 1 }), instead('maxRetries', 'retry.count'))
  t.is(refused({ customer_identifier: 1 }), instead('customer_identifier', 'attributes.customer_identifier'))
  t.is(refused({ messages: 1 }), instead('messages', 'messages as the input'))
  t.is(refused({ max_retries: 1 }), instead('max_retries', 'retry.count'))
  t.is(refused({ generation_kwargs: 1 }), instead('generation_kwargs', 'params and attributes'))
  t.is(refused({ prompt_variables: 1 }), instead('prompt_variables', 'variables'))
  t.is(refused({ streaming_callback: 1 }), instead('streaming_callback', 'stream: true and tokens()'))
  t.regex(
    refused({ streaming: true }) ?? '',
    /^respanGenerate: streaming: expected one of the fields model, name, /,
  )
  t.notThrows(() => respanGenerate({ model, ...{ baseURL: undefined } }))
})

test('options that can be known to be wrong are refused where the operator is built', (t) => {
  const gateway = marbleGateway('a|')
  const path = (build: () => unknown): string | undefined => t.throws<InvalidInput>(build)?.path
  t.is(
    // A JavaScript user's mistake: the types don't allow it.
    path(() => (respanGenerate as () => unknown)()),
    'model',
  )
  for (const refused of [
    () => respanGenerate(anything({ attributes: { fallback_models: ['a'] } })),
    () => respanGenerate(anything({ attributes: { model: 'm' } })),
    () => openaiGenerate(anything({ attributes: { models: ['a'] } })),
    () =>
      respanGenerate({
        gateway: marbleGateway('a|', {}, undefined, { kind: 'openai' }),
        attributes: { models: ['a'] },
      }),
  ])
    t.is(path(refused), 'model')
  t.is(
    path(() => respanGenerate({ model: ' ' })),
    'model',
  )
  t.is(
    path(() => respanGenerate({ model, name: ' ' })),
    'name',
  )
  t.is(
    path(() => respanGenerate({ promptId: '' })),
    'promptId',
  )
  t.is(
    path(() => respanGenerate({ model, params: { n: 0 } })),
    'params.n',
  )
  t.is(
    path(() => respanGenerate({ model, attributes: { customer_identifier: 'x'.repeat(121) } })),
    'attributes.customer_identifier',
  )
  t.is(
    path(() => respanGenerate({ model, extraBody: { temperature: 'warm' } })),
    'extraBody.temperature',
  )
  t.is(
    path(() => respanGenerate({ model, gateway, concurrency: 2 })),
    'concurrency',
  )
  t.is(
    path(() => respanGenerate({ model, gateway, flatten: switchMap, concurrency: 2 })),
    'concurrency',
  )
  t.is(
    path(() => respanGenerate(anything({ model, apiKey: 'k', gateway }))),
    'apiKey',
  )
  const openai = marbleGateway('a|', {}, undefined, { kind: 'openai' })
  t.is(
    path(() => respanGenerate({ promptId: 'p', gateway: openai })),
    'promptId',
  )
  t.is(
    path(() => openaiGenerate(anything({ promptId: 'p' }))),
    'promptId',
  )
  t.is(
    path(() => respanGenerate({ promptId: 'p', prompt: { version: 0 } })),
    'prompt.version',
  )
  for (const [setting, value] of [
    ['prompt_id', 'q'],
    ['variables', { a: 1 }],
    ['schema_version', 3],
    ['schema_version', null],
  ])
    t.is(
      path(() => respanGenerate({ promptId: 'p', prompt: { [setting as string]: value } })),
      `prompt.${setting}`,
    )
  for (const [schema_version, unread] of [
    [1, { patch: { n: 1 } }],
    [2, { override: false }],
    [undefined, { override_params: { n: 1 } }],
    [2, { override_config: { messages_override_mode: 'append' } }],
  ] as const) {
    const settings = { ...(schema_version === undefined ? {} : { schema_version }), ...unread }
    const error = t.throws<InvalidInput>(() => respanGenerate({ promptId: 'p', prompt: settings }))
    t.is(error?.path, `prompt.${Object.keys(unread)[0]}`)
    t.is(error?.expected, `schema_version: ${schema_version === 1 ? 2 : 1} alongside it`)
  }
  for (const [schema_version, changed] of [
    [2, 'patch'],
    [1, 'override_params'],
  ] as const)
    for (const wrong of ['temperature: 1', ['temperature', 1], 1, null])
      t.is(
        path(() => respanGenerate(anything({ promptId: 'p', prompt: { schema_version, [changed]: wrong } }))),
        `prompt.${changed}`,
      )
  for (const prompt of [null, 'v2', 2, ['v2'], () => 2])
    t.is(
      path(() => respanGenerate(anything({ promptId: 'p', prompt }))),
      'prompt',
    )
  t.is(
    path(() => respanGenerate(anything({ model, prompt: { version: 1 } }))),
    'prompt',
  )
  t.is(
    path(() => respanGenerate(anything({ model, gateway: { gateway } }))),
    'gateway',
  )
  t.is(
    path(() => respanGenerate(anything({ model, gateway, flatten: 'switchMap' }))),
    'flatten',
  )
})

test('sends no Respan field to a gateway that is not Respan’s', async (t) => {
  const gateway = marbleGateway('a|', {}, undefined, { kind: 'openai' })
  await lastValueFrom(
    of('hi').pipe(respanGenerate({ model, gateway, attributes: { customer_identifier: 'c' } })),
  )
  t.deepEqual(gateway.requests[0], { model, messages: [user('hi')] })
})

test("what is not sent to a gateway that is not Respan's is on the span all the same", async (t) => {
  const gateway = marbleGateway('a|', {}, undefined, { kind: 'openai' })
  const item = { prompt: 'hi', attributes: { customer_identifier: 'c', metadata: { b: 'i' } } }
  const attributesOn = async (generator: OperatorFunction<typeof item, unknown>): Promise<unknown> => {
    const sink = memorySink()
    const traced = respanTrace('T', { sink, attributes: { metadata: { a: 't' } } })
    await lastValueFrom(of(item).pipe(generator, traced))
    return sink.spans()[0]?.attributes
  }
  const attributes = { thread_identifier: 't', metadata: { b: 'o', c: 'o' }, fallback_models: ['f'] }
  t.deepEqual(await attributesOn(respanGenerate({ model, gateway, attributes })), {
    customer_identifier: 'c',
    thread_identifier: 't',
    metadata: { a: 't', b: 'i', c: 'o' },
  })
  t.deepEqual(await attributesOn(openaiGenerate({ model, gateway, extraBody: { metadata: { d: 'x' } } })), {
    customer_identifier: 'c',
    metadata: { a: 't', b: 'i', d: 'x' },
  })
  t.deepEqual(gateway.requests, [
    { model, messages: [user('hi')] },
    { model, messages: [user('hi')], metadata: { d: 'x' } },
  ])
})

test('puts together parallel tool calls, refusals and reasoning', async (t) => {
  const values = {
    r: { reasoning: 'hm ' },
    a: { toolCall: { index: 0, id: 'call_a', name: 'weather', arguments: '{"city":' } },
    b: { toolCall: { index: 1, id: 'call_b', name: 'time', arguments: '{}' } },
    c: { toolCall: { index: 0, arguments: '"Paris"}' } },
    n: { refusal: 'no' },
    f: { finish: 'tool_calls' },
  }
  const ask = (script: string) =>
    lastValueFrom(
      of('hi').pipe(
        respanGenerate({ model, stream: true, gateway: marbleGateway(script, values) }),
        toArray(),
        map((events) => ({ events, last: events.at(-1) })),
      ),
    )
  const { events, last } = await ask('(rabcf|)')
  t.deepEqual(
    events.map(({ _tag }) => _tag),
    ['ReplyStarted', 'ReasoningDelta', 'ToolCallDelta', 'ToolCallDelta', 'ToolCallDelta', 'ReplyFinished'],
  )
  const finished = last?._tag === 'ReplyFinished' ? last.reply : undefined
  t.deepEqual(finished?.messages, [
    assistant(null, {
      reasoning_content: 'hm ',
      tool_calls: [
        { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
        { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } },
      ],
    }),
  ])
  t.deepEqual(finished?.replies, [''])
  t.is(finished?.meta[0]?.finish_reason, 'tool_calls')
  const refused = (await ask('(n|)')).last
  t.deepEqual(refused?._tag === 'ReplyFinished' ? refused.reply.messages : [], [
    assistant(null, { refusal: 'no' }),
  ])
})

test('tells tool calls apart that come without an index, as some providers send them', async (t) => {
  const calling = (...tool_calls: ReadonlyArray<object>) => ({ choices: [{ delta: { tool_calls } }] })
  const first = { id: 'call_a', function: { name: 'weather', arguments: '{"x":1}' } }
  const second = { id: 'call_b', function: { name: 'time', arguments: '{' } }
  const rest = { function: { arguments: '}' } }
  const values = { a: calling(first), b: calling(second), c: calling(rest), d: calling(first, second, rest) }
  for (const script of ['(abc|)', '(d|)']) {
    const generate = respanGenerate({ model, stream: true, gateway: marbleGateway(script, values) })
    const { messages } = await lastValueFrom(of('hi').pipe(generate, wholeReply()))
    const [message] = messages
    const calls = message?.role === 'assistant' ? message.tool_calls : undefined
    t.deepEqual(
      calls?.map(({ id, function: { name } }) => [id, name]),
      [
        ['call_a', 'weather'],
        ['call_b', 'time'],
      ],
    )
    t.is(calls?.[0]?.function.arguments, '{"x":1}')
    t.is(calls?.[1]?.function.arguments, '{}')
  }
})

test('tells tool calls apart that have one index, as some gateways number them', async (t) => {
  const calling = (id: string | null, name: string | null, json: string) => ({
    choices: [{ delta: { tool_calls: [{ index: 0, id, function: { name, arguments: json } }] } }],
  })
  const values = {
    a: calling('call_a', 'weather', '{"x"'),
    b: calling('call_a', 'weather', ':1}'),
    c: calling('call_b', 'time', '{'),
    d: calling(null, null, '"y":'),
    e: calling('call_c', 'time', '{}'),
    f: calling('call_b', 'time', '2}'),
    g: { choices: [{ delta: {}, finish_reason: 'tool_calls' }] },
  }
  const generate = respanGenerate({ model, stream: true, gateway: marbleGateway('(abcdefg|)', values) })
  const { messages } = await lastValueFrom(of('hi').pipe(generate, wholeReply()))
  const type = 'function'
  t.deepEqual(messages, [
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_a', type, function: { name: 'weather', arguments: '{"x":1}' } },
        { id: 'call_b', type, function: { name: 'time', arguments: '{"y":2}' } },
        { id: 'call_c', type, function: { name: 'time', arguments: '{}' } },
      ],
    },
  ])
})

test('a call whose pieces have ids of their own, and no further name, is one', async (t) => {
  const piece = (id: string, name: string | null, json: string) => ({
    choices: [{ delta: { tool_calls: [{ index: 0, id, function: { name, arguments: json } }] } }],
  })
  const values = {
    a: piece('call_a', 'weather', '{"x"'),
    b: piece('call_b', null, ':1}'),
    c: { choices: [{ delta: {}, finish_reason: 'tool_calls' }] },
  }
  const generate = respanGenerate({ model, stream: true, gateway: marbleGateway('(abc|)', values) })
  const { messages } = await lastValueFrom(of('hi').pipe(generate, wholeReply()))
  t.like(messages, [{ tool_calls: [{ function: { name: 'weather', arguments: '{"x":1}' } }] }])
})

test('what a provider adds to a message or a call goes back with it, streamed or whole', async (t) => {
  const call = {
    id: 'call_a',
    type: 'function',
    function: { name: 'weather', arguments: '{"x":1}', strict: true },
    extra_content: { google: { thought_signature: 'signature' } },
  }
  const whole = {
    role: 'assistant',
    content: null,
    annotations: [{ url: 'a' }, { url: 'b' }],
    thinking_blocks: [
      { type: 'thinking', thinking: 'So it is.', signature: 'first' },
      { type: 'thinking', thinking: 'Hm.', signature: 'second' },
      { type: 'redacted_thinking', data: 'x' },
    ],
    reasoning_details: [
      { type: 'reasoning.text', text: 'I think.', index: 0, signature: 'third' },
      { type: 'reasoning.summary', summary: 'It thinks.', index: 1 },
      { type: 'reasoning.summary', summary: 'Enough.', index: 2 },
    ],
    audio: { id: 'voice', transcript: 'Good day', data: 'QUJD', expires_at: 1 },
    function_call: { name: 'f', arguments: '{"a":1}' },
    service: 'b',
    tool_calls: [call],
  }
  const deltas = [
    { role: 'assistant', content: '', annotations: [], service: 'a', provider: null },
    { annotations: [{ url: 'a' }], thinking_blocks: [{ type: 'thinking', thinking: 'So ', signature: '' }] },
    { thinking_blocks: [{ type: 'thinking', thinking: 'it is.' }] },
    { thinking_blocks: [{ type: 'thinking', thinking: '', signature: 'first' }], service: 'b' },
    { thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 'second' }] },
    { annotations: [{ url: 'b' }], thinking_blocks: [{ type: 'redacted_thinking', data: 'x' }] },
    { reasoning_details: [{ type: 'reasoning.text', text: 'I ', index: 0 }] },
    { reasoning_details: [{ type: 'reasoning.text', text: 'think.', index: 0 }] },
    { reasoning_details: [{ type: 'reasoning.text', index: 0, signature: 'third' }] },
    { reasoning_details: [{ type: 'reasoning.summary', summary: 'It ', index: 1 }] },
    { reasoning_details: [{ type: 'reasoning.summary', summary: 'thinks.', index: 1 }] },
    { reasoning_details: [{ type: 'reasoning.summary', summary: 'Enough.', index: 2 }] },
    { audio: { id: 'voice', transcript: 'Good ' }, function_call: { name: 'f', arguments: '{"a"' } },
    { audio: { transcript: 'day', data: 'QU' }, function_call: { arguments: ':1}' } },
    { audio: { data: 'JD', expires_at: 1 } },
    { tool_calls: [{ ...call, index: 0, function: { ...call.function, arguments: '{"x"' } }] },
    { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
  ]
  const chunks = [...deltas.map((delta) => ({ delta })), { delta: {}, finish_reason: 'tool_calls' }].map(
    (choice) => ({ choices: [choice] }),
  )
  const before = structuredClone(chunks)
  const sink = memorySink()
  const ask = async (collect: boolean) => {
    const gateway: Gateway = {
      name: 'test',
      kind: 'respan',
      chat: () => from(chunks.map((chunk) => ({ _tag: 'Chunk', chunk }) as const)),
    }
    const generate = respanGenerate({ model, stream: true, collect, gateway })
    const trace = respanTrace<Reply>('T', { sink: collect ? memorySink() : sink })
    return lastValueFrom(of('hi').pipe(generate, wholeReply(), trace))
  }
  const response = { choices: [{ message: whole, finish_reason: 'tool_calls' }] }
  const asked = respanGenerate({ model, gateway: marbleGateway('(a|)', { a: response }) })
  t.deepEqual((await ask(true)).messages, (await lastValueFrom(of('hi').pipe(asked))).messages)
  t.like((await ask(true)).messages[0], whole)
  t.deepEqual((await ask(false)).messages, [{ role: 'assistant', content: '' }])
  t.false(sink.spans().some(({ output }) => output?.includes('annotations')))
  t.deepEqual(chunks, before)
})

test('a stream that is answered by a response tells all of it, in one piece each', async (t) => {
  const call = { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{}' } }
  const message = { content: 'a', reasoning: 'r', refusal: 'n', tool_calls: [call] }
  const a = { choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }
  const generate = respanGenerate({ model, stream: true, gateway: marbleGateway('(a|)', { a }) })
  const events = await lastValueFrom(of('hi').pipe(generate, toArray()))
  t.deepEqual(
    events.map((event) => [event._tag, 'text' in event ? event.text : 'json' in event ? event.json : '']),
    [
      ['ReplyStarted', ''],
      ['ReasoningDelta', 'r'],
      ['TextDelta', 'a'],
      ['RefusalDelta', 'n'],
      ['ToolCallDelta', '{}'],
      ['ReplyFinished', ''],
    ],
  )
})

const chunk = (index: number, content: string, finish_reason: string | null = null) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  model: 'm-1',
  choices: [{ index, delta: { content }, finish_reason }],
})

test('joins the log probabilities of a stream, as far as its texts are kept', async (t) => {
  const token = (text: string) => ({ token: text, logprob: -1 })
  const piece = (content: string, logprobs: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta: { content }, logprobs, finish_reason }],
  })
  const values = {
    a: piece('a', { content: [token('a')], refusal: null }),
    b: piece('b', { content: [token('b')], note: 1 }),
    c: piece('c', { content: null, refusal: [token('no')] }, 'stop'),
  }
  const metaOf = async (collect: boolean) => {
    const gateway = marbleGateway('(abc|)', values)
    const generate = respanGenerate({ model, stream: true, collect, gateway })
    return (await lastValueFrom(of('hi').pipe(generate, wholeReply()))).meta[0]
  }
  const kept: unknown = (await metaOf(true))?.logprobs
  t.deepEqual(kept, {
    note: 1,
    content: [token('a'), token('b')],
    refusal: [token('no')],
  })
  t.is((await metaOf(false))?.logprobs, undefined)
})

test('keeps several choices apart, and their one usage on the first alone', async (t) => {
  const values = {
    a: chunk(1, 'B'),
    b: chunk(0, 'A'),
    c: chunk(0, 'a', 'stop'),
    d: chunk(1, 'b', 'length'),
    u: { choices: [], usage: { prompt_tokens: 1, completion_tokens: 4, total_tokens: 5 } },
  }
  const generate = respanGenerate({
    model,
    stream: true,
    params: { n: 2 },
    gateway: marbleGateway('(abcdu|)', values),
  })
  const reply = await lastValueFrom(of('hi').pipe(generate, wholeReply()))
  t.deepEqual(reply.replies, ['Aa', 'Bb'])
  t.deepEqual(
    reply.meta.map(({ index, finish_reason, usage, model: answering }) => [
      index,
      finish_reason,
      usage?.total_tokens,
      answering,
    ]),
    [
      [0, 'stop', 5, 'm-1'],
      [1, 'length', undefined, 'm-1'],
    ],
  )
  const second = await lastValueFrom(
    of('hi').pipe(
      respanGenerate({ model, stream: true, params: { n: 2 }, gateway: marbleGateway('(abcdu|)', values) }),
      tokens({ choice: 1 }),
      toArray(),
    ),
  )
  t.deepEqual(second, ['B', 'b'])
})

test('a provider that ignores n gives fewer choices, whole or streamed', async (t) => {
  const ask = (stream: boolean, values: Parameters<typeof marbleGateway>[1], marble = '(a|)') =>
    lastValueFrom(
      of('hi').pipe(
        respanGenerate({ model, stream, params: { n: 2 }, gateway: marbleGateway(marble, values) }),
        map((one) => ('_tag' in one ? (one._tag === 'ReplyFinished' ? one.reply : undefined) : one)),
        toArray(),
        map((all) => all.at(-1)?.replies),
      ),
    )
  const response = { choices: [{ index: 0, message: { content: 'only' }, finish_reason: 'stop' }] }
  t.deepEqual(await ask(false, { a: response }), ['only'])
  t.deepEqual(await ask(true, { a: response }), ['only'])
  t.deepEqual(await ask(true, { a: chunk(0, 'only', 'stop') }), ['only'])
  const begun = { a: chunk(0, 'one', 'stop'), b: chunk(1, 'tw') }
  await t.throwsAsync(ask(true, begun, '(ab|)'), { name: 'StreamInterrupted' })
})

test('the last usage that says anything counts, and a breakdown overwrites nothing', async (t) => {
  const usage = (total_tokens: number) => ({
    prompt_tokens: 1,
    completion_tokens: total_tokens - 1,
    total_tokens,
  })
  const breakdown = {
    id: 'request_breakdown',
    model: 'extra_parameter',
    object: 'chat.completion.chunk',
    usage: {},
    choices: [
      {
        index: 0,
        delta: { content: null, role: 'assistant' },
        finish_reason: 'stop',
        request_breakdown: { cost: 0.25, model: 'm-1' },
      },
    ],
  }
  const values = {
    a: chunk(0, 'A', 'length'),
    u: { choices: [], usage: usage(2) },
    v: { choices: [], usage: usage(5) },
    e: { choices: [], usage: {} },
    x: breakdown,
  }
  const generate = respanGenerate({ model, stream: true, gateway: marbleGateway('(auvex|)', values) })
  const reply = await lastValueFrom(of('hi').pipe(generate, wholeReply()))
  t.deepEqual(reply.meta, [{ model: 'm-1', index: 0, finish_reason: 'length', usage: usage(5), cost: 0.25 }])
  t.is(reply.breakdown?.model, 'm-1')
})

test('snapshots of a reply begin anew, also under an id that a finished one had', async (t) => {
  const generate = respanGenerate({ model, stream: true, gateway: marbleGateway('(ab|)') })
  const events = await lastValueFrom(of('hi').pipe(generate, toArray<ReplyEvent>()))
  const texts = await lastValueFrom(from([...events, ...events]).pipe(snapshots(), toArray()))
  t.deepEqual(texts, ['a', 'ab', 'a', 'ab'])
})

test('collect: false keeps of a reply what its trace shows, and nothing without content', async (t) => {
  const outputOf = async (captureContent: boolean) => {
    const sink = memorySink()
    const gateway = marbleGateway('(ab|)')
    const generate = respanGenerate({
      model,
      stream: true,
      collect: false,
      gateway,
      params: { n: 1, stop: 'END' },
    })
    await lastValueFrom(of('hi').pipe(generate, respanTrace('T', { sink, captureContent })))
    const [span] = sink.spans()
    return [span?.output, span?.generation?.request]
  }
  t.deepEqual(await outputOf(true), ['{"role":"assistant","content":"ab"}', { n: 1, stop: 'END' }])
  t.deepEqual(await outputOf(false), [undefined, { n: 1 }])
})

test('collect: false gives the tokens and keeps nothing of them', async (t) => {
  const generate = respanGenerate({ model, stream: true, collect: false, gateway: marbleGateway('(ab|)') })
  const events = await lastValueFrom(of('hi').pipe(generate, toArray<ReplyEvent>()))
  t.deepEqual(
    events.flatMap((event) => (event._tag === 'TextDelta' ? [event.text] : [])),
    ['a', 'b'],
  )
  const last = events.at(-1)
  t.deepEqual(last?._tag === 'ReplyFinished' ? last.reply.replies : [], [''])
  t.is(last?._tag === 'ReplyFinished' ? last.reply.meta[0]?.usage?.completion_tokens : 0, 1)
})

test('ids of the gateway’s headers end up in meta', async (t) => {
  const gateway = marbleGateway('a|', {}, undefined, { requestId: 'req', logId: 'log' })
  const { meta } = await firstValueFrom(of('hi').pipe(respanGenerate({ model, gateway })))
  t.like(meta[0], { requestId: 'req', logId: 'log' })
})

test('two subscriptions share no state', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const gateway = marbleGateway('-a-b|')
    const text$ = cold('p|', { p: 'hi' }).pipe(respanGenerate({ model, stream: true, gateway }), snapshots())
    expectObservable(text$).toBe('      -a-b|', { a: 'a', b: 'ab' })
    expectObservable(text$, '--^').toBe('---a-b|', { a: 'a', b: 'ab' })
  }))

test('its span has all that says whom and what the call is about, and nothing of how it is routed', (t) => {
  const about = {
    customer_identifier: 'c',
    customer_email: 'c@example.org',
    customer_name: 'C',
    customer_params: { customer_identifier: 'c', group_identifier: 'g', period_budget: 10 },
    thread_identifier: 't',
    session_identifier: 's',
    group_identifier: 'g',
    trace_group_identifier: 'tg',
    custom_identifier: 'id',
    evaluation_identifier: 'e',
    metadata: { k: 'v' },
    properties: { k: [1] },
    environment: 'test',
    note: 'n',
    category: 'k',
    positive_feedback: true,
  }
  const recorded = (operator: RespanAttributes, trace: TraceAttributes): unknown => {
    const sink = memorySink()
    marbles(t.deepEqual, ({ cold, expectObservable, clock, flush }) => {
      const reply$ = cold('p|', { p: 'hi' }).pipe(
        respanGenerate({ model, gateway: marbleGateway('a|'), attributes: operator }),
        respanTrace('T', { sink, clock, attributes: trace }),
        map(() => 'r'),
      )
      expectObservable(reply$).toBe('-(r|)')
      flush()
    })
    return sink.spans()[0]?.attributes
  }
  t.deepEqual(recorded({ ...about, fallback_models: ['f'], cache_enabled: true }, {}), about)
  t.deepEqual(recorded({}, about), about)
})

test("its span has the gateway's attributes, too, as they were sent", async (t) => {
  const server = await serve(t, (response) =>
    sendJson(response, { choices: [{ index: 0, message: { role: 'assistant', content: 'hi' } }] }),
  )
  const shared = { customer_identifier: 'g', thread_identifier: 'g', metadata: { a: 'g', b: 'g' } }
  const gateway = respanGateway({ baseUrl: server.url, apiKey: 'key', attributes: shared })
  const sink = memorySink()
  await lastValueFrom(
    of('hi').pipe(
      respanGenerate({ model, gateway, attributes: { thread_identifier: 'o', metadata: { b: 'o' } } }),
      respanTrace('T', { sink, attributes: { customer_identifier: 't', metadata: { c: 't' } } }),
    ),
  )
  const sent = { customer_identifier: 'g', thread_identifier: 'o', metadata: { a: 'g', b: 'o' } }
  t.like(JSON.parse(server.received[0]?.body ?? 'null'), sent)
  const [generation, root] = sink.spans()
  t.deepEqual(generation?.attributes, { ...sent, metadata: { c: 't', ...sent.metadata } })
  t.deepEqual(root?.attributes, { customer_identifier: 't', metadata: { c: 't' } })
  t.deepEqual(shared, { customer_identifier: 'g', thread_identifier: 'g', metadata: { a: 'g', b: 'g' } })
})

test('its span tells model, usage, first token, request and output', (t) => {
  const sink = memorySink()
  marbles(t.deepEqual, ({ cold, expectObservable, clock, flush }) => {
    const gateway = marbleGateway('---a-b-|', { a: 'Hello ', b: 'you' }, undefined, {
      requestId: 'req',
      logId: 'log',
    })
    const token$ = cold('p|', { p: 'hi' }).pipe(
      respanGenerate({
        model,
        stream: true,
        gateway,
        params: { temperature: 0.5 },
        attributes: { customer_identifier: 'c', metadata: { k: 'v' } },
      }),
      tokens(),
      respanTrace('T', { sink, clock, attributes: { metadata: { r: 1 } } }),
    )
    expectObservable(token$).toBe('---a-b-|', { a: 'Hello ', b: 'you' })
    flush()
  })
  const [generation, root] = sink.spans()
  t.like(generation, {
    name: 'respanGenerate',
    type: 'generation',
    parentId: root?.spanId,
    startedAt: 0,
    firstOutputAt: 3,
    endedAt: 7,
    status: 'ok',
    input: '[{"role":"user","content":"hi"}]',
    output: '{"role":"assistant","content":"Hello you"}',
    attributes: { customer_identifier: 'c', metadata: { r: 1, k: 'v' } },
    generation: {
      model,
      stream: true,
      usageSource: 'reported',
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      finishReasons: ['stop'],
      request: { temperature: 0.5 },
      requestId: 'req',
      logId: 'log',
      attempts: 1,
    },
  })
  t.like(root, {
    name: 'T',
    output: 'Hello you',
    input: '[{"role":"user","content":"hi"}]',
    totals: { generations: 1, prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  })
})

test('a gateway that tells of no attempt has none on the span', async (t) => {
  const chat = () => of({ _tag: 'Response' as const, response: { choices: [{ message: { content: 'a' } }] } })
  const gateway: Gateway = { name: 'mine', kind: 'respan', chat }
  const sink = memorySink()
  await lastValueFrom(of('hi').pipe(respanGenerate({ model, gateway }), respanTrace('T', { sink })))
  const [span] = sink.spans()
  t.deepEqual(span?.generation, {
    model,
    stream: false,
    usageSource: 'estimated',
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    finishReasons: [null],
    request: {},
  })
})

test('the finish reasons of a span are in the order of the choices, however they came', async (t) => {
  const chunks = [
    [1, 'B', 'length'],
    [0, 'A', 'stop'],
  ].map(([index, content, finish_reason]) => ({ choices: [{ index, delta: { content }, finish_reason }] }))
  const body = [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]']
    .map((data) => `data: ${data}\n\n`)
    .join('')
  const fetch = () =>
    Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  const sink = memorySink()
  const generate = openaiGenerate({
    model,
    stream: true,
    params: { n: 2 },
    baseUrl: 'http://127.0.0.1:1',
    fetch,
  })
  await lastValueFrom(of('hi').pipe(generate, respanTrace('T', { sink })))
  t.like(sink.spans()[0], {
    output: '[{"role":"assistant","content":"A"},{"role":"assistant","content":"B"}]',
    generation: { finishReasons: ['stop', 'length'] },
  })
})

test('a span tells what was asked for in a stored prompt, and beside it', async (t) => {
  const sink = memorySink()
  const generate = respanGenerate({
    promptId: 'p',
    params: { temperature: 0 },
    extraBody: { top_p: 0.5, temperature: 1 },
    gateway: marbleGateway('(a|)'),
  })
  await lastValueFrom(of({}).pipe(generate, respanTrace('T', { sink })))
  t.deepEqual(sink.spans()[0]?.generation?.request, { prompt_id: 'p', temperature: 0, top_p: 0.5 })
})

test('changing the metadata of a request afterwards changes no span', (t) => {
  const sink = memorySink()
  const metadata: Record<string, unknown> = {}
  marbles(t.deepEqual, ({ cold, flush }) => {
    cold('p--q|')
      .pipe(
        tap((run) => {
          metadata.run = run
        }),
        respanGenerate({ model, gateway: marbleGateway('-a|', { a: 'Hello' }), attributes: { metadata } }),
        respanTrace('T', { sink }),
      )
      .subscribe()
    flush()
  })
  const runs = sink.spans().flatMap(({ type, attributes }) => (type === 'generation' ? [attributes] : []))
  t.deepEqual(runs, [{ metadata: { run: 'p' } }, { metadata: { run: 'q' } }])
})

test('each ending of a generation has its own status, text and mark of usage', (t) => {
  const outcome = (
    script: string,
    unsubscribed: string | undefined,
    error?: unknown,
    finishReason?: null,
  ) => {
    const sink = memorySink()
    marbles(t.deepEqual, ({ cold, expectObservable, flush }) => {
      const options = finishReason === null ? { finishReason } : {}
      const gateway = marbleGateway(
        script,
        { u: { usage: { total_tokens: 9 } }, f: { finish: 'stop' } },
        error,
        options,
      )
      const run = cold('p|', { p: 'hi' }).pipe(
        respanGenerate({ model, stream: true, gateway }),
        tokens(),
        respanTrace('T', { sink }),
        tagOf,
        take(99),
      )
      expectObservable(run, unsubscribed)
      // What is emitted is the subject of other tests; here only the trace matters.
      try {
        flush()
      } catch {}
    })
    const [generation, root] = sink.spans()
    return [
      generation?.status,
      generation?.leftEarly ?? false,
      generation?.output,
      generation?.generation?.usageSource,
      root?.status,
      root?.leftEarly ?? false,
    ]
  }
  const ab = '{"role":"assistant","content":"ab"}'
  t.deepEqual(outcome('--a-b-|', undefined), ['ok', false, ab, 'reported', 'ok', false])
  t.deepEqual(outcome('--a-b-|', '^----!'), ['cancelled', false, ab, 'estimated', 'cancelled', false])
  t.deepEqual(outcome('--a-b-|', '^!'), ['cancelled', false, undefined, 'unknown', 'cancelled', false])
  t.deepEqual(outcome('--a-b-f---u|', '^-------!'), ['ok', true, ab, 'estimated', 'ok', true])
  t.deepEqual(outcome('--a-b-#', undefined, new NetworkError('x')), [
    'error',
    false,
    ab,
    'estimated',
    'error',
    false,
  ])
  t.deepEqual(outcome('--a-b-|', undefined, undefined, null), [
    'truncated',
    false,
    ab,
    'estimated',
    'truncated',
    false,
  ])
})

test('of a stored prompt, whose stream broke off, the tokens of its variables are estimated', async (t) => {
  const sink = memorySink()
  const gateway = marbleGateway('a-b-#', {}, new NetworkError('x'))
  const run = of({ variables: { text: 'x'.repeat(389) } }).pipe(
    respanGenerate({ promptId: 'p', stream: true, gateway }),
    respanTrace('T', { sink }),
  )
  await t.throwsAsync(lastValueFrom(run), { instanceOf: NetworkError })
  t.like(sink.spans()[0]?.generation, {
    usageSource: 'estimated',
    usage: { prompt_tokens: 100, completion_tokens: 1 },
  })
})
