import { readdirSync, readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { expectTypeOf } from 'expect-type'
import { isRight, right } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { ChatChunk, isBreakdownChunk } from '../../dist/codecs/ChatChunk.js'
import { AssistantMessage, ChatMessage } from '../../dist/codecs/ChatMessage.js'
import { ChatParams } from '../../dist/codecs/ChatParams.js'
import { ChatRequest } from '../../dist/codecs/ChatRequest.js'
import { ChatResponse } from '../../dist/codecs/ChatResponse.js'
import { ContentPart, TextPart } from '../../dist/codecs/ContentPart.js'
import type { DecodeFailure } from '../../dist/codecs/DecodeFailure.js'
import { decode } from '../../dist/codecs/decode.js'
import { contentTracingEnabled, Environment, readEnvironment } from '../../dist/codecs/Environment.js'
import {
  ErrorBody,
  errorCode,
  errorMessage,
  isErrorBody,
  retryAfterSeconds,
} from '../../dist/codecs/ErrorBody.js'
import type { Fields } from '../../dist/codecs/Fields.js'
import { IngestResponse } from '../../dist/codecs/IngestResponse.js'
import { Logprobs } from '../../dist/codecs/Logprobs.js'
import {
  assistant,
  messageText,
  system,
  toChatMessage,
  toolResult,
  user,
} from '../../dist/codecs/messages.js'
import { PromptList } from '../../dist/codecs/PromptList.js'
import { PromptReference, PromptVariables } from '../../dist/codecs/PromptReference.js'
import { PromptVersion } from '../../dist/codecs/PromptVersion.js'
import { RequestBreakdown } from '../../dist/codecs/RequestBreakdown.js'
import { RespanAttributes, TraceAttributes } from '../../dist/codecs/RespanAttributes.js'
import { redactSecrets } from '../../dist/codecs/redactSecrets.js'
import { IngestRequest, LogType, SpanPayload } from '../../dist/codecs/SpanPayload.js'
import { Tool, ToolChoice } from '../../dist/codecs/Tool.js'
import { ToolCall, ToolCallDelta } from '../../dist/codecs/ToolCall.js'
import { ReportedUsage, toUsage, Usage } from '../../dist/codecs/Usage.js'
import { mapTexts } from '../../dist/util/mapTexts.js'

const fixtures = new URL('../../test/fixtures/respan/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, fixtures), 'utf8')
const json = (name: string): unknown => JSON.parse(read(name))

const CODECS: ReadonlyArray<t.Mixed> = [
  AssistantMessage,
  ChatChunk,
  ChatMessage,
  ChatParams,
  ChatRequest,
  ChatResponse,
  ContentPart,
  Environment,
  ErrorBody,
  IngestRequest,
  IngestResponse,
  LogType,
  Logprobs,
  PromptList,
  PromptReference,
  PromptVariables,
  PromptVersion,
  ReportedUsage,
  RequestBreakdown,
  RespanAttributes,
  SpanPayload,
  Tool,
  ToolCall,
  ToolCallDelta,
  ToolChoice,
  TraceAttributes,
  Usage,
]

// ── fixtures

type Outcome = 'decodes' | DecodeFailure

const failure = (path: string, expected: string, found: string): DecodeFailure => ({ path, expected, found })
const noChoices = (found: string): DecodeFailure => failure('choices', 'list of ChatChoice', found)

/** What each JSON fixture is decoded with, and what must come of it. */
const TABLE: Readonly<Record<string, readonly [t.Mixed, Outcome]>> = {
  'chat.request.full.json': [ChatRequest, 'decodes'],
  'chat.request.json': [ChatRequest, 'decodes'],
  'chat.request.json-schema.json': [ChatRequest, 'decodes'],
  'chat.request.nested-params.json': [ChatRequest, 'decodes'],
  'chat.request.tool-result.json': [ChatRequest, 'decodes'],
  'chat.response.cost.json': [ChatResponse, 'decodes'],
  'chat.response.empty-choices.json': [ChatResponse, 'decodes'],
  'chat.response.error-in-200.json': [ChatResponse, noChoices('undefined')],
  'chat.response.json': [ChatResponse, 'decodes'],
  'chat.response.length.json': [ChatResponse, 'decodes'],
  'chat.response.minimal.json': [ChatResponse, 'decodes'],
  'chat.response.n2-logprobs.json': [ChatResponse, 'decodes'],
  'chat.response.prompt-echo.json': [ChatResponse, 'decodes'],
  'chat.response.reasoning.json': [ChatResponse, 'decodes'],
  'chat.response.refusal.json': [ChatResponse, 'decodes'],
  'chat.response.request-breakdown.json': [ChatResponse, 'decodes'],
  'chat.response.tool-calls.json': [ChatResponse, 'decodes'],
  'error.400.json': [ErrorBody, 'decodes'],
  'error.401.invalid-key.json': [ErrorBody, 'decodes'],
  'error.401.missing.json': [ErrorBody, 'decodes'],
  'error.401.provider-anthropic.json': [ErrorBody, 'decodes'],
  'error.401.provider-openai.json': [ErrorBody, 'decodes'],
  'error.404.model.json': [ErrorBody, 'decodes'],
  'error.404.trace.json': [ErrorBody, 'decodes'],
  'error.422.json': [ErrorBody, 'decodes'],
  'error.429.provider.json': [ErrorBody, 'decodes'],
  'error.429.quota.json': [ErrorBody, 'decodes'],
  'error.429.respan.json': [ErrorBody, 'decodes'],
  'error.500.json': [ErrorBody, 'decodes'],
  'ingest.request.errors.json': [IngestRequest, 'decodes'],
  'ingest.request.json': [IngestRequest, 'decodes'],
  'ingest.request.log-types.json': [IngestRequest, 'decodes'],
  'ingest.request.wrapped.json': [IngestRequest, 'decodes'],
  'ingest.response.legacy.json': [IngestResponse, 'decodes'],
  'ingest.response.message.json': [IngestResponse, 'decodes'],
  'ingest.response.status-errors.json': [IngestResponse, 'decodes'],
  'ingest.response.status.json': [IngestResponse, 'decodes'],
  'prompt.request.composition.json': [ChatRequest, 'decodes'],
  'prompt.request.v1-override-params.json': [ChatRequest, 'decodes'],
  'prompt.request.v1.json': [ChatRequest, 'decodes'],
  'prompt.request.v2.json': [ChatRequest, 'decodes'],
  'prompt.version.json': [PromptVersion, 'decodes'],
  'prompts.list.json': [PromptList, 'decodes'],
}

/** Families of fixtures that other parts of the library, or nobody yet, decode. */
const ELSEWHERE = /^(chat\..*\.headers|embeddings|index|models|otlp|request-log|responses|trace)\b.*json$/

test('every JSON fixture has a codec and an expected outcome', (t) => {
  const names = readdirSync(fixtures).filter((name) => name.endsWith('.json') && !ELSEWHERE.test(name))
  t.deepEqual([...names].sort(), Object.keys(TABLE).sort())
})

for (const [name, [codec, outcome]] of Object.entries(TABLE)) {
  test(`${name} ${outcome === 'decodes' ? 'decodes as' : 'is refused by'} ${codec.name}`, (t) => {
    const value = json(name)
    const decoded = decode(codec)(value)
    if (outcome === 'decodes') t.deepEqual(decoded, right(value))
    else t.deepEqual(decoded, { _tag: 'Left', left: outcome })
  })
}

/** The payloads of a stream's events: enough of SSE for these fixtures, joined data lines included. */
const payloads = (name: string): ReadonlyArray<string> =>
  read(name)
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .join('\n')
    .split(/\n\n+/)
    .map((event) =>
      event
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
        .join('\n'),
    )
    .filter((data) => data.trim() !== '' && data.trim() !== '[DONE]')

const kindOf = (payload: string): string => {
  try {
    const value: unknown = JSON.parse(payload)
    if (isErrorBody(value)) return 'error'
    return isRight(decode(ChatChunk)(value)) ? 'chunk' : 'other'
  } catch {
    return 'not JSON'
  }
}

const STREAMS: Readonly<Record<string, ReadonlyArray<string>>> = {
  'chat.stream.bad-json.sse': ['chunk', 'not JSON'],
  'chat.stream.cut-mid-event.sse': ['chunk', 'not JSON'],
  'chat.stream.done-only.sse': [],
  'chat.stream.error-detail.sse': ['chunk', 'error'],
  'chat.stream.error-first.sse': ['error'],
  'chat.stream.error.sse': ['chunk', 'error'],
  'chat.stream.long-token-cr.sse': ['chunk'],
  'chat.stream.n2.sse': ['chunk'],
  'chat.stream.no-done.sse': ['chunk'],
  'chat.stream.no-usage.sse': ['chunk'],
  'chat.stream.quirks.sse': ['chunk'],
  'chat.stream.reasoning.sse': ['chunk'],
  'chat.stream.refusal.sse': ['chunk'],
  'chat.stream.request-breakdown.sse': ['chunk'],
  'chat.stream.text.sse': ['chunk'],
  'chat.stream.tool-calls.sse': ['chunk'],
  'chat.stream.truncated.sse': ['chunk'],
}

test('every event of the stream fixtures is a chunk, an error or broken, as its file says', (t) => {
  const names = readdirSync(fixtures).filter((name) => name.endsWith('.sse'))
  const kinds = names.map((name) => [name, [...new Set(payloads(name).map(kindOf))]])
  t.deepEqual(Object.fromEntries(kinds), STREAMS)
})

test('only the breakdown chunk is one', (t) => {
  const chunks = payloads('chat.stream.request-breakdown.sse')
    .map((payload) => decode(ChatChunk)(JSON.parse(payload)))
    .flatMap((decoded) => (isRight(decoded) ? [decoded.right] : []))
  t.deepEqual(
    chunks.filter(isBreakdownChunk).map(({ id, model }) => ({ id, model })),
    [{ id: 'request_breakdown', model: 'extra_parameter' }],
  )
})

// ── laws, over values generated from the codecs' own structure

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

const jsonValue = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>
const key = fc.constantFrom('a', 'b', 'some_field', 'with space', 'ü', '__proto__', 'constructor')
const jsonObject = fc
  .array(fc.tuple(key, jsonValue), { maxLength: 3 })
  .map((entries) => Object.fromEntries(entries))
const numbers = fc.oneof(
  fc.constantFrom(0, 1, 2, -1, 0.5, 100, 200, 599),
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
const members = (value: unknown, name: string): ReadonlyArray<unknown> => {
  const list = member(value, name)
  return Array.isArray(list) ? list : []
}

const recordOf = (codec: unknown, requiredKeys: boolean): fc.Arbitrary<unknown> => {
  const props = member(codec, 'props')
  const model: Record<string, fc.Arbitrary<unknown>> = {}
  for (const name of Object.keys(props ?? {})) {
    const prop = member(props, name)
    // a key that is never sent has no value to generate
    if (!String(member(prop, 'name')).startsWith('no value')) model[name] = arbitraryOf(prop)
  }
  return requiredKeys ? fc.record(model) : fc.record(model, { requiredKeys: [] })
}

/** Values that a codec should accept, from its structure alone. */
const arbitraryOf = (codec: unknown): fc.Arbitrary<unknown> => {
  switch (member(codec, '_tag')) {
    case 'StringType':
      return fc.string({ maxLength: 8 })
    case 'NumberType':
      return numbers
    case 'BooleanType':
      return fc.boolean()
    case 'NullType':
      return fc.constant(null)
    case 'UnknownType':
      return jsonValue
    case 'LiteralType':
      return fc.constant(member(codec, 'value'))
    case 'ReadonlyType':
      return arbitraryOf(member(codec, 'type'))
    case 'ReadonlyArrayType':
      return fc.array(arbitraryOf(member(codec, 'type')), { maxLength: 3 })
    case 'RefinementType': {
      const predicate = member(codec, 'predicate')
      const inner = arbitraryOf(member(codec, 'type'))
      return typeof predicate === 'function' ? inner.filter((value) => predicate(value) === true) : inner
    }
    case 'DictionaryType':
      return fc.dictionary(fc.string({ maxLength: 5 }), arbitraryOf(member(codec, 'codomain')), {
        maxKeys: 3,
      })
    case 'UnionType':
      return fc.oneof(...members(codec, 'types').map(arbitraryOf))
    case 'IntersectionType':
      return fc
        .tuple(...members(codec, 'types').map(arbitraryOf))
        .map((parts) => Object.assign({}, ...(parts as ReadonlyArray<object>)))
    case 'InterfaceType':
      return recordOf(codec, true)
    case 'PartialType':
      return recordOf(codec, false)
    default:
      return member(codec, 'name') === 'object'
        ? jsonObject
        : fc.constantFrom(...String(member(codec, 'name')).split(' | '))
  }
}

const arbitraries = new Map(CODECS.map((codec) => [codec, arbitraryOf(codec)]))
const arbitraryFor = (codec: t.Mixed): fc.Arbitrary<unknown> =>
  arbitraries.get(codec) ?? fc.constant(undefined)

for (const codec of CODECS) {
  testProp(
    `law: decode ∘ encode = right, the value itself, for ${codec.name}`,
    [arbitraryFor(codec)],
    (t, value) => {
      const decoded = decode(codec)(codec.encode(value))
      t.deepEqual(decoded, right(value))
      t.true(isRight(decoded) && Object.is(decoded.right, value))
    },
    { numRuns: 60 },
  )
}

const OBJECTS = CODECS.filter(
  (codec) => ![IngestRequest, LogType, ToolChoice].some((other) => other === codec),
)
const STRINGLY: ReadonlyArray<t.Mixed> = [PromptVariables]

testProp(
  'law: unknown fields survive, whatever they are called',
  [
    fc
      .constantFrom(...OBJECTS.filter((codec) => !STRINGLY.includes(codec)))
      .chain((codec) => fc.tuple(fc.constant(codec), arbitraryFor(codec))),
    jsonValue,
  ],
  (t, [codec, value], extra) => {
    const wide: unknown = JSON.parse(
      JSON.stringify({ ...(value as object), unknown_field: extra }).replace(
        '{',
        '{"__proto__":{"polluted":1},',
      ),
    )
    const decoded = decode(codec)(wide)
    t.deepEqual(decoded, right(wide))
    t.true(isRight(decoded) && Object.hasOwn(decoded.right, '__proto__'))
    t.is(Object.getPrototypeOf(wide), Object.prototype)
    t.is(member({}, 'polluted'), undefined)
  },
)

/** The value with whatever is at one of its places, chosen by number, replaced. */
const mutate = (value: unknown, place: number, by: unknown): unknown => {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  if (keys.length === 0 || place <= 0) return by
  const chosen = keys[place % keys.length] ?? ''
  const inner = mutate(member(value, chosen), Math.floor(place / keys.length), by)
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === chosen ? inner : item))
  return Object.fromEntries(keys.map((name) => [name, name === chosen ? inner : member(value, name)]))
}

const SECRET = 'sk-5ecre7-d0-n07-5h0w'
const hostile = fc.oneof(
  jsonValue,
  fc.constantFrom(SECRET, [SECRET], { role: SECRET }, { type: SECRET, text: SECRET }, { _type: SECRET }),
)
const damaged = fc
  .constantFrom(...CODECS)
  .chain((codec) => fc.tuple(fc.constant(codec), arbitraryFor(codec)))
  .chain(([codec, value]) =>
    fc
      .tuple(fc.nat(1_000), hostile)
      .map(([place, by]): readonly [t.Mixed, unknown] => [codec, mutate(value, place, by)]),
  )

testProp(
  'law: decoding is total, agrees with the guard, and never changes its input',
  [damaged],
  (t, [codec, value]) => {
    const before = JSON.stringify(value)
    const decoded = decode(codec)(value)
    t.is(isRight(decoded), codec.is(value))
    if (isRight(decoded)) t.is(decoded.right, value)
    t.is(JSON.stringify(value), before)
  },
  { numRuns: 1_000 },
)

const follow = (value: unknown, path: string): unknown =>
  [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.[]+)/g)].reduce<unknown>(
    (at, [, quoted, index, name]) =>
      member(at, quoted === undefined ? (index ?? name ?? '') : String(JSON.parse(`"${quoted}"`))),
    value,
  )

