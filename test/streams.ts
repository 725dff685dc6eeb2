// Every stream that somebody gets wrong: what a server sends, byte by byte, and what becomes of it here,
// without a trace and inside one. Nothing is retried: what was handed out can't be taken back.

import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import {
  isRespanError,
  memorySink,
  type Reply,
  type ReplyEvent,
  type RespanError,
  respanGenerate,
  respanTrace,
  type SpanStatus,
  type UsageSource,
} from 'respan-rx'
import {
  defer,
  lastValueFrom,
  type MonoTypeOperatorFunction,
  type ObservableNotification,
  of,
  tap,
  toArray,
} from 'rxjs'
import { materialize } from 'rxjs/operators'
import { commandTimers } from './helpers/commandTimers.js'
import { event, sendEvents, sendJson, serve } from './helpers/server.js'
import { dishonesties } from './helpers/traces.js'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-respan-log-id': 'log-1',
  'x-respan-gateway-request-id': 'req-1',
}

const IDLE = 5_000

const encoder = new TextEncoder()

const part = (fields: object, more: object = {}): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm-1',
  choices: [{ index: 0, ...fields }],
  ...more,
})

const text = (content: string, more: object = {}): string =>
  event(part({ delta: { content }, finish_reason: null }, more))

const usageOf = (total_tokens: number) => ({
  prompt_tokens: 1,
  completion_tokens: total_tokens - 1,
  total_tokens,
})

const ROLE = event(part({ delta: { role: 'assistant', content: '' }, finish_reason: null }))
const STOP = event(part({ delta: {}, finish_reason: 'stop' }))
const USAGE = event({ choices: [], usage: usageOf(3) })
const DONE = 'data: [DONE]\n\n'
const HELLO = text('Hel') + text('lo')
const WHOLE = ROLE + HELLO + STOP + USAGE + DONE
const LONG = '漢'.repeat(1_400_000)

const SERVER_ERROR = { error: { message: 'Overloaded', type: 'server_error', code: null } }

const BREAKDOWN = event({
  id: 'request_breakdown',
  object: 'chat.completion.chunk',
  model: 'extra_parameter',
  usage: {},
  choices: [
    {
      index: 0,
      delta: { content: null, role: 'assistant' },
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'overwritten' },
      request_breakdown: { model: 'm-2', cost: 0.5, prompt_tokens: 99 },
    },
  ],
})

const call = (index: number, fn: object, more: object = {}): string =>
  event(part({ delta: { tool_calls: [{ index, ...more, function: fn }] }, finish_reason: null }))

const calls = (...all: ReadonlyArray<object>): object =>
  part({ delta: { tool_calls: all }, finish_reason: null })

const hasTwoCalls: NonNullable<Row['also']> = (t, { messages }, events) => {
  const [message] = messages
  const made = message?.role === 'assistant' ? (message.tool_calls ?? []) : []
  t.deepEqual(
    made.map(({ id, function: fn }) => [id, fn.name, JSON.parse(fn.arguments)]),
    [
      ['a', 'one', { a: 1 }],
      ['b', 'two', { b: 2 }],
    ],
  )
  const told = events.flatMap((one) => (one._tag === 'ToolCallDelta' ? [one] : []))
  for (const [number, { id, function: fn }] of made.entries()) {
    const own = told.filter((one) => one.call === number)
    t.is(own[0]?.callId, id)
    t.is(own[0]?.name, fn.name)
    t.is(own.map(({ json }) => json).join(''), fn.arguments)
  }
}

/** What a row's server does after the headers of a stream: bytes at once, or something of its own. */
type Sending = string | Uint8Array | ((response: ServerResponse) => unknown)

