import { readFileSync } from 'node:fs'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { IngestRequest, SpanPayload } from '../../dist/codecs/SpanPayload.js'
import { toSpanPayload } from '../../dist/sinks/toSpanPayload.js'
import type { Generation, Span } from '../../dist/tracing/SpanEvent.js'
import { idOf, TRACE_ID } from '../helpers/spans.js'

const START = Date.UTC(2026, 2, 7, 8)

const base: Span = {
  traceId: TRACE_ID,
  spanId: idOf(1),
  parentId: undefined,
  name: 'My Workflow',
  type: 'workflow',
  path: '',
  workflow: 'My Workflow',
  trace: 'My Workflow',
  startedAt: START,
  endedAt: START + 1_251,
  status: 'ok',
}

const generation: Generation = {
  model: 'gpt-4o-mini-2024-07-18',
  stream: true,
  usageSource: 'reported',
  usage: {
    prompt_tokens: 24,
    completion_tokens: 21,
    total_tokens: 45,
    prompt_tokens_details: { cached_tokens: 8 },
    completion_tokens_details: { reasoning_tokens: 5 },
  },
  finishReasons: ['stop'],
  requestId: 'req-1',
  logId: '8c1f0f5e2b7e4c9ea4b7e2f4c3d9a6b1',
  request: { temperature: 0.2, max_tokens: 300 },
}

const chat: Span = {
  ...base,
  spanId: idOf(2),
  parentId: idOf(1),
  name: 'respanGenerate',
  type: 'generation',
  path: 'My Workflow',
  startedAt: START + 3,
  firstOutputAt: START + 415,
  endedAt: START + 1_250,
  input: '[{"role":"user","content":"Tell me about artificial intelligence."}]',
  output: '{"role":"assistant","content":"Software."}',
  generation,
}

test('writes a root', (t) => {
  t.deepEqual(
    toSpanPayload({
      ...base,
      input: '{"topic":"ai"}',
      attributes: { customer_identifier: 'user_123', metadata: { session_id: 'abc123' } },
    }),
    {
      trace_unique_id: TRACE_ID,
      span_unique_id: idOf(1),
      span_parent_id: null,
      span_name: 'My Workflow',
      span_workflow_name: 'My Workflow',
      span_path: '',
      trace_name: 'My Workflow',
      log_type: 'workflow',
      start_time: '2026-03-07T08:00:00.000000Z',
      timestamp: '2026-03-07T08:00:01.251000Z',
      latency: 1.251,
      input: '{"topic":"ai"}',
      status_code: 200,
      status: 'success',
      log_method: 'ts_tracing',
      customer_identifier: 'user_123',
      metadata: { session_id: 'abc123' },
    },
  )
})

test('writes a streamed generation as the sample of the platform has it', (t) => {
  const samples: ReadonlyArray<Record<string, unknown>> = JSON.parse(
    readFileSync('test/fixtures/respan/ingest.request.json', 'utf8'),
  )
  const sample = samples[2] ?? {}
  const payload: Record<string, unknown> = { ...toSpanPayload(chat) }
  for (const field of [
    'log_type',
    'model',
    'stream',
    'latency',
    'time_to_first_token',
    'tokens_per_second',
    'prompt_tokens',
    'completion_tokens',
    'total_request_tokens',
    'temperature',
    'max_tokens',
    'status_code',
    'start_time',
    'timestamp',
  ])
    t.deepEqual(payload[field], sample[field], field)
  t.like(payload, { prompt_cache_hit_tokens: 8, reasoning_tokens: 5, usage: generation.usage })
  t.deepEqual(payload.metadata, {
    usage_source: 'reported',
    finish_reason: 'stop',
    gateway_request_id: 'req-1',
    gateway_log_id: '8c1f0f5e2b7e4c9ea4b7e2f4c3d9a6b1',
  })
})

test('a whole reply has no time to its first token: that would be its latency again', (t) => {
  const payload = toSpanPayload({ ...chat, generation: { ...generation, stream: false } })
  t.false('time_to_first_token' in payload)
  t.is(payload.tokens_per_second, 16.840417)
})

for (const type of ['workflow', 'task', 'agent', 'tool'] as const)
  test(`a ${type} keeps its name, and has no usage`, (t) => {
    const payload = toSpanPayload({ ...base, type })
    t.is(payload.log_type, type)
    t.false('prompt_tokens' in payload || 'usage' in payload || 'model' in payload)
  })

test('a tool says which one it is, as the samples of the platform do', (t) => {
  const samples: ReadonlyArray<Record<string, unknown>> = JSON.parse(
    readFileSync('test/fixtures/respan/ingest.request.log-types.json', 'utf8'),
  )
  const sample = samples.find(({ log_type }) => log_type === 'tool')
  const payload = toSpanPayload({ ...base, type: 'tool', name: 'lookup' })
  t.deepEqual<unknown, unknown>(payload.span_tools, sample?.span_tools)
  t.false('span_tools' in toSpanPayload({ ...base, type: 'agent' }))
})