const describes = (found: string, value: unknown): boolean => {
  if (typeof value === 'string')
    return found === `string(${value.length} ${value.length === 1 ? 'character' : 'characters'})`
  if (Array.isArray(value)) return found === `array(${value.length})`
  if (typeof value === 'object' && value !== null) return found.startsWith('object with')
  return found === (value === null || value === undefined ? String(value) : `${typeof value} ${value}`)
}

testProp(
  'law: a failure points at what it describes, and never shows the content of a string',
  [damaged],
  (t, [codec, value]) => {
    const decoded = decode(codec)(value)
    if (isRight(decoded)) {
      t.pass()
      return
    }
    const { path, expected, found } = decoded.left
    t.true(describes(found, follow(value, path)), `${path}: ${found}`)
    t.not(expected, '')
    t.notRegex(JSON.stringify(decoded.left), /5ecre7/)
  },
  { numRuns: 1_000 },
)

// ── what we refuse to send

const REFUSED: ReadonlyArray<readonly [string, t.Mixed, unknown, DecodeFailure]> = [
  [
    'a temperature out of range',
    ChatParams,
    { temperature: 3 },
    failure('temperature', 'number 0 to 2', 'number 3'),
  ],
  ['NaN', ChatParams, { top_p: Number.NaN }, failure('top_p', 'number 0 to 1', 'number NaN')],
  ['half a choice', ChatParams, { n: 1.5 }, failure('n', 'integer of at least 1', 'number 1.5')],
  ['no tokens', ChatParams, { max_tokens: 0 }, failure('max_tokens', 'integer of at least 1', 'number 0')],
  [
    'too many top_logprobs',
    ChatParams,
    { top_logprobs: 21 },
    failure('top_logprobs', 'integer 0 to 20', 'number 21'),
  ],
  [
    'a penalty out of range',
    ChatParams,
    { presence_penalty: -2.5 },
    failure('presence_penalty', 'number -2 to 2', 'number -2.5'),
  ],
  ['no time at all', ChatParams, { timeout: 0 }, failure('timeout', 'number above 0', 'number 0')],
  [
    'a time without end, which JSON can not say',
    ChatParams,
    { timeout: Number.POSITIVE_INFINITY },
    failure('timeout', 'number above 0', 'number Infinity'),
  ],
  [
    'another SSE framing',
    RespanAttributes,
    { field_name: 'event: ' },
    failure('field_name', 'no value (never sent: it would change the SSE framing)', 'string(7 characters)'),
  ],
  [
    'another delimiter',
    RespanAttributes,
    { delimiter: '---' },
    failure('delimiter', 'no value (never sent: it would change the SSE framing)', 'string(3 characters)'),
  ],
  [
    'internal fields',
    RespanAttributes,
    { is_log_omitted: true },
    failure('is_log_omitted', 'no value (never sent: it is internal to the platform)', 'boolean true'),
  ],
  [
    'a long customer_identifier',
    TraceAttributes,
    { customer_identifier: 'x'.repeat(121) },
    failure('customer_identifier', 'string of at most 120 characters, or integer', 'string(121 characters)'),
  ],
  [
    'messages in the patch of a prompt',
    PromptReference,
    { prompt_id: 'p', schema_version: 2, patch: { messages: [] } },
    failure('patch', 'ChatParams without messages or input', 'object with key messages'),
  ],
  [
    'a framing in the patch of a prompt',
    PromptReference,
    { prompt_id: 'p', schema_version: 2, patch: { field_name: 'x' } },
    failure(
      'patch.field_name',
      'no value (never sent: it would change the SSE framing)',
      'string(1 character)',
    ),
  ],
  [
    'an internal field in what overrides a prompt',
    PromptReference,
    { prompt_id: 'p', override_params: { mock_response: 'x' } },
    failure(
      'override_params.mock_response',
      'no value (never sent: it is internal to the platform)',
      'string(1 character)',
    ),
  ],
  [
    'a request without anything to answer',
    ChatRequest,
    { model: 'gpt-4o-mini' },
    failure('', 'ChatRequest with messages and a model, or with a prompt', 'object with key model'),
  ],
  [
    'a version of a prompt that is none, in either schema',
    ChatRequest,
    { prompt: { prompt_id: 'p', schema_version: 2, version: 0 } },
    failure('prompt.version', 'integer of at least 1, or latest', 'number 0'),
  ],
  [
    'a log type that the platform does not know',
    SpanPayload,
    { trace_unique_id: 't', span_unique_id: 's', log_type: 'WORKFLOW' },
    failure('log_type', LogType.name, 'string(8 characters)'),
  ],
]