interface Row {
  readonly what: string
  readonly sends: Sending
  /** The error, with everything that counts of it; absent when the reply is complete. */
  readonly error?: Partial<RespanError>
  /** The reply's text, or what of it is in the error; `undefined` where the error has no partial reply. */
  readonly text: string | undefined
  /** Default: `stop` for a complete reply, null for a partial one. */
  readonly finish?: string | null
  /** Tokens that were reported. */
  readonly usage?: number | undefined
  readonly status: SpanStatus
  readonly source: UsageSource
  /** Whatever else is true of the reply, and of the events before it. */
  readonly also?: (t: ExecutionContext, reply: Reply, events: ReadonlyArray<ReplyEvent>) => void
}

const fine = (what: string, sends: Sending, more: Partial<Row> = {}): Row => ({
  what,
  sends,
  text: 'Hello',
  usage: 3,
  status: 'ok',
  source: 'reported',
  ...more,
})

const failed = (what: string, sends: Sending, error: Partial<RespanError>, more: Partial<Row> = {}): Row => ({
  what,
  sends,
  error,
  text: 'Hello',
  status: error._tag === 'StreamInterrupted' ? 'truncated' : 'error',
  source: 'estimated',
  ...more,
})

const cut = (what: string, sends: Sending, more: Partial<Row> = {}): Row =>
  failed(what, sends, { _tag: 'StreamInterrupted' }, more)

const gatewayError = (what: string, bad: string, message: string): Row =>
  failed(what, HELLO + bad + text('!') + STOP + DONE, { _tag: 'GatewayError', message })

const invalid = (what: string, bad: string, path: string): Row =>
  failed(what, HELLO + bad + text('!') + STOP + DONE, { _tag: 'InvalidResponse', path })

/** Ends the connection from under the body. */
const thenBreak =
  (bytes: string, how: 'destroy' | 'resetAndDestroy') =>
  (response: ServerResponse): unknown =>
    response.write(bytes, () => response.socket?.[how]())