test('a cancelled span is a success that says so', (t) => {
  t.like(toSpanPayload({ ...base, status: 'cancelled' }), {
    status_code: 200,
    status: 'success',
    metadata: { cancelled: 'true' },
  })
})

test('a truncated span has status 502 and a message', (t) => {
  t.like(toSpanPayload({ ...chat, status: 'truncated' }), {
    status_code: 502,
    status: 'error',
    error_message: 'The stream stopped without a finish reason.',
    output: chat.output,
  })
  const error = { tag: 'StreamInterrupted', message: 'The connection broke off.', status: 502 }
  t.is(
    toSpanPayload({ ...chat, status: 'truncated', error }).error_message,
    'StreamInterrupted: The connection broke off.',
  )
})

test('a failed span has the status, message, tag and stack of its error', (t) => {
  const error = {
    tag: 'RateLimited',
    message: 'HTTP 429: slow down',
    status: 429,
    stack: 'RateLimited: …\n  at x',
  }
  t.like(toSpanPayload({ ...chat, status: 'error', error }), {
    status_code: 429,
    status: 'error',
    error_message: 'RateLimited: HTTP 429: slow down',
    metadata: { error_tag: 'RateLimited' },
    properties: { respan_error: { tag: 'RateLimited', stack: 'RateLimited: …\n  at x' } },
  })
})

test('a count or a cost that cannot be is left out, and costs no span', (t) => {
  const usage = { prompt_tokens: -1, completion_tokens: 1e308, total_tokens: 1.4 }
  const payload = toSpanPayload({ ...chat, generation: { ...generation, usage, cost: -1 } })
  t.true(SpanPayload.is(payload))
  for (const field of ['cost', 'prompt_tokens', 'tokens_per_second']) t.false(field in payload, field)
  t.is(payload.total_request_tokens, 1)
})

test('a cost is told, and no speed where nothing came out or no time passed', (t) => {
  const usage = { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 }
  t.is(toSpanPayload({ ...chat, generation: { ...generation, cost: 0.001 } }).cost, 0.001)
  t.false('tokens_per_second' in toSpanPayload({ ...chat, generation: { ...generation, usage } }))
  const { usage: _, ...untold } = generation
  t.false('tokens_per_second' in toSpanPayload({ ...chat, generation: untold }))
  t.false('tokens_per_second' in toSpanPayload({ ...chat, endedAt: START + 415 }))
})

test('a speed is that of tokens that were reported, never of a guess', (t) => {
  const payload = toSpanPayload({ ...chat, generation: { ...generation, usageSource: 'estimated' } })
  t.true('completion_tokens' in payload)
  t.true('time_to_first_token' in payload)
  t.false('tokens_per_second' in payload)
})

test('an error whose message was withheld tells its tag only', (t) => {
  t.like(toSpanPayload({ ...base, status: 'error', error: { tag: 'TypeError', status: 500 } }), {
    status_code: 500,
    error_message: 'TypeError',
  })
})

test('a status that HTTP does not know becomes 500', (t) => {
  for (const status of [0, 42, 1_000, Number.NaN])
    t.is(toSpanPayload({ ...base, status: 'error', error: { tag: 'X', status } }).status_code, 500)
})

test('says that the consumer left early', (t) => {
  t.deepEqual(toSpanPayload({ ...base, leftEarly: true }).metadata, { left_early: 'true' })
})

test('a root has its totals under a name of our own, where nothing adds them up', (t) => {
  const totals = { generations: 2, prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cost: 0.1 }
  const payload = toSpanPayload({ ...base, totals })
  t.deepEqual(payload.properties, { respan_totals: totals })
  t.false('prompt_tokens' in payload || 'cost' in payload)
})

test('a generation of a stored prompt belongs to it, with the cache tokens in whichever form they came', (t) => {
  const usage = {
    prompt_tokens: 1_000,
    completion_tokens: 1,
    total_tokens: 1_001,
    cache_read_input_tokens: 900,
    cache_creation_input_tokens: 100,
  }
  const generation: Generation = {
    usageSource: 'reported',
    usage,
    request: { prompt_id: 'p', prompt_version_number: 4, top_k: 3 },
  }
  const payload = toSpanPayload({ ...base, type: 'generation', generation })
  t.like(payload, {
    prompt_id: 'p',
    prompt_version_number: 4,
    prompt_cache_hit_tokens: 900,
    prompt_cache_creation_tokens: 100,
    properties: { respan_request: { top_k: 3 } },
  })
})