for (const [title, codec, value, expected] of REFUSED) {
  test(`refuses ${title}`, (t) => {
    t.deepEqual(decode(codec)(value), { _tag: 'Left', left: expected })
  })
}

const VALID: ReadonlyArray<readonly [t.Mixed, object]> = [
  [RespanAttributes, { customer_identifier: 'c' }],
  [TraceAttributes, { customer_identifier: 'c' }],
  [SpanPayload, { trace_unique_id: 't', span_unique_id: 's', input: 'i' }],
  [ChatParams, { temperature: 1 }],
  [ChatRequest, { model: 'm', messages: [user('hi')], temperature: 1 }],
  [PromptReference, { prompt_id: 'p', override_params: { temperature: 1 } }],
  [ChatChunk, { choices: [], object: 'chat.completion.chunk' }],
]

for (const [codec, value] of VALID)
  test(`a valid ${codec.name} is not checked a second time, by io-ts`, (t) => {
    const [key, kept] = Object.entries(value).at(-1) ?? ['', undefined]
    let reads = 0
    const watched = Object.defineProperty({ ...value }, key, {
      enumerable: true,
      get: () => {
        reads++
        return kept
      },
    })
    t.true(isRight(codec.decode(watched)))
    t.is(reads, 1)
  })

test('a request may leave the choice of the model to the gateway', (t) => {
  const messages = [user('Hi')]
  t.true(ChatRequest.is({ messages, models: ['a', 'b'] }))
  t.true(ChatRequest.is({ messages, load_balance_group: { group_id: 'g' } }))
  t.true(ChatRequest.is({ messages, load_balance_models: [{ model: 'a', weight: 1 }] }))
  t.true(ChatRequest.is({ messages, loadbalance_models: [{ model: 'a', weight: 1 }] }))
  t.true(ChatRequest.is({ prompt: { prompt_id: 'p', schema_version: 2 } }))
  t.false(ChatRequest.is({ messages }))
})

