// The flaws of the reference exporter, by the numbers of its list: what each of them does
// wrong, done right.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import * as t from 'io-ts'
import {
  assistant,
  attempt,
  bufferedSink,
  buildPrompt,
  component,
  currentSpan,
  defaultSink,
  type GenerateInput,
  HttpError,
  InvalidInput,
  memorySink,
  openaiGateway,
  openaiGenerate,
  type RateLimited,
  type Reply,
  respanGateway,
  respanGenerate,
  respanTrace,
  respanTransport,
  type SpanPayload,
  system,
  type Timeout,
  type TraceStart,
  tokens,
  toolResult,
  traced,
  user,
} from 'respan-rx'
import { type Local, type LocalOptions, startLocal } from 'respan-rx/local'
import { marbleGateway } from 'respan-rx/testing'
import {
  concatMap,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  range,
  tap,
  throwError,
  toArray,
} from 'rxjs'
import { version } from '../dist/version.js'
import { anything } from './helpers/anything.js'
import { inEnvironment } from './helpers/inEnvironment.js'
import { latch, sendJson, serve } from './helpers/server.js'
import { treeOf } from './helpers/traces.js'

// A developer's own environment must not decide what is tested here.
for (const name of [
  'RESPAN_API_KEY',
  'RESPAN_BASE_URL',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'RESPAN_TRACE_CONTENT',
  'HAYSTACK_CONTENT_TRACING_ENABLED',
])
  delete process.env[name]

const KEY = 'sk-canary-0123456789'
const model = 'gpt-4o-mini'

const start = async (test: ExecutionContext, options: LocalOptions = {}): Promise<Local> => {
  const local = await startLocal(options)
  test.teardown(local.close)
  return local
}

/** Delivers everything, and gives what arrived. */
const arrived = async (test: ExecutionContext, local: Local): Promise<ReadonlyArray<SpanPayload>> => {
  const report = await local.sink.flush()
  test.is(report._tag, 'Right')
  return local.spans()
}

/** A sink to a server of the test's own, impatient. */
const sinkTo = (baseUrl: string, policy: Parameters<typeof bufferedSink>[1] = {}) => {
  const warnings: Array<string> = []
  const sink = bufferedSink(respanTransport({ baseUrl, apiKey: KEY }), {
    maxDelay: 0,
    retry: { delay: 0 },
    onWarning: ({ message }) => warnings.push(message),
    ...policy,
  })
  return Object.assign(sink, { warnings })
}

/** The one span of a name. */
const named = (spans: ReadonlyArray<SpanPayload>, name: string): SpanPayload | undefined =>
  spans.find(({ span_name }) => span_name === name)

/** A component that hands on what it gets. */
const step = (name: string) => component(name, (value: unknown) => of(value))

const ask$ = (local: Local): Observable<Reply> =>
  of({ topic: 'tea' }).pipe(
    buildPrompt('Tell me about {{topic}}.'),
    respanGenerate({ model, gateway: local.gateway }),
  )

// ── the tracer: what got lost

test('1 · every run is sent, each as a trace of its own', async (t) => {
  const local = await start(t)
  const run$ = ask$(local).pipe(respanTrace('flow', { sink: local.sink }))
  for (let run = 0; run < 3; run += 1) await lastValueFrom(run$)
  const spans = await arrived(t, local)
  t.is(spans.length, 9)
  t.is(new Set(spans.map(({ trace_unique_id }) => trace_unique_id)).size, 3)
})

test('2 · nothing of a trace stays in memory once it is delivered', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const seen: Array<WeakRef<object>> = []
  const sink = bufferedSink((batch) => {
    for (const span of batch) seen.push(new WeakRef(span))
    return of({ rejected: [] })
  })
  const watched = {
    ...sink,
    next: (event: Parameters<typeof sink.next>[0]) => {
      seen.push(new WeakRef(event))
      sink.next(event)
    },
  }
  const run$ = of('in').pipe(step('step'), respanTrace('flow', { sink: watched }))
  for (let run = 0; run < 100; run += 1) await lastValueFrom(run$)
  t.is((await sink.flush())._tag, 'Right')
  await new Promise(setImmediate)
  collect()
  // Two spans of three events each, and what the transport saw of them.
  t.is(seen.length, 100 * 2 * 4)
  t.is(seen.filter((ref) => ref.deref() !== undefined).length, 0)
})

test('3 · a send that fails is made again until the server has the spans', async (t) => {
  const server = await serve(t, (response, _, number) =>
    sendJson(response, {}, { status: number < 3 ? 500 : 200 }),
  )
  const sink = sinkTo(server.url)
  await lastValueFrom(of('x').pipe(respanTrace('flow', { sink })))
  t.is((await sink.flush())._tag, 'Right')
  t.is(server.received.length, 3)
  t.like(sink.stats(), { accepted: 1, delivered: 1, dropped: 0 })
})

test('3 · what could not be sent in the end is counted, and told', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}, { status: 500 }))
  const sink = sinkTo(server.url, { retry: { count: 0 } })
  await lastValueFrom(of('x').pipe(respanTrace('flow', { sink })))
  const report = await sink.flush()
  t.like(report._tag === 'Left' ? report.left.report : {}, { delivered: 0, dropped: 1 })
  t.like(sink.stats(), { accepted: 1, delivered: 0, dropped: 1 })
  t.is(sink.warnings.length, 1)
})