const ROWS: ReadonlyArray<Row> = [
  fine('complete', WHOLE),

  // ── ends too early
  cut('ends without a finish_reason and without [DONE]', HELLO),
  cut('ends with [DONE], but without a finish_reason', HELLO + DONE),
  cut('ends after its usage, but without a finish_reason', HELLO + USAGE + DONE, {
    usage: 3,
    source: 'reported',
  }),
  cut('ends inside an event', `${HELLO}data: {"choices":[{"index":0,"delta":{"content":"!`),
  cut(
    'ends inside a character',
    encoder.encode(`${HELLO}data: {"choices":[{"delta":{"content":"é`).slice(0, -1),
  ),
  cut('ends before it began', '', { text: undefined, source: 'unknown' }),
  cut('has nothing but [DONE]', DONE, { text: undefined, source: 'unknown' }),
  cut('is closed without the end of its body', thenBreak(HELLO, 'destroy')),
  cut('is reset', thenBreak(HELLO, 'resetAndDestroy')),
  cut('is reset after its finish_reason', thenBreak(HELLO + STOP, 'resetAndDestroy'), { finish: 'stop' }),
  cut(
    'finishes one choice of two',
    event(part({ delta: { content: 'Hello' }, finish_reason: 'stop' })) +
      event({ choices: [{ index: 1, delta: { content: 'x' } }] }) +
      DONE,
    { finish: 'stop' },
  ),

  // ── ends as it may
  fine('has no [DONE] after its finish_reason', ROLE + HELLO + STOP + USAGE),
  fine('has no [DONE], and its last event no blank line', (ROLE + HELLO + USAGE + STOP).trimEnd()),
  fine('has two [DONE]', WHOLE + DONE),
  fine('goes on after [DONE]', WHOLE + text('!') + event(SERVER_ERROR) + event(7)),
  fine(
    'has its finish_reason on its last text',
    ROLE + text('Hel') + event(part({ delta: { content: 'lo' }, finish_reason: 'stop' })) + USAGE + DONE,
  ),
  fine('finishes with another reason', HELLO + event(part({ delta: {}, finish_reason: 'length' })) + DONE, {
    finish: 'length',
    usage: undefined,
    source: 'estimated',
  }),

  // ── errors under status 200
  gatewayError('has an error object', event(SERVER_ERROR), 'Overloaded'),
  gatewayError('has an error that is a string', event({ error: 'Overloaded' }), 'Overloaded'),
  gatewayError('has an error beside its choices', event({ choices: [], ...SERVER_ERROR }), 'Overloaded'),
  gatewayError('has a detail', event({ detail: 'The gateway failed' }), 'The gateway failed'),
  gatewayError('has an event: error', `event: error\ndata: {"message":"Overloaded"}\n\n`, 'Overloaded'),
  gatewayError('has an event: error in plain words', 'event: error\ndata: Overloaded\n\n', 'Overloaded'),
  failed(
    'begins with an error',
    event(SERVER_ERROR) + DONE,
    { _tag: 'GatewayError' },
    {
      text: undefined,
      source: 'unknown',
    },
  ),

  // ── what is no chunk
  invalid('has malformed JSON in one event', 'data: {"choices": [}\n\n', ''),
  invalid('has a word for an event', 'data: hello\n\n', ''),
  invalid('has choices that are a string', event({ choices: 'x' }), 'choices'),
  invalid('has a chunk without choices', event({ id: 'x' }), 'choices'),
  invalid('has a choice that is null', event({ choices: [null] }), 'choices[0]'),
  invalid('has content that is a number', event(part({ delta: { content: 7 } })), 'choices[0].delta.content'),
  invalid('has a list for a chunk', event([]), ''),

  // ── the forms of server-sent events
  fine('has comments and empty events', `: hi\n\n${WHOLE.replaceAll('\n\n', '\n\n: keep-alive\n\n\n')}`),
  fine('ends its lines with CR', WHOLE.replaceAll('\n', '\r')),
  fine('ends its lines with CRLF', WHOLE.replaceAll('\n', '\r\n')),
  fine(
    'ends its lines with any of the three',
    ROLE.replaceAll('\n', '\r') + HELLO.replaceAll('\n', '\r\n') + STOP + USAGE + DONE,
  ),
  fine('has no blank after its colons', WHOLE.replaceAll('data: ', 'data:')),
  fine('has data of several lines', WHOLE.replaceAll(',"choices"', '\ndata: ,"choices"')),
  fine('has other fields', WHOLE.replaceAll('data: ', 'id: 7\nretry: 10\nevent: message\nx: y\ndata: ')),
  fine('begins with a byte order mark', `\uFEFF${WHOLE}`),
  fine('comes byte by byte', async (response) => {
    for (const byte of encoder.encode(WHOLE)) {
      await new Promise((resolve) => response.write(Uint8Array.of(byte), resolve))
    }
    response.end()
  }),
  fine('has a line of 4 MB', ROLE + text(LONG) + STOP + USAGE + DONE, { text: LONG }),

  // ── usage
  fine('has two usage chunks', HELLO + STOP + event({ choices: [], usage: usageOf(90) }) + USAGE + DONE),
  fine(
    'has empty usage after its usage',
    HELLO + STOP + USAGE + event({ choices: [], usage: {} }) + event({ choices: [], usage: null }) + DONE,
  ),
  fine(
    'has running totals on every chunk',
    text('Hel', { usage: usageOf(2) }) + text('lo', { usage: usageOf(3) }) + STOP + DONE,
  ),
  fine(
    'has its usage on a chunk with an empty choice',
    HELLO + STOP + event(part({ delta: {} }, { usage: usageOf(3) })) + DONE,
  ),
  fine('has no usage', HELLO + STOP + DONE, { usage: undefined, source: 'estimated' }),
  fine(
    'has a breakdown, which overwrites nothing',
    HELLO + event(part({ delta: {}, finish_reason: 'length' })) + USAGE + BREAKDOWN + DONE,
    {
      finish: 'length',
      also: (t, { meta, breakdown }) => {
        t.like(meta[0], { model: 'm-1', cost: 0.5 })
        t.is(breakdown?.prompt_tokens, 99)
      },
    },
  ),

  // ── the forms of chunks
  fine(
    'has deltas that are null, and no choices for a while',
    event(part({ delta: null })) + event({ choices: [] }) + event(part({})) + WHOLE,
  ),
  fine(
    'names its model late',
    event({ choices: [{ delta: { content: 'Hello' } }], model: '' }) + STOP + USAGE + DONE,
    {
      also: (t, { meta }) => t.is(meta[0]?.model, 'm-1'),
    },
  ),
  fine(
    'has two tool calls, interleaved',
    call(0, { name: 'one', arguments: '' }, { id: 'a', type: 'function' }) +
      call(1, { name: 'two', arguments: '{"b"' }, { id: 'b', type: 'function' }) +
      event(calls({ index: 0, id: 'a' })) +
      call(0, { arguments: '{"a":' }) +
      call(1, { arguments: ':2}' }) +
      call(0, { arguments: '1}' }) +
      event(part({ delta: {}, finish_reason: 'tool_calls' })) +
      USAGE +
      DONE,
    {
      text: '',
      finish: 'tool_calls',
      also: hasTwoCalls,
    },
  ),
  fine(
    'has two tool calls without numbers, told apart by their ids',
    event(calls({ id: 'a', function: { name: 'one', arguments: '{"a"' } })) +
      event(calls({ function: { arguments: ':1' } })) +
      event(calls({})) +
      event(calls({ id: '', function: { arguments: '}' } })) +
      event(calls({ id: 'b', function: { name: 'two', arguments: '{"b":' } })) +
      event(calls({ id: 'b', function: { arguments: '2' } })) +
      event(calls({ function: { arguments: '}' } })) +
      event(part({ delta: {}, finish_reason: 'tool_calls' })) +
      USAGE +
      DONE,
    { text: '', finish: 'tool_calls', also: hasTwoCalls },
  ),
]