// ── messages

test('builders make messages that decode', (t) => {
  const call = { id: 'call_1', type: 'function' as const, function: { name: 'f', arguments: '{}' } }
  const messages = [
    system('Be brief.'),
    user('Hi'),
    user([
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: 'https://example.org/a.png' },
    ]),
    assistant(null, { tool_calls: [call] }),
    toolResult('call_1', '42'),
  ]
  t.deepEqual(messages.map(decode(ChatMessage)), messages.map(right))
  t.deepEqual(messages.map(messageText), ['Be brief.', 'Hi', 'Look', '', '42'])
  t.deepEqual(messages[4], { role: 'tool', tool_call_id: 'call_1', content: '42' })
})

test('a part of a known type is checked, one of an unknown type is kept', (t) => {
  t.true(ContentPart.is({ type: 'video', video: {} }))
  t.false(ContentPart.is({ type: 'text' }))
  t.true(TextPart.is({ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }))
})

test('the message of a response goes back as history', (t) => {
  t.deepEqual(
    toChatMessage({
      role: 'assistant',
      content: 'Hi',
      refusal: null,
      tool_calls: null,
      reasoning_content: 'so',
    }),
    { role: 'assistant', content: 'Hi', reasoning_content: 'so' },
  )
  t.deepEqual(toChatMessage({ content: null, tool_calls: [{ function: { name: 'f', arguments: null } }] }), {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'f', arguments: '' } }],
  })
})