test('4 · a pipeline inside a pipeline is a span of the outer trace', (t) => {
  const sink = memorySink()
  of(1)
    .pipe(
      step('before'),
      mergeMap((value) => of(value).pipe(step('inside'), respanTrace('inner'))),
      step('after'),
      respanTrace('outer', { sink }),
    )
    .subscribe()
  t.is(treeOf(sink.events), 'outer(before,inner(inside),after)')
  t.is(new Set(sink.events.map(({ traceId }) => traceId)).size, 1)
  t.is(sink.spans().at(-1)?.name, 'outer')
})

test('5 · whatever is traced is sent: a component, an agent, a generator, a plain operator', async (t) => {
  const local = await start(t)
  const { gateway, sink } = local
  const trace = <T>(name: string) => respanTrace<T>(name, { sink })
  await lastValueFrom(of(1).pipe(step('lone component'), trace('1')))
  await lastValueFrom(
    of(1).pipe(
      component('lone agent', () => of(2), { type: 'agent' }),
      trace('2'),
    ),
  )
  await lastValueFrom(of('Hi').pipe(respanGenerate({ model, gateway, name: 'lone generator' }), trace('3')))
  await lastValueFrom(of(1).pipe(traced('lone operator', map(String)), trace('4')))
  await lastValueFrom(of(1).pipe(trace('5')))
  const spans = await arrived(t, local)
  t.deepEqual(spans.map(({ span_name }) => span_name).sort(), [
    '1',
    '2',
    '3',
    '4',
    '5',
    'lone agent',
    'lone component',
    'lone generator',
    'lone operator',
  ])
})

test('6 · the root has the output of its pipeline', async (t) => {
  const local = await start(t)
  const { replies } = await lastValueFrom(
    ask$(local).pipe(
      map(({ replies }) => ({ replies })),
      respanTrace('flow', { sink: local.sink }),
    ),
  )
  const root = named(await arrived(t, local), 'flow')
  t.deepEqual(JSON.parse(String(root?.output)), { replies })
})

test('7 · the output given at the end is the one recorded', async (t) => {
  const local = await start(t)
  await lastValueFrom(
    ask$(local).pipe(respanTrace('flow', { sink: local.sink, output: ({ replies }) => replies.length })),
  )
  t.is(named(await arrived(t, local), 'flow')?.output, '1')
})

const throwing = {
  get boom(): never {
    throw new Error('a getter that throws')
  },
}
const UNWRITABLE: ReadonlyArray<readonly [what: string, value: unknown]> = [
  ['a cycle', Object.defineProperty({}, 'self', { enumerable: true, get: () => cyclic })],
  ['a BigInt', { count: 1n }],
  ['a getter that throws', throwing],
  [
    'a toJSON that throws',
    {
      toJSON: () => {
        throw new Error('toJSON')
      },
    },
  ],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a map', new Map([[{}, new Set([1])]])],
]
const cyclic: unknown = UNWRITABLE[0]?.[1]

for (const [what, value] of UNWRITABLE)
  test(`8 · content that JSON can not hold costs no span: ${what}`, async (t) => {
    const local = await start(t)
    await lastValueFrom(of(value).pipe(step('step'), respanTrace('flow', { sink: local.sink })))
    const spans = await arrived(t, local)
    t.deepEqual(
      spans.map(({ span_name }) => span_name),
      ['step', 'flow'],
    )
  })

test('9 · flush delivers what has ended by now, and close ends the sink', async (t) => {
  const local = await start(t)
  const sink = sinkTo(local.baseUrl, { maxDelay: 60_000 })
  of('x').pipe(respanTrace('first', { sink })).subscribe()
  t.deepEqual(await sink.flush(), {
    _tag: 'Right',
    right: { delivered: 1, dropped: 0, rejected: 0, spooled: 0, queued: 0 },
  })
  of('x').pipe(respanTrace('second', { sink })).subscribe()
  t.is((await sink.close())._tag, 'Right')
  of('x').pipe(respanTrace('third', { sink })).subscribe()
  t.deepEqual(
    local.spans().map(({ span_name }) => span_name),
    ['first', 'second'],
  )
  t.like(sink.stats(), { accepted: 3, delivered: 2, dropped: 1 })
})

// ── the tracer: what was wrong

test('10 · a platform that never answers delays nothing', async (t) => {
  const reached = latch()
  const server = await serve(t, reached.open)
  const sink = sinkTo(server.url)
  const run = (): ReadonlyArray<unknown> => {
    const seen: Array<unknown> = []
    of(1, 2)
      .pipe(step('step'), respanTrace('flow', { sink }))
      .subscribe({ next: (value) => seen.push(value), complete: () => seen.push('end') })
    return seen
  }
  t.deepEqual(run(), [1, 2, 'end'])
  t.is(server.received.length, 0)
  await reached.opened
  t.deepEqual(run(), [1, 2, 'end'])
})

test('11 · runs at the same time stay apart', async (t) => {
  const sink = memorySink()
  const pause = component('pause', async (run: number) => {
    for (let turns = run % 7; turns >= 0; turns -= 1) await new Promise(setImmediate)
    return run
  })
  const runs = Array.from({ length: 50 }, (_, run) =>
    lastValueFrom(
      of(run).pipe(
        pause,
        mergeMap((value) => of(value).pipe(pause, step(`step ${run}`))),
        respanTrace(`run ${run}`, { sink }),
      ),
    ),
  )
  t.deepEqual(await Promise.all(runs), [...runs.keys()])
  const traces = new Set(sink.events.map(({ traceId }) => traceId))
  t.deepEqual(
    [...traces].map((id) => treeOf(sink.events.filter(({ traceId }) => traceId === id))).sort(),
    [...runs.keys()].map((run) => `run ${run}(pause,pause,step ${run})`).sort(),
  )
})