/** Rows whose server does not even begin a stream. */
const ANSWERS: ReadonlyArray<Row> = [
  failed(
    'is a page under status 200',
    (response) => response.writeHead(200, { ...HEADERS, 'content-type': 'text/html' }).end('<h1>Hi</h1>'),
    { _tag: 'InvalidResponse', path: 'content-type' },
    { text: undefined, source: 'unknown' },
  ),
  failed(
    'is a page that says it is a stream',
    (response) => response.writeHead(200, HEADERS).end('<!doctype html>\n<h1>Hi</h1>\n'),
    {
      _tag: 'InvalidResponse',
      message: 'The answer: expected server-sent events, found an HTML page or JSON.',
    } as Partial<RespanError>,
    { text: undefined, source: 'unknown' },
  ),
  failed(
    'is a page without a type',
    (response) => {
      const { 'content-type': _, ...headers } = HEADERS
      response.writeHead(200, headers).end('\n  <html><body>Hi</body></html>')
    },
    { _tag: 'InvalidResponse', expected: 'server-sent events' } as Partial<RespanError>,
    { text: undefined, source: 'unknown' },
  ),
  failed(
    'is JSON that says it is a stream',
    (response) => response.writeHead(200, HEADERS).end(JSON.stringify({ choices: [] })),
    { _tag: 'InvalidResponse', expected: 'server-sent events' } as Partial<RespanError>,
    { text: undefined, source: 'unknown' },
  ),
  cut(
    'is cut inside the name of its first field',
    (response) => response.writeHead(200, HEADERS).end('dat'),
    { text: undefined, source: 'unknown' },
  ),
  failed(
    'is an error object under status 200',
    (response) => sendJson(response, SERVER_ERROR, { headers: HEADERS_OF_JSON }),
    { _tag: 'GatewayError', message: 'Overloaded' },
    { text: undefined, source: 'unknown' },
  ),
  failed(
    'is refused with 400',
    (response) => sendJson(response, SERVER_ERROR, { status: 400, headers: HEADERS_OF_JSON }),
    { _tag: 'HttpError', status: 400 } as Partial<RespanError>,
    { text: undefined, source: 'unknown' },
  ),
  fine('is a whole response instead', (response) =>
    sendJson(
      response,
      {
        model: 'm-1',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: usageOf(3),
      },
      { headers: HEADERS_OF_JSON },
    ),
  ),
  fine(
    'is a whole response instead, with everything that a stream of it would tell',
    (response) =>
      sendJson(
        response,
        {
          model: 'm-1',
          choices: [
            {
              index: 0,
              message: {
                role: 'assistant',
                content: 'Hello',
                reasoning_content: 'Hm.',
                refusal: 'No.',
                tool_calls: [
                  { id: 'a', type: 'function', function: { name: 'one', arguments: '{"a":1}' } },
                  { id: 'b', type: 'function', function: { name: 'two', arguments: '{"b":2}' } },
                ],
              },
              finish_reason: 'stop',
            },
          ],
        },
        { headers: HEADERS_OF_JSON },
      ),
    {
      usage: undefined,
      source: 'estimated',
      also: (t, reply, events) => {
        hasTwoCalls(t, reply, events)
        t.deepEqual(
          events.map((one) => ('text' in one ? [one._tag, one.text] : one._tag)),
          [
            'ReplyStarted',
            ['ReasoningDelta', 'Hm.'],
            ['TextDelta', 'Hello'],
            ['RefusalDelta', 'No.'],
            'ToolCallDelta',
            'ToolCallDelta',
            'ReplyFinished',
          ],
        )
      },
    },
  ),
]