test('calls whose ids are empty get ids to be answered by, as those without any', (t) => {
  const call = { id: '', type: 'function', function: { name: 'f', arguments: '' } }
  const { tool_calls } = toChatMessage({ content: null, tool_calls: [call, call] })
  t.deepEqual(
    tool_calls?.map(({ id }) => id),
    ['call_0', 'call_1'],
  )
})

test('what a provider adds to a call goes back with it', (t) => {
  const call = {
    id: 'call_1',
    type: 'function' as const,
    index: 0,
    function: { name: 'f', arguments: '{}', thought_signature: 'abc' },
  }
  t.deepEqual(toChatMessage({ content: null, tool_calls: [call] }).tool_calls, [call])
})

test('the text of a message is that of its parts which have one', (t) => {
  const content = [
    { type: 'text' as const, text: 'a' },
    { type: 'file' as const, text: 7 },
    { type: 'file' as const },
    { type: 'output_text' as const, text: 'b' },
  ]
  t.is(messageText({ content }), 'ab')
})

testProp('law: what toChatMessage makes is a chat message', [arbitraryFor(AssistantMessage)], (t, value) => {
  const received = decode(AssistantMessage)(value)
  t.true(isRight(received) && ChatMessage.is(toChatMessage(received.right)))
})

// ── usage