test('12 · the current span is the one that encloses the code; outside there is none', async (t) => {
  const sink = memorySink()
  const inside: Array<string | undefined> = []
  const note = () => inside.push(currentSpan()?.spanId)
  await lastValueFrom(
    of(1).pipe(
      component('outer', async (value: number) => {
        note()
        await lastValueFrom(of(value).pipe(component('inner', () => of(note()))))
        note()
        return value
      }),
      respanTrace('flow', { sink }),
      tap(note),
    ),
  )
  note()
  const idOf = (name: string) => sink.spans().find((span) => span.name === name)?.spanId
  t.deepEqual(inside, [idOf('outer'), idOf('inner'), idOf('outer'), undefined, undefined])
})

test.serial('13 · content that is switched off never leaves the process', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const sink = sinkTo(server.url)
  const run = async (): Promise<string> => {
    const gateway = marbleGateway('a|', { a: 'the secret reply' })
    const failing = component('failing', () => throwError(() => new Error('a secret failure')))
    await lastValueFrom(
      of({ topic: 'the secret topic' }).pipe(
        buildPrompt('Tell me about {{topic}}.'),
        respanGenerate({ model, gateway }),
        attempt(failing, { toError: () => undefined }),
        respanTrace('flow', { sink }),
      ),
    )
    await sink.flush()
    return server.received.at(-1)?.body ?? ''
  }
  t.true((await run()).includes('secret'))
  inEnvironment(t, { HAYSTACK_CONTENT_TRACING_ENABLED: 'false' })
  const withheld = await run()
  t.false(withheld.includes('secret'), withheld)
  // Times, models and tokens are no content.
  t.like(named(JSON.parse(withheld), 'respanGenerate'), { model, prompt_tokens: 6, completion_tokens: 3 })
})

test('14 · an error is the error of its span, with its own status; leaving is none', async (t) => {
  const local = await start(t)
  const { sink } = local
  const failed = (error: unknown) =>
    firstValueFrom(
      of(1).pipe(
        component('step', () => throwError(() => error)),
        respanTrace('flow', { sink }),
      ),
    ).catch(() => undefined)
  await failed(new TypeError('boom'))
  await failed(new HttpError('HTTP 429: slow down', { status: 429 }))
  of(1)
    .pipe(
      component('step', () => NEVER),
      respanTrace('flow', { sink }),
    )
    .subscribe()
    .unsubscribe()
  const spans = (await arrived(t, local)).filter(({ span_name }) => span_name === 'step')
  t.like(spans[0], { status_code: 500, status: 'error', error_message: 'TypeError: boom' })
  t.regex(JSON.stringify(spans[0]?.properties), /flaws\.[jt]s/)
  t.like(spans[1], { status_code: 429, status: 'error', error_message: 'HttpError: HTTP 429: slow down' })
  t.like(spans[2], { status_code: 200, status: 'success', metadata: { cancelled: 'true' } })
  t.is(spans[2]?.error_message, undefined)
  t.true(spans.every(({ warnings }) => warnings === undefined))
})

test('15 · a span is what it was said to be, whatever it is called', async (t) => {
  const local = await start(t)
  const of1 = () => of('x')
  await lastValueFrom(
    of('Hi').pipe(
      component('llm_filter', of1),
      component('Generator', of1, { type: 'tool' }),
      component('PromptBuilder', of1, { type: 'agent' }),
      respanGenerate({ model, gateway: local.gateway, name: 'summary' }),
      respanTrace('OpenAIChatGenerator', { sink: local.sink }),
    ),
  )
  t.deepEqual(
    Object.fromEntries((await arrived(t, local)).map(({ span_name, log_type }) => [span_name, log_type])),
    {
      llm_filter: 'task',
      Generator: 'tool',
      PromptBuilder: 'agent',
      summary: 'chat',
      OpenAIChatGenerator: 'workflow',
    },
  )
})

for (const value of [{}, [], '', 0, false, null])
  test(`16 · an empty value is recorded: ${JSON.stringify(value)}`, async (t) => {
    const local = await start(t)
    await lastValueFrom(of(value).pipe(step('step'), respanTrace('flow', { sink: local.sink })))
    const text = value === '' ? '' : JSON.stringify(value)
    for (const span of await arrived(t, local)) t.like(span, { input: text, output: text })
  })

test("17 · a root's output is all that its pipeline emitted, whatever stands in it", async (t) => {
  const local = await start(t)
  await lastValueFrom(
    range(1, 3).pipe(
      component('llm', (value) => of({ value })),
      respanTrace('flow', { sink: local.sink }),
    ),
  )
  t.is(named(await arrived(t, local), 'flow')?.output, '[{"value":1},{"value":2},{"value":3}]')
})

const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const

test('18 · every choice of a generation is recorded, and so are its tool calls', async (t) => {
  const local = await start(t)
  const { gateway, sink } = local
  const two = respanGenerate({ model, gateway, name: 'two', params: { n: 2 } })
  const { messages } = await lastValueFrom(of('Tell me about tea.').pipe(two, respanTrace('n', { sink })))
  const calling = respanGenerate({ model, gateway, name: 'calling', params: { tools: [WEATHER] } })
  const called = await lastValueFrom(
    of('What is the weather in Paris?').pipe(calling, respanTrace('tools', { sink })),
  )
  const spans = await arrived(t, local)
  t.is(messages.length, 2)
  t.deepEqual(JSON.parse(String(named(spans, 'two')?.output)), messages)
  const output = JSON.parse(String(named(spans, 'calling')?.output))
  t.deepEqual(output, called.messages[0])
  t.is(output.tool_calls[0].function.name, 'get_weather')
})