const HEADERS_OF_JSON = { ...HEADERS, 'content-type': 'application/json' }

interface Outcome {
  readonly events: ReadonlyArray<ReplyEvent>
  readonly error: RespanError | undefined
  /** What a reader saw of the first choice. */
  readonly text: string
}

type Watch = MonoTypeOperatorFunction<ReplyEvent>

const asIs: Watch = (source) => source

/** One call to a server that does what a row says. */
const ask = async (
  t: ExecutionContext,
  sends: (response: ServerResponse) => unknown,
  trace: Watch,
  watch: Watch = asIs,
  idleTimeout = Number.POSITIVE_INFINITY,
): Promise<Outcome> => {
  const server = await serve(t, sends)
  const notifications: ReadonlyArray<ObservableNotification<ReplyEvent>> = await lastValueFrom(
    of('Hi').pipe(
      respanGenerate({
        model: 'm',
        stream: true,
        baseUrl: server.url,
        idleTimeout,
        retry: { count: 0 },
      }),
      watch,
      trace,
      materialize(),
      toArray(),
    ),
  )
  t.is(server.received.length, 1)
  const events = notifications.flatMap((one) => (one.kind === 'N' ? [one.value] : []))
  const errors = notifications.flatMap((one): ReadonlyArray<unknown> => (one.kind === 'E' ? [one.error] : []))
  const [error] = errors
  if (errors.length > 0 && !isRespanError(error)) t.fail(inspect(error))
  return {
    events,
    error: isRespanError(error) ? error : undefined,
    text: events.map((one) => (one._tag === 'TextDelta' && one.choice === 0 ? one.text : '')).join(''),
  }
}

const startStream =
  (sends: Sending) =>
  (response: ServerResponse): unknown => {
    response.writeHead(200, HEADERS)
    response.flushHeaders()
    return typeof sends === 'function' ? sends(response) : response.end(sends)
  }

const expectReply = (t: ExecutionContext, row: Row, { events, error, text }: Outcome): void => {
  t.is(text, row.text ?? '')
  const last = events.at(-1)
  const finished = last?._tag === 'ReplyFinished' ? last.reply : undefined
  if (row.error === undefined) t.is(error, undefined)
  else {
    t.like(error, { ...row.error, logId: 'log-1', requestId: 'req-1' })
    t.is(finished, undefined)
  }
  const partial = error !== undefined && 'partial' in error ? error.partial : undefined
  const reply = row.error === undefined ? finished : partial
  t.is(reply?.replies[0], row.text)
  if (reply === undefined) return
  const { finish = row.error === undefined ? 'stop' : null } = row
  t.is(reply.meta[0]?.finish_reason, finish)
  t.is(reply.meta[0]?.usage?.total_tokens, row.usage)
  row.also?.(t, reply, events)
}