test('a name is cut where the platform does, but never inside a character', (t) => {
  t.is(toSpanPayload({ ...base, name: `${'a'.repeat(254)}😀` }).span_name, 'a'.repeat(254))
  t.is(toSpanPayload({ ...base, name: `${'a'.repeat(253)}😀b` }).span_name, `${'a'.repeat(253)}😀`)
})

test('metadata is primitive: what is not becomes JSON, and nothing throws', (t) => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const metadata = {
    text: 'a',
    n: 1,
    yes: true,
    none: null,
    gone: undefined,
    call: () => 1,
    nothing: { toJSON: () => undefined },
    list: [1, { a: 2 }],
    nan: Number.NaN,
    big: 1n,
    cycle,
  }
  t.deepEqual(toSpanPayload({ ...base, attributes: { metadata } }).metadata, {
    text: 'a',
    n: 1,
    yes: true,
    none: null,
    list: '[1,{"a":2}]',
    nan: 'NaN',
    big: '1',
    cycle: '{"self":"[redacted]"}',
  })
})

test("our own marks win over the user's of the same name", (t) => {
  const attributes = { metadata: { cancelled: 'no' } }
  t.is(toSpanPayload({ ...base, status: 'cancelled', attributes }).metadata?.cancelled, 'true')
})

test('properties keep their types', (t) => {
  t.deepEqual(toSpanPayload({ ...base, attributes: { properties: { a: { b: [1] } } } }).properties, {
    a: { b: [1] },
  })
})

test('attributes cannot take the place of what a span is', (t) => {
  const attributes: Record<string, unknown> = {
    trace_unique_id: 'x',
    span_unique_id: 'y',
    span_name: 'z',
    status_code: 1,
  }
  t.like(toSpanPayload({ ...base, attributes }), {
    trace_unique_id: TRACE_ID,
    span_unique_id: idOf(1),
    span_name: 'My Workflow',
    status_code: 200,
  })
})

test('secrets among attributes and request fields are masked', (t) => {
  const attributes: Record<string, unknown> = {
    customer_credentials: { openai: { api_key: 'canary-1' } },
    metadata: { nested: { api_key: 'canary-2' } },
    properties: { authorization: 'canary-3' },
  }
  const request = { customer_api_keys: { openai: 'canary-4' }, extra_headers: { x: 'canary-5' } }
  const text = JSON.stringify(toSpanPayload({ ...chat, attributes, generation: { ...generation, request } }))
  t.false(text.includes('canary'))
})

test('request fields that spans have go to their place, if they are of the right kind; the others are kept', (t) => {
  const request = {
    model: 'asked',
    messages: [{ role: 'user', content: 'secret' }],
    stream: true,
    temperature: 'hot',
    max_tokens: 5,
    stop: ['a'],
    tools: [{ type: 'function' }],
    fallback_models: ['b'],
  }
  const payload = toSpanPayload({ ...chat, generation: { ...generation, request } })
  t.like(payload, { max_tokens: 5, stop: ['a'], tools: [{ type: 'function' }], model: generation.model })
  t.deepEqual(payload.properties, { respan_request: { temperature: 'hot', fallback_models: ['b'] } })
  t.false(JSON.stringify(payload).includes('secret'))
})

test('a field of a request that is undefined is none', (t) => {
  const request = { temperature: undefined, top_k: undefined }
  t.false('properties' in toSpanPayload({ ...chat, generation: { ...generation, request } }))
})

const KINDS: Readonly<Record<string, readonly [right: ReadonlyArray<unknown>, wrong: unknown]>> = {
  temperature: [[0, 0.5], '1'],
  max_tokens: [[300], 1.5],
  top_p: [[0.1], null],
  presence_penalty: [[-1], '1'],
  frequency_penalty: [[1], Number.NaN],
  stop: [
    ['a', ['a', 'b']],
    ['a', 1],
  ],
  n: [[2], 1.5],
  stream_options: [[{ include_usage: true }], 'all'],
  response_format: [[{ type: 'text' }], 'text'],
  reasoning_effort: [['low'], 3],
  tools: [[[{ type: 'function' }]], ['search']],
  tool_choice: [['auto', { type: 'function' }], 1],
  prompt_id: [['p'], 7],
}

for (const [field, [right, wrong]] of Object.entries(KINDS))
  test(`${field} of a request has its own place, if it is of the right kind`, (t) => {
    const written = (value: unknown) =>
      toSpanPayload({ ...chat, generation: { ...generation, request: { [field]: value } } })
    for (const value of right) {
      t.like(written(value), { [field]: value })
      t.is(written(value).properties, undefined)
    }
    t.false(field in written(wrong))
    t.deepEqual(written(wrong).properties, { respan_request: { [field]: wrong } })
  })

test('durations are never negative, and rounded to the microsecond', (t) => {
  t.is(toSpanPayload({ ...base, endedAt: START - 5 }).latency, 0)
  t.is(toSpanPayload({ ...base, startedAt: START + 0.1, endedAt: START + 0.4004 }).latency, 0.0003)
})