test('19 · a chat has its model and its tokens; where none were reported, they are marked as a guess', async (t) => {
  const local = await start(t)
  const { meta } = await lastValueFrom(ask$(local).pipe(respanTrace('flow', { sink: local.sink })))
  const reported = named(await arrived(t, local), 'respanGenerate')
  const { prompt_tokens, completion_tokens } = meta[0]?.usage ?? {}
  t.like(reported, {
    model: meta[0]?.model,
    prompt_tokens,
    completion_tokens,
    metadata: { usage_source: 'reported' },
  })
  const silent = marbleGateway('(af|)', { a: 'four', f: { finish: 'stop' } })
  const generate = (name: string, gateway = silent) => respanGenerate({ model, gateway, name, stream: true })
  await lastValueFrom(of('hi').pipe(generate('guessed'), respanTrace('flow', { sink: local.sink })))
  await lastValueFrom(
    of('hi').pipe(attempt(generate('failed', marbleGateway('#'))), respanTrace('flow', { sink: local.sink })),
  )
  const spans = await arrived(t, local)
  t.like(named(spans, 'guessed'), { completion_tokens: 1, metadata: { usage_source: 'estimated' } })
  const failed = named(spans, 'failed')
  t.like(failed, { model, metadata: { usage_source: 'unknown' } })
  t.false(failed !== undefined && ('prompt_tokens' in failed || 'completion_tokens' in failed))
})

test('20 · no price is made up: a cost is sent when the gateway told one', async (t) => {
  const local = await start(t)
  const generate = (name: string, attributes = {}) =>
    respanGenerate({ model, gateway: local.gateway, name, attributes })
  await lastValueFrom(
    of('Hi').pipe(
      generate('untold'),
      map(() => 'Hi'),
      generate('told', { request_breakdown: true }),
      respanTrace('flow', { sink: local.sink }),
    ),
  )
  const spans = await arrived(t, local)
  t.is(named(spans, 'untold')?.cost, undefined)
  t.true(Number(named(spans, 'told')?.cost) > 0)
})

test("21 · a chat's input is its messages, as JSON", async (t) => {
  const local = await start(t)
  const messages = [system('Be brief.'), user('Is 1 = true?'), assistant('false'), user('And now?')]
  await lastValueFrom(
    of(messages).pipe(
      respanGenerate({ model, gateway: local.gateway }),
      respanTrace('flow', { sink: local.sink }),
    ),
  )
  t.deepEqual(JSON.parse(String(named(await arrived(t, local), 'respanGenerate')?.input)), messages)
})

test('22 · what is known of a call is sent', async (t) => {
  const local = await start(t)
  await lastValueFrom(
    of('What is the weather in Paris?').pipe(
      respanGenerate({
        model,
        gateway: local.gateway,
        stream: true,
        params: { temperature: 0.5, tools: [WEATHER], tool_choice: 'none', reasoning_effort: 'low' },
        attributes: { thread_identifier: 'thread', metadata: { session: 's' } },
      }),
      respanTrace('flow', { sink: local.sink, attributes: { customer_identifier: 'customer' } }),
    ),
  )
  const span = named(await arrived(t, local), 'respanGenerate')
  t.like(span, {
    stream: true,
    temperature: 0.5,
    tools: [WEATHER],
    tool_choice: 'none',
    reasoning_effort: 'low',
    customer_identifier: 'customer',
    thread_identifier: 'thread',
  })
  t.like(span?.metadata, { session: 's', finish_reason: 'stop' })
  t.true(Number(span?.time_to_first_token) >= 0)
  t.true(Number(span?.reasoning_tokens) > 0)
  t.true(Number(span?.usage?.total_tokens) > 0)
  t.is(span?.metadata?.gateway_log_id, local.requests[0]?.logId)
})

test.serial('23 · a clock that is set back gives no negative duration', async (t) => {
  const local = await start(t)
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  await lastValueFrom(
    of(1).pipe(
      component('step', (value) => {
        Date.now = () => now() - 3_600_000
        return of(value)
      }),
      respanTrace('flow', { sink: local.sink }),
    ),
  )
  for (const { latency, start_time, timestamp } of await arrived(t, local)) {
    t.true(Number(latency) >= 0 && Number(latency) < 60)
    t.true(String(start_time) <= String(timestamp))
  }
})

const startedWith = async (sink: ReturnType<typeof bufferedSink>): Promise<TraceStart | undefined> => {
  let started: TraceStart | undefined
  await lastValueFrom(
    of(1).pipe(
      respanTrace('flow', {
        sink,
        onStart: (start) => {
          started = start
        },
      }),
    ),
  )
  return started
}

test('24 · the link has the host and the form of the platform, and is undefined where no page exists', async (t) => {
  const fetch = async () => Response.json({})
  const linkTo = async (baseUrl: string): Promise<TraceStart | undefined> =>
    startedWith(bufferedSink(respanTransport({ baseUrl, apiKey: KEY, fetch })))
  const cloud = await linkTo('https://api.respan.ai')
  t.is(cloud?.traceUrl, `https://platform.respan.ai/platform/traces?trace_unique_id=${cloud?.traceId}`)
  t.is((await linkTo('https://proxy.example/respan'))?.traceUrl, undefined)
  t.is((await startedWith(memorySink()))?.traceUrl, undefined)
  const local = await start(t)
  const here = await startedWith(local.sink)
  t.is(here?.traceUrl, local.traceUrl(here?.traceId ?? ''))
})