test('usage is derived where counts are missing, and unknown where all are', (t) => {
  t.is(toUsage(undefined), undefined)
  t.is(toUsage(null), undefined)
  t.is(toUsage({}), undefined)
  t.deepEqual(toUsage({ prompt_tokens: 4, total_tokens: 4 }), {
    prompt_tokens: 4,
    completion_tokens: 0,
    total_tokens: 4,
  })
  t.deepEqual(toUsage({ prompt_tokens: 3, completion_tokens: 6, total_tokens: null }), {
    prompt_tokens: 3,
    completion_tokens: 6,
    total_tokens: 9,
  })
  t.deepEqual(toUsage({ total_tokens: 9, completion_tokens: 6, cache_read_input_tokens: 1 }), {
    prompt_tokens: 3,
    completion_tokens: 6,
    total_tokens: 9,
    cache_read_input_tokens: 1,
  })
})

test('a count that is derived from absurd ones is still a count', (t) => {
  const huge = Number.MAX_VALUE
  t.deepEqual(toUsage({ prompt_tokens: huge, completion_tokens: huge }), {
    prompt_tokens: huge,
    completion_tokens: huge,
    total_tokens: huge,
  })
  t.deepEqual(toUsage({ prompt_tokens: -huge, total_tokens: huge }), {
    prompt_tokens: -huge,
    completion_tokens: huge,
    total_tokens: huge,
  })
  t.deepEqual(toUsage({ prompt_tokens: -3, completion_tokens: 1 }), {
    prompt_tokens: -3,
    completion_tokens: 1,
    total_tokens: 0,
  })
})

testProp('law: what is reported stays as it is', [arbitraryFor(ReportedUsage)], (t, value) => {
  const reported = decode(ReportedUsage)(value)
  const usage = isRight(reported) ? toUsage(reported.right) : undefined
  const counts = ['prompt_tokens', 'completion_tokens', 'total_tokens']
  const given = counts.filter((name) => member(value, name) != null)
  t.is(usage === undefined, given.length === 0)
  t.true(usage === undefined || Usage.is(usage))
  for (const name of given) t.is(member(usage, name), member(value, name))
})

// ── errors

const MESSAGES: Readonly<
  Record<string, readonly [string | undefined, string | undefined, number | undefined]>
> = {
  'error.400.json': ['Invalid request format', undefined, undefined],
  'error.401.invalid-key.json': [
    'Your API key is invalid or expired, please check your API key at https://platform.respan.ai/platform/api/api-keys',
    undefined,
    undefined,
  ],
  'error.401.missing.json': ['Authentication credentials were not provided.', undefined, undefined],
  'error.401.provider-anthropic.json': ['Invalid API key', 'authentication_error', undefined],
  'error.401.provider-openai.json': ['Incorrect API key provided', 'invalid_api_key', undefined],
  'error.404.model.json': ['Requested model gpt-9 is not available in the model list', undefined, undefined],
  'error.404.trace.json': ['Trace not found', undefined, undefined],
  'error.422.json': [
    'Validation error (messages: This field is required.; temperature: A valid number is required.)',
    undefined,
    undefined,
  ],
  'error.429.provider.json': [
    'Rate limit reached for gpt-4o-mini in organization org-example on requests per min (RPM): Limit 3, Used 3, Requested 1.',
    'rate_limit_exceeded',
    undefined,
  ],
  'error.429.quota.json': [
    'You exceeded your current quota, please check your plan and billing details.',
    'insufficient_quota',
    undefined,
  ],
  'error.429.respan.json': ['Rate limit exceeded', undefined, 60],
  'error.500.json': ['Internal server error', 'INTERNAL_ERROR', undefined],
}

test('reads message, code and waiting time out of every error fixture', (t) => {
  const read = Object.keys(MESSAGES).map((name) => {
    const body = json(name)
    return [name, [errorMessage(body), errorCode(body), retryAfterSeconds(body)]]
  })
  t.deepEqual(Object.fromEntries(read), MESSAGES)
})

test('reads a code that is a number, or within a list', (t) => {
  const bodies = [
    { error: { code: 400 } },
    { error: { type: 'x', code: null } },
    [{ error: { code: 404 } }],
    [],
  ]
  t.deepEqual(bodies.map(errorCode), ['400', 'x', '404', undefined])
})