/** So much of a text is compared: a trace keeps a megabyte of it. */
const START = 1_000

/** The start of the text that a span has as its output. */
const contentOf = (output: string | undefined): string | undefined => {
  const text = output === undefined ? undefined : /"content":"([^"]*)/.exec(output)?.[1]
  return text?.slice(0, START)
}

const expectTrace = (t: ExecutionContext, row: Row, sink: ReturnType<typeof memorySink>): void => {
  t.deepEqual(dishonesties(sink.events), [])
  const [generation, root] = sink.spans()
  t.is(sink.spans().length, 2)
  t.like(generation, { name: 'respanGenerate', status: row.status })
  t.is(root?.status, row.status)
  t.is(generation?.error?.tag, row.error?._tag)
  t.like(generation?.generation, { usageSource: row.source, attempts: 1, stream: true })
  const usage = generation?.generation?.usage
  if (row.source === 'reported') t.is(usage?.total_tokens, row.usage)
  else t.is((usage?.completion_tokens ?? 0) > 0, row.source === 'estimated')
  t.is(contentOf(generation?.output), row.text === '' ? undefined : row.text?.slice(0, START))
}

const both = (row: Row, sends: (response: ServerResponse) => unknown): void => {
  test(`a stream that ${row.what}`, async (t) => {
    expectReply(t, row, await ask(t, sends, asIs))
  })

  test(`a stream that ${row.what}, in a trace`, async (t) => {
    const sink = memorySink()
    expectReply(t, row, await ask(t, sends, respanTrace('flow', { sink })))
    expectTrace(t, row, sink)
  })
}

for (const row of ROWS) both(row, startStream(row.sends))

for (const row of ANSWERS) both(row, (response) => typeof row.sends === 'function' && row.sends(response))

for (const traced of [false, true])
  test.serial(`a stream that stalls${traced ? ', in a trace' : ''}`, async (t) => {
    const sink = memorySink()
    const row = failed(
      'stalls',
      '',
      { _tag: 'Timeout', phase: 'idle', limit: IDLE } as Partial<RespanError>,
      {
        text: 'Hel',
      },
    )
    const outcome = await ask(
      t,
      (response) => startStream((stream) => stream.write(text('Hel')))(response),
      traced ? respanTrace('flow', { sink }) : asIs,
      (source) =>
        defer(() => {
          const { tick } = commandTimers(t)
          return source.pipe(
            tap((one) => {
              // Twice: the text itself was a sign of life.
              if (one._tag === 'TextDelta') queueMicrotask(() => [tick(IDLE), tick(IDLE)])
            }),
          )
        }),
      IDLE,
    )
    expectReply(t, row, outcome)
    if (traced) expectTrace(t, row, sink)
  })

for (const captureContent of [true, false])
  test(`a stream of which nothing is kept has all its tokens estimated, ${captureContent ? 'with' : 'without'} content`, async (t) => {
    const server = await serve(t, (response) => sendEvents(response, text('x'.repeat(4_000)), STOP, DONE))
    const sink = memorySink()
    const generate = respanGenerate({ model: 'm', stream: true, collect: false, baseUrl: server.url })
    const trace = respanTrace<ReplyEvent>('flow', { sink, captureContent, maxContentBytes: 1_000 })
    await lastValueFrom(of('Hi').pipe(generate, trace))
    t.like(sink.spans()[0]?.generation, { usageSource: 'estimated', usage: { completion_tokens: 1_000 } })
  })

test('a stream that keeps silent but for comments is alive', async (t) => {
  const outcome = await ask(t, (response) => sendEvents(response, ': thinking\n\n', WHOLE), asIs)
  t.is(outcome.error, undefined)
  t.is(outcome.text, 'Hello')
})