test("25 · the caller's attributes are neither changed nor followed", async (t) => {
  const local = await start(t)
  const attributes = { customer_identifier: 'before', metadata: { stage: 'before' } }
  const copy = structuredClone(attributes)
  const run$ = of('Hi').pipe(
    respanGenerate({ model, gateway: local.gateway, attributes: { metadata: { more: 1 } } }),
    respanTrace('flow', { sink: local.sink, attributes }),
  )
  await lastValueFrom(run$)
  t.deepEqual(attributes, copy)
  attributes.customer_identifier = 'after'
  attributes.metadata.stage = 'after'
  await lastValueFrom(run$)
  for (const span of await arrived(t, local)) {
    t.is(span.customer_identifier, 'before')
    t.is(span.metadata?.stage, 'before')
  }
})

// ── the logger

for (const form of ['', '/', '///', '/api', '/api/', ' /api '])
  test(`26 · a base URL reaches the same address as <host>${form}`, async (t) => {
    const server = await serve(t, (response) => sendJson(response, {}))
    const baseUrl = form.startsWith(' ') ? ` ${server.url}${form.trim()} ` : `${server.url}${form}`
    const sink = sinkTo(baseUrl)
    await lastValueFrom(of(1).pipe(respanTrace('flow', { sink })))
    t.is((await sink.flush())._tag, 'Right')
    t.deepEqual(
      server.received.map(({ path }) => path),
      ['/api/v1/traces/ingest'],
    )
  })

for (const status of [200, 201, 202, 204, 207, 299])
  test(`27 · every 2xx means that the spans were taken: ${status}`, async (t) => {
    const server = await serve(t, (response) => response.writeHead(status).end())
    const sink = sinkTo(server.url)
    await lastValueFrom(of(1).pipe(respanTrace('flow', { sink })))
    t.is((await sink.flush())._tag, 'Right')
    t.is(server.received.length, 1)
  })

for (const [what, body] of [
  ['nothing', ''],
  ['a page', '<html><title>Welcome</title></html>'],
  ['null', 'null'],
  ['a list', '[]'],
  ['half a JSON', '{"status":'],
  ['another shape', '{"errors":7,"trace_ids":"none"}'],
] as const)
  test(`28 · accepted stays accepted, whatever the answer says: ${what}`, async (t) => {
    const server = await serve(t, (response) => response.writeHead(200).end(body))
    const sink = sinkTo(server.url)
    await lastValueFrom(of(1).pipe(respanTrace('flow', { sink })))
    t.is((await sink.flush())._tag, 'Right')
    t.is(server.received.length, 1)
    t.deepEqual(sink.warnings, [])
  })

test('29 · a refused span is isolated, and the others arrive', async (t) => {
  const server = await serve(t, (response, { body }) =>
    sendJson(response, {}, { status: body.includes('"bad"') ? 400 : 200 }),
  )
  const sink = sinkTo(server.url, { maxDelay: 60_000 })
  for (const name of ['good', 'bad', 'fine']) await lastValueFrom(of(1).pipe(respanTrace(name, { sink })))
  t.is((await sink.flush())._tag, 'Left')
  t.like(sink.stats(), { delivered: 2, rejected: 1, dropped: 0 })
})

test('29 · a refused key pauses the sink, which keeps what it has and says so once', async (t) => {
  const server = await serve(t, (response, _, number) =>
    sendJson(response, {}, { status: number <= 2 ? 401 : 200 }),
  )
  const sink = sinkTo(server.url, { maxDelay: 60_000, retry: { delay: 60_000 } })
  for (const name of ['one', 'two']) await lastValueFrom(of(1).pipe(respanTrace(name, { sink })))
  t.is((await sink.flush())._tag, 'Left')
  t.is((await sink.flush())._tag, 'Left')
  t.like(sink.stats(), { queued: 2, dropped: 0 })
  t.is(sink.warnings.length, 1)
  t.is((await sink.flush())._tag, 'Right')
  t.like(sink.stats(), { delivered: 2 })
})

test('29 · a limit is waited for as long as the server asks, and a failure of its own is retried', async (t) => {
  const server = await serve(t, (response, _, number) => {
    if (number === 1) sendJson(response, { retry_after: 0.001 }, { status: 429 })
    else if (number === 2) sendJson(response, {}, { status: 500, headers: { 'retry-after-ms': '1' } })
    else sendJson(response, {})
  })
  // Without the server's word, this wait would be the test's last.
  const sink = sinkTo(server.url, { retry: { delay: 2_000_000_000, maxDelay: 2_000_000_000 } })
  await lastValueFrom(of(1).pipe(respanTrace('flow', { sink })))
  t.is((await sink.flush())._tag, 'Right')
  t.is(server.received.length, 3)
})