for (const [ms, text] of [
  [0, '1970-01-01T00:00:00.000000Z'],
  [START + 0.25, '2026-03-07T08:00:00.000250Z'],
  [START + 999.9999, '2026-03-07T08:00:01.000000Z'],
  [START + 7.004, '2026-03-07T08:00:00.007004Z'],
] as const)
  test(`writes ${ms} ms as ${text}`, (t) => {
    t.is(toSpanPayload({ ...base, startedAt: ms }).start_time, text)
  })

test('times are written to the microsecond, before 1970 too', (t) => {
  const startOf = (startedAt: number) => toSpanPayload({ ...base, startedAt }).start_time
  t.is(startOf(START + 0.001), '2026-03-07T08:00:00.000001Z')
  t.is(startOf(START + 999.999), '2026-03-07T08:00:00.999999Z')
  t.is(startOf(START + 1_000.5), '2026-03-07T08:00:01.000500Z')
  t.is(startOf(-0.001), '1969-12-31T23:59:59.999999Z')
  t.is(startOf(START), '2026-03-07T08:00:00.000000Z')
})

test('a key that JavaScript reads as the prototype is a key like any other', (t) => {
  const attributes = JSON.parse(
    '{"__proto__":{"a":1},"metadata":{"__proto__":"b"},"properties":{"__proto__":{"c":1}}}',
  )
  const payload = toSpanPayload({ ...base, attributes })
  t.is(Object.getPrototypeOf(payload), Object.prototype)
  t.true(
    JSON.stringify(payload).startsWith(
      '{"__proto__":{"a":1},"metadata":{"__proto__":"b"},"properties":{"__proto__":{"c":1}}',
    ),
  )
})

test('a time that is no date is left out', (t) => {
  t.false('start_time' in toSpanPayload({ ...base, startedAt: Number.NaN }))
})

test('cuts a name at 255 characters and a message at 2000 bytes', (t) => {
  const error = { tag: 'E', message: 'x'.repeat(9_000), status: 500 }
  const payload = toSpanPayload({ ...base, name: 'n'.repeat(999), status: 'error', error })
  t.is(payload.span_name?.length, 255)
  t.true((payload.error_message?.length ?? 0) < 2_100)
})

const text = fc.string({ maxLength: 20 })
const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })
const at = fc.double({ min: 0, max: 4e12, noNaN: true })
/** What a server may say of a count or a cost. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

const anySpan: fc.Arbitrary<Span> = fc
  .record({
    name: text,
    path: text,
    type: fc.constantFrom(
      'workflow' as const,
      'task' as const,
      'agent' as const,
      'tool' as const,
      'generation' as const,
    ),
    parentId: optional(text),
    startedAt: at,
    endedAt: at,
    firstOutputAt: optional(at),
    status: fc.constantFrom('ok' as const, 'error' as const, 'cancelled' as const, 'truncated' as const),
    input: optional(text),
    output: optional(text),
    error: optional(fc.record({ tag: text, message: text, status: fc.integer() })),
    metadata: optional(fc.dictionary(text, fc.anything())),
    request: optional(
      fc.dictionary(fc.oneof(text, fc.constantFrom('temperature', 'stop', 'n', 'tools')), fc.anything()),
    ),
    usage: optional(
      fc.record({
        prompt_tokens: fc.double({ min: 0, max: 1e9, noNaN: true }),
        completion_tokens: fc.oneof(fc.nat(), finite),
        total_tokens: fc.oneof(fc.nat(), finite),
      }),
    ),
    cost: optional(finite),
  })
  .map(({ firstOutputAt, input, output, error, metadata, request, usage, cost, ...rest }) => ({
    ...base,
    ...rest,
    ...(firstOutputAt === undefined ? {} : { firstOutputAt }),
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(metadata === undefined ? {} : { attributes: { metadata } }),
    ...(rest.type === 'generation'
      ? {
          generation: {
            usageSource: 'reported' as const,
            ...(request === undefined ? {} : { request }),
            ...(usage === undefined ? {} : { usage }),
            ...(cost === undefined ? {} : { cost }),
          },
        }
      : {}),
  }))

testProp('law: every span becomes a payload that its codec accepts', [anySpan], (t, span) => {
  const payload = toSpanPayload(span)
  t.true(SpanPayload.is(payload), JSON.stringify(span))
  t.true(IngestRequest.is([payload]))
})

testProp('law: writing a span changes nothing about it', [anySpan], (t, span) => {
  const before = structuredClone({ ...span, attributes: undefined, generation: undefined })
  t.deepEqual(toSpanPayload(span), toSpanPayload(span))
  t.deepEqual({ ...span, attributes: undefined, generation: undefined }, before)
})