test('reads a message out of what is not JSON, or out of an unknown shape', (t) => {
  t.is(errorMessage(read('error.502.html')), '502 Bad Gateway')
  t.is(errorMessage(read('error.503.empty.txt')), undefined)
  t.is(errorMessage('upstream connect error'), 'upstream connect error')
  t.is(errorMessage({ error: 'no' }), 'no')
  t.is(errorMessage({ detail: [{ loc: ['body'], msg: 'bad' }] }), '[{"loc":["body"],"msg":"bad"}]')
  t.is(errorMessage({ message: 'm', errors: ['e'] }), 'm')
  t.is(errorMessage([{ error: { message: 'of Google' } }]), 'of Google')
  t.is(errorMessage(['one', { message: 'two' }, 3]), 'one; two')
  t.is(errorMessage([]), undefined)
  t.is(errorMessage({ errors: { model: ['required'] } }), 'model: required')
  t.is(errorMessage({ errors: [{ message: 'e' }] }), 'e')
  t.is(errorMessage({ error: { status: 3 } }), '{"status":3}')
  t.is(
    errorMessage({ detail: 'Bad', errors: { model: ['required', { message: 'odd' }] } }),
    'Bad (model: required; odd)',
  )
  t.is(errorMessage({ detail: 'Bad', errors: ['one', 'two'] }), 'Bad (one; two)')
  for (const errors of [{}, [], null, { model: [] }, [3]])
    t.is(errorMessage({ detail: 'Bad', errors }), 'Bad')
  // JSON.parse reads it, JSON.stringify runs out of stack; in V8 14 it doesn't.
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
  t.true((errorMessage({ error: deep })?.length ?? 0) <= 300)
  t.is(errorMessage({ detail: 'Bad', errors: { model: 'x'.repeat(1_000) } })?.length, 300)
  t.is(errorMessage([]), undefined)
  t.is(errorMessage('x'.repeat(1_000))?.length, 300)
  t.is(retryAfterSeconds({ retry_after: '2.5' }), 2.5)
  t.is(retryAfterSeconds({ retry_after: -1 }), undefined)
})

testProp(
  'law: reading an error is total',
  [fc.anything({ withBigInt: true, withNullPrototype: true })],
  (t, body) => {
    const message = errorMessage(body)
    t.true(message === undefined || (message.length > 0 && message.length <= 300))
    t.true(['string', 'undefined'].includes(typeof errorCode(body)))
    t.true(['number', 'undefined'].includes(typeof retryAfterSeconds(body)))
    t.is(typeof isErrorBody(body), 'boolean')
  },
)

// ── ingest

test('the spans of both forms of an ingest request', (t) => {
  const of = (name: string) => decode(IngestRequest)(json(name))
  const wrapped = of('ingest.request.wrapped.json')
  const bare = of('ingest.request.json')
  t.is(isRight(wrapped) && 'data' in wrapped.right ? wrapped.right.data.length : -1, 1)
  t.is(isRight(bare) && !('data' in bare.right) ? bare.right.length : -1, 3)
})

// ── environment

test.serial('reads the environment when asked, and takes blank for unset', (t) => {
  const before = { ...process.env }
  t.teardown(() => {
    process.env = before
  })
  process.env = { RESPAN_API_KEY: ' key ', RESPAN_BASE_URL: '  ', OPENAI_API_KEY: '', PATH: 'x' }
  t.deepEqual(readEnvironment(), { RESPAN_API_KEY: 'key' })
})

test.serial('has no environment in a browser, or where reading it is refused', (t) => {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'process')
  t.teardown(() => {
    if (descriptor !== undefined) Object.defineProperty(globalThis, 'process', descriptor)
  })
  const read = (process: unknown) => {
    Object.defineProperty(globalThis, 'process', { value: process, configurable: true, writable: true })
    const environment = readEnvironment()
    if (descriptor !== undefined) Object.defineProperty(globalThis, 'process', descriptor)
    return environment
  }
  const refusing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('NotCapable')
      },
    },
  )
  t.deepEqual(read(undefined), {})
  t.deepEqual(read({}), {})
  t.deepEqual(read({ env: refusing }), {})
})

test('content is traced unless a variable says otherwise', (t) => {
  t.true(contentTracingEnabled({}))
  t.true(contentTracingEnabled({ RESPAN_TRACE_CONTENT: 'TRUE', HAYSTACK_CONTENT_TRACING_ENABLED: '1' }))
  t.false(contentTracingEnabled({ RESPAN_TRACE_CONTENT: 'false' }))
  t.false(contentTracingEnabled({ HAYSTACK_CONTENT_TRACING_ENABLED: '0' }))
  t.false(contentTracingEnabled({ RESPAN_TRACE_CONTENT: 'true', HAYSTACK_CONTENT_TRACING_ENABLED: 'false' }))
  t.false(contentTracingEnabled({ RESPAN_TRACE_CONTENT: 'flase' }))
})

// ── secrets