// By itself: what else runs in this process may keep an answer from its connection until the next batch is sent.
test.serial(
  '30 · batches are bounded and share a connection, and no long answer gets into a message',
  async (t) => {
    const server = await serve(t, (response, _, number) =>
      number === 1
        ? response.writeHead(500, { 'content-type': 'text/plain' }).end('x'.repeat(500_000))
        : sendJson(response, {}),
    )
    const sink = sinkTo(server.url, { maxDelay: 60_000, maxBatchSize: 10, retry: { count: 0, delay: 0 } })
    for (let run = 0; run < 50; run += 1) of(run).pipe(respanTrace('flow', { sink })).subscribe()
    const report = await sink.flush()
    t.deepEqual(
      server.received.map(({ body }) => JSON.parse(body).length),
      [10, 10, 10, 10, 10],
    )
    // A second one where the first was still ending its long answer.
    t.true(server.connections() <= 2)
    for (let run = 0; run < 20; run += 1) {
      const before = server.connections()
      of(run).pipe(respanTrace('flow', { sink })).subscribe()
      await sink.flush()
      // By then the answer has ended for the connection, too.
      await new Promise(setImmediate)
      t.is(server.connections(), before)
    }
    const messages = report._tag === 'Left' ? report.left.failures.map(({ error }) => error.message) : []
    t.is(messages.length, 1)
    for (const message of [...messages, ...sink.warnings]) t.true(message.length < 1_000)
  },
)

// ── the connector

test('31 · traces keep to their own sinks, and nothing global changes', async (t) => {
  const before = Reflect.ownKeys(globalThis).length
  const [one, two] = [memorySink(), memorySink()]
  const run = (name: string, sink: ReturnType<typeof memorySink>) =>
    lastValueFrom(
      of(1).pipe(
        component('step', async (value) => value),
        respanTrace(name, { sink }),
      ),
    )
  await Promise.all([run('one', one), run('two', two), run('three', one)])
  const roots = (sink: ReturnType<typeof memorySink>) =>
    sink
      .spans()
      .filter(({ type }) => type === 'workflow')
      .map(({ name }) => name)
  t.deepEqual(roots(one), ['one', 'three'])
  t.deepEqual(roots(two), ['two'])
  t.is(Reflect.ownKeys(globalThis).length, before)
})

/** Everything that can be printed or saved of a value. */
const printed = (value: unknown): string => {
  const json = JSON.stringify(value) ?? ''
  return `${json} ${inspect(value, { depth: 20, showHidden: true, getters: true })} ${String(value)}`
}

test('32 · nothing that can be kept or printed of a pipeline has its key in it', (t) => {
  const connection = { apiKey: KEY, headers: { authorization: `Bearer ${KEY}` } }
  const transport = respanTransport(connection)
  const sink = bufferedSink(transport)
  const generate = respanGenerate({ model, ...connection })
  for (const part of [
    transport,
    sink,
    generate,
    respanGateway(connection),
    openaiGateway(connection),
    of('x').pipe(generate, respanTrace('flow', { sink })),
  ])
    t.false(printed(part).includes(KEY), printed(part))
})

test('33 · gateway and tracing do what they say, together and each without the other', async (t) => {
  const local = await start(t)
  const { gateway, sink } = local
  const pathsOf = () => local.requests.map(({ path }) => path)
  await lastValueFrom(of('Hi').pipe(respanGenerate({ model, gateway })))
  await sink.flush()
  t.deepEqual(pathsOf(), ['/api/chat/completions'])
  await lastValueFrom(of('Hi').pipe(step('step'), respanTrace('tracing', { sink })))
  await sink.flush()
  t.deepEqual(pathsOf().slice(1), ['/api/v1/traces/ingest'])
  await lastValueFrom(of('Hi').pipe(respanGenerate({ model, gateway }), respanTrace('both', { sink })))
  await sink.flush()
  t.deepEqual(pathsOf().slice(2), ['/api/chat/completions', '/api/v1/traces/ingest'])
})

test.serial('34 · the switch for content counts by its value, at each run', (t) => {
  const contentWith = (value: string | undefined): string | undefined => {
    if (value !== undefined) inEnvironment(t, { HAYSTACK_CONTENT_TRACING_ENABLED: value })
    const sink = memorySink()
    run$(sink).subscribe()
    delete process.env.HAYSTACK_CONTENT_TRACING_ENABLED
    return sink.spans()[0]?.output
  }
  const run$ = (sink: ReturnType<typeof memorySink>) =>
    of('content').pipe(step('step'), respanTrace('flow', { sink }))
  t.is(contentWith(undefined), 'content')
  t.is(contentWith('false'), undefined)
  t.is(contentWith('true'), 'content')
  t.is(contentWith('0'), undefined)
  t.is(contentWith('TRUE'), 'content')
})

test('35 · whether the trace behind a link was delivered is told by the report', async (t) => {
  const local = await start(t)
  const sink = sinkTo(local.baseUrl, {
    maxDelay: 600_000,
    retry: { delay: 600_000, maxDelay: 600_000 },
  })
  const here = await startedWith(sink)
  t.is((await fetch(here?.traceUrl ?? '')).status, 404)
  t.like(await sink.flush(), { _tag: 'Right', right: { delivered: 1 } })
  const page = await fetch(here?.traceUrl ?? '')
  t.is(page.status, 200)
  t.true((await page.text()).includes('flow'))
  local.fault({ on: 'ingest', status: 401 })
  await startedWith(sink)
  const report = await sink.flush()
  t.like(report._tag === 'Left' ? report.left.report : {}, { delivered: 0, queued: 1 })
})

test.serial('36 · a pipeline is built and tested without a key', async (t) => {
  const warned = once(process, 'warning')
  const build = (gateway: { readonly gateway?: ReturnType<typeof marbleGateway> }) =>
    of({ topic: 'tea' }).pipe(
      buildPrompt('Tell me about {{topic}}.'),
      respanGenerate({ model, ...gateway }),
      respanTrace('flow'),
    )
  t.notThrows(() => [build({}), openaiGenerate({ model }), bufferedSink(respanTransport()), defaultSink()])
  await t.throwsAsync(lastValueFrom(build({})), { name: 'MissingApiKey' })
  const { replies } = await lastValueFrom(build({ gateway: marbleGateway('a|', { a: 'Tea.' }) }))
  t.deepEqual(replies, ['Tea.'])
  await defaultSink().flush()
  const [warning] = await warned
  t.is(warning.code, 'RESPAN_MISSING_API_KEY')
  t.like(defaultSink().stats(), { accepted: 6, dropped: 6 })
})

// ── the gateway

test('37 · a stream hands out each token as it comes', async (t) => {
  const local = await start(t)
  const whole = respanGenerate({ model, gateway: local.gateway })
  const streamed = respanGenerate({ model, gateway: local.gateway, stream: true })
  const { replies } = await lastValueFrom(of('Tell me about tea.').pipe(whole))
  const pieces = await lastValueFrom(of('Tell me about tea.').pipe(streamed, tokens(), toArray()))
  t.true(pieces.length > 10)
  t.is(pieces.join(''), replies[0] ?? '')
})

test('37 · a stream that was asked for by a parameter is read as one', async (t) => {
  const local = await start(t)
  const params = anything<{ temperature: number }>({ stream: true })
  const { replies } = await lastValueFrom(
    of('Say yes').pipe(respanGenerate({ model, gateway: local.gateway, params })),
  )
  t.deepEqual(replies, ['yes'])
})

test('38 · a stored prompt gets what the user gave: variables, messages, version, schema, patch', async (t) => {
  const local = await start(t, {
    prompts: {
      greeting: {
        versions: [
          { messages: [user('Say {{word}}')], model, version: 1 },
          { messages: [user('Say one')], model, version: 2 },
        ],
      },
    },
  })
  const generate = respanGenerate({
    promptId: 'greeting',
    prompt: { version: 1 },
    params: { max_tokens: 50 },
    gateway: local.gateway,
  })
  const first = await lastValueFrom(of({ variables: { word: 'hello' } }).pipe(generate))
  t.deepEqual(first.replies, ['hello'])
  const more = { variables: { word: 'hello' }, messages: [user('Say more')] }
  t.deepEqual((await lastValueFrom(of(more).pipe(generate))).replies, ['more'])
  t.deepEqual(local.requests[1]?.body, {
    messages: [user('Say more')],
    prompt: {
      prompt_id: 'greeting',
      version: 1,
      variables: { word: 'hello' },
      schema_version: 2,
      echo: false,
      patch: { max_tokens: 50 },
    },
  })
})

test('39 · variables without a stored prompt are refused', (t) => {
  const build = (options: object) => () => respanGenerate(anything<{ model: string }>({ model, ...options }))
  t.is(t.throws(build({ variables: Word }), { instanceOf: InvalidInput }).path, 'variables')
  t.notThrows(build({ promptId: 'p', variables: Word }))
})

const Word = t.type({ word: t.string }, 'Word')

test('40 · a key is in no request, no span and no error', async (t) => {
  const sink = memorySink()
  const server = await serve(t, (response) =>
    sendJson(response, { detail: `The key ${KEY} is wrong`, [KEY]: KEY }, { status: 401 }),
  )
  const error = await t.throwsAsync(
    lastValueFrom(
      of('Hi').pipe(
        respanGenerate({
          model,
          baseUrl: server.url,
          apiKey: KEY,
          attributes: { customer_credentials: { openai: { api_key: KEY } } },
        }),
        respanTrace('flow', { sink }),
      ),
    ),
    { instanceOf: HttpError },
  )
  for (const part of [error, sink.events, sink.spans()]) t.false(printed(part).includes(KEY), printed(part))
  const { customer_credentials, ...request } = JSON.parse(server.received[0]?.body ?? '{}')
  // The provider's credentials are for the gateway, and nobody else.
  t.is(customer_credentials.openai.api_key, KEY)
  t.false(printed(request).includes(KEY))
})

const choicesOf = (...messages: ReadonlyArray<object>) => ({
  model,
  choices: messages.map((message, index) => ({ index, message, finish_reason: 'stop' })),
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
})

/** The reply to one answer of the gateway. */
const replyTo = async (test: ExecutionContext, body: unknown, status = 200): Promise<Reply> => {
  const server = await serve(test, (response) => sendJson(response, body, { status }))
  return lastValueFrom(of('Hi').pipe(respanGenerate({ model, baseUrl: server.url, retry: { count: 0 } })))
}

const CALL = {
  id: 'call_a',
  type: 'function',
  function: { name: 'get_weather', arguments: '{}' },
} as const

test('41 · a choice without text has an empty one, and its calls or its refusal', async (t) => {
  const { replies, messages, meta } = await replyTo(
    t,
    choicesOf(
      { role: 'assistant', content: null, tool_calls: [CALL] },
      { role: 'assistant', content: null, refusal: 'No.' },
      { role: 'assistant' },
    ),
  )
  t.deepEqual(replies, ['', '', ''])
  t.is(meta.length, 3)
  t.like(messages[0], { tool_calls: [CALL] })
  t.like(messages[1], { refusal: 'No.' })
})