test('redacts every documented secret, at any depth, and leaves the rest', (t) => {
  const value = {
    model: 'm',
    max_tokens: 3,
    customer_credentials: { openai: { api_key: SECRET } },
    credential_override: { 'azure/gpt-4o': { api_key: SECRET } },
    customer_api_keys: { m: SECRET },
    posthog_integration: { posthog_api_key: SECRET, posthog_base_url: 'https://example.org' },
    load_balance_group: {
      group_id: 'g',
      models: [{ model: 'm', weight: 1, credentials: { api_key: SECRET } }],
    },
    extra_headers: { 'x-key': SECRET },
    headers: { Authorization: `Bearer ${SECRET}`, 'X-Data-Respan-Params': SECRET, 'content-type': 'a/b' },
    respan_params: { apiKey: SECRET, aws: { aws_secret_access_key: SECRET } },
  }
  t.deepEqual(redactSecrets(value), {
    model: 'm',
    max_tokens: 3,
    customer_credentials: '[redacted]',
    credential_override: '[redacted]',
    customer_api_keys: '[redacted]',
    posthog_integration: { posthog_api_key: '[redacted]', posthog_base_url: 'https://example.org' },
    load_balance_group: { group_id: 'g', models: [{ model: 'm', weight: 1, credentials: '[redacted]' }] },
    extra_headers: '[redacted]',
    headers: {
      Authorization: '[redacted]',
      'X-Data-Respan-Params': '[redacted]',
      'content-type': 'a/b',
    },
    respan_params: { apiKey: '[redacted]', aws: { aws_secret_access_key: '[redacted]' } },
  })
  t.is(value.customer_api_keys.m, SECRET)
})

test('redacting shares what it need not change, and survives cycles and throwing getters', (t) => {
  const clean = { a: [1, { b: 2 }] }
  t.is(redactSecrets(clean), clean)
  const unset = { api_key: null, password: undefined }
  t.is(redactSecrets(unset), unset)
  const cycle: Record<string, unknown> = { api_key: SECRET }
  cycle.self = cycle
  t.deepEqual(redactSecrets(cycle), { api_key: '[redacted]', self: '[redacted]' })
  const throwing = Object.defineProperty({ secret: SECRET }, 'bad', {
    enumerable: true,
    get: () => {
      throw new Error('no')
    },
  })
  t.deepEqual(redactSecrets(throwing), { secret: '[redacted]', bad: undefined })
})

testProp(
  'law: no secret survives redaction, and redacting twice changes nothing more',
  [
    arbitraryFor(ChatRequest),
    fc.constantFrom('api_key', 'Authorization', 'x-api-key', 'extra_headers', 'credentials'),
  ],
  (t, value, name) => {
    const redacted = redactSecrets([{ ...(value as object), deep: [{ [name]: SECRET }] }])
    t.notRegex(JSON.stringify(redacted), /5ecre7/)
    t.is(redactSecrets(redacted), redacted)
  },
)

// ── types: what the contract promises

test('static types are as promised', (t) => {
  expectTypeOf<{ readonly role: 'user'; readonly content: string }>().toExtend<ChatMessage>()
  expectTypeOf<{ readonly role: 'assistant'; readonly content?: string | null }>().toExtend<ChatMessage>()
  expectTypeOf<{
    readonly role: 'user'
    readonly content: ReadonlyArray<{ readonly type: string }>
  }>().toExtend<ChatMessage>()
  expectTypeOf(user('Hi')).toExtend<ChatMessage>()
  expectTypeOf<RespanAttributes>().toExtend<TraceAttributes>()
  expectTypeOf<ChatRequest>().toExtend<Fields>()
  expectTypeOf<ChatRequest>().toExtend<ChatParams>()
  expectTypeOf<TraceAttributes['customer_identifier']>().toEqualTypeOf<string | number | undefined>()
  expectTypeOf<TraceAttributes['metadata']>().toEqualTypeOf<Fields | undefined>()
  expectTypeOf<RespanAttributes['fallback_models']>().toEqualTypeOf<ReadonlyArray<string> | undefined>()
  expectTypeOf<ChatParams['temperature']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<Usage['total_tokens']>().toEqualTypeOf<number>()
  const params: ChatParams = { temperature: 0 }
  // @ts-expect-error -- static types are readonly
  params.temperature = 1
  // @ts-expect-error -- it reshapes the SSE framing
  const attributes: RespanAttributes = { field_name: 'x' }
  t.truthy([params, attributes])
})

test('texts are mapped in objects of another realm, too, and in none that is more than its own fields', (t) => {
  const foreign: unknown = runInNewContext('({ a: ["x", { b: "y" }] })')
  t.deepEqual(
    mapTexts(foreign, (text) => text.toUpperCase()),
    { a: ['X', { b: 'Y' }] },
  )
  const bare: unknown = Object.assign(Object.create(null), { a: 'x' })
  t.deepEqual(
    mapTexts(bare, (text) => text.toUpperCase()),
    { a: 'X' },
  )
  const more: unknown = Object.assign(Object.create({ __proto__: null }), { a: 'x' })
  t.is(
    mapTexts(more, (text) => text.toUpperCase()),
    more,
  )
})