test('42 · a conversation is sent as it is, with calls, results, names and images', async (t) => {
  const local = await start(t)
  const conversation = anything<GenerateInput>([
    system('Be brief.'),
    {
      role: 'user',
      name: 'ada',
      content: [
        { type: 'text', text: 'What is the weather here?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
      ],
    },
    assistant(null, { tool_calls: [CALL] }),
    toolResult('call_a', '{"temperature":21}'),
  ])
  const generate = respanGenerate({ model, gateway: local.gateway, params: { tools: [WEATHER] } })
  await lastValueFrom(of(conversation).pipe(generate))
  t.deepEqual(local.requests[0]?.body, { model, messages: conversation, tools: [WEATHER] })
  t.is(
    t.throws(() => respanGenerate(anything<{ model: string }>({ gateway: local.gateway })))?.name,
    'InvalidInput',
  )
})

test('43 · an answer goes back as the next turn', async (t) => {
  const local = await start(t)
  const generate = respanGenerate({ model, gateway: local.gateway, params: { tools: [WEATHER] } })
  const question = user('What is the weather in Paris?')
  const { replies } = await lastValueFrom(
    of([question]).pipe(
      generate,
      concatMap(({ messages }) => {
        const [answer] = messages
        const call = answer?.role === 'assistant' ? answer.tool_calls?.[0]?.id : undefined
        return of([question, ...messages, toolResult(call ?? '', '{"temperature":21}')]).pipe(generate)
      }),
    ),
  )
  t.regex(replies[0] ?? '', /21/)
})

test('44 · an error keeps its status, body, code and waiting time', async (t) => {
  const body = { detail: 'Rate limit exceeded', retry_after: 60 }
  const limited = await t.throwsAsync<RateLimited>(replyTo(t, body, 429))
  t.like(limited, { _tag: 'RateLimited', status: 429, retryAfter: 60_000, body })
  const provider = { error: { message: 'Bad key', type: 'auth', code: 'invalid_api_key' } }
  const refused = await t.throwsAsync<HttpError>(replyTo(t, provider, 401))
  t.like(refused, { _tag: 'HttpError', status: 401, code: 'invalid_api_key', body: provider })
})

test('44 · an error that is not of the network stays what it is', async (t) => {
  const mine = new ReferenceError('a mistake of mine')
  const gateway = marbleGateway('a|')
  const broken = of('Hi').pipe(
    respanGenerate({ model, gateway }),
    map(() => {
      throw mine
    }),
    respanTrace('flow', { sink: memorySink() }),
  )
  t.is(await t.throwsAsync(lastValueFrom(broken)), mine)
})

test('45 · time, retries and cancelling are the caller’s', async (t) => {
  const server = await serve(t, (response, { headers }) => {
    if (headers['x-case'] === 'busy') sendJson(response, {}, { status: 503 })
  })
  const ask = (more: object) =>
    of('Hi').pipe(respanGenerate({ model, baseUrl: server.url, apiKey: KEY, ...more }))
  const late = await t.throwsAsync<Timeout>(lastValueFrom(ask({ timeout: 30 })))
  t.like(late, { _tag: 'Timeout', phase: 'headers', limit: 30 })
  await t.throwsAsync(lastValueFrom(ask({ headers: { 'x-case': 'busy' }, retry: { count: 3, delay: 0 } })), {
    name: 'HttpError',
  })
  t.is(server.received.filter(({ headers }) => headers['x-case'] === 'busy').length, 4)
  const asked = server.received.length
  const subscription = ask({}).subscribe()
  while (server.received.length === asked) await new Promise(setImmediate)
  subscription.unsubscribe()
  await server.received[asked]?.broken
  t.pass()
})

test('46 · the usage of a request is told once, however many choices there are', async (t) => {
  const text = { role: 'assistant', content: 'x' }
  const { meta } = await replyTo(t, choicesOf(text, text, text))
  t.is(
    meta.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0),
    3,
  )
  t.deepEqual(
    meta.map(({ usage }) => usage !== undefined),
    [true, false, false],
  )
})

test('47 · the item wins over the operator and the operator over the gateway; nothing takes the place of the messages', async (t) => {
  const local = await start(t)
  const gateway = respanGateway({
    baseUrl: local.baseUrl,
    apiKey: 'local',
    attributes: { customer_identifier: 'gateway', note: 'gateway', metadata: { a: 'gateway', b: 'gateway' } },
  })
  const intruder = { model: 'intruder', messages: [user('intruder')] }
  const generate = respanGenerate({
    model,
    gateway,
    attributes: anything<object>({ note: 'operator', metadata: { b: 'operator' }, ...intruder }),
    params: anything<object>({ temperature: 1, max_tokens: 9, ...intruder }),
    extraBody: intruder,
  })
  await lastValueFrom(from([{ prompt: 'Hi', params: { temperature: 0 } }]).pipe(generate))
  t.deepEqual(local.requests[0]?.body, {
    model,
    messages: [user('Hi')],
    temperature: 0,
    max_tokens: 9,
    customer_identifier: 'gateway',
    note: 'operator',
    metadata: { a: 'gateway', b: 'operator' },
  })
})

test('48 · the cost is the documented one, of the breakdown', async (t) => {
  const answer = choicesOf({ role: 'assistant', content: 'x' })
  const told = await replyTo(t, { ...answer, cost: 9, request_breakdown: { cost: 0.25 } })
  t.is(told.meta[0]?.cost, 0.25)
  const untold = await replyTo(t, answer)
  t.is(untold.meta[0]?.cost, undefined)
})

test('49 · the version is the same everywhere', (t) => {
  t.is(version, JSON.parse(readFileSync('package.json', 'utf8')).version)
})
