// Mutated bytes of the recorded fixtures, fed to everything that reads what somebody else has written: nothing but the
// typed errors comes out, everything ends, and memory does not grow. By default for a few seconds; for longer with
//
//   SEED=random FUZZ_SECONDS=600 npx ava build/fuzz.js
//
// which is divided among the targets. A failure prints its seed and counterexample.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fc, testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import * as io from 'io-ts'
import {
  buildPrompt,
  checkPromptVariables,
  fromNdjson,
  fromPrompts,
  InvalidInput,
  isRespanError,
  respanGateway,
  respanGenerate,
  respanTransport,
} from 'respan-rx'
import { lastValueFrom, type Observable, of, toArray } from 'rxjs'
import { decode } from '../dist/codecs/decode.js'
import { readEnvironment } from '../dist/codecs/Environment.js'
import { redactSecrets } from '../dist/codecs/redactSecrets.js'
import { endpoint } from '../dist/http/endpoint.js'
import { errorFromResponse } from '../dist/http/errorFromResponse.js'
import { parseJson } from '../dist/http/parseJson.js'
import { retryAfter } from '../dist/http/retryAfter.js'
import { openSegment } from '../dist/node/Segment.js'
import { restoreSpan, storeSpan } from '../dist/sinks/storeSpan.js'
import { toSpanPayload } from '../dist/sinks/toSpanPayload.js'
import { toSpan } from '../dist/tracing/foldSpans.js'

// The first request waits for it, in its target's time.
await import('ky')

const TARGETS = 9

const BUDGET = (Number(process.env.FUZZ_SECONDS ?? 4) * 1_000) / TARGETS

/** As often as the budget allows. */
const BOUNDED = {
  numRuns: 1_000_000_000,
  interruptAfterTimeLimit: BUDGET,
  markInterruptAsFailure: false,
  endOnFailure: true,
}

// A target runs as long as it was told to.
const patient = (t: ExecutionContext): void => t.timeout(BUDGET + 60_000)

// ── mutated bytes

const FIXTURES = new URL('../test/fixtures/respan/', import.meta.url)

const fixtures = (ending: RegExp): ReadonlyArray<Buffer> =>
  readdirSync(FIXTURES)
    .filter((name) => ending.test(name))
    .map((name) => readFileSync(new URL(name, FIXTURES)))

const JSONS = fixtures(/\.json$/)
const STREAMS = fixtures(/\.sse$/)
const ANY = fixtures(/./)

/** What readers stumble over. */
const TOKENS = [
  '',
  '\n',
  '\r',
  '\r\n\r\n',
  '\n\ndata: ',
  'data:[DONE]\n\n',
  'event: error\n',
  ':',
  '\0',
  '\uFEFF',
  '"',
  '\\',
  '\\ud800',
  '{',
  '}',
  '[',
  ']',
  ',',
  'null',
  '-0',
  '1e999',
  '99999999999999999999',
  'true',
  '{"__proto__":{"polluted":1}}',
  '"constructor"',
  '[['.repeat(5_000),
  '{"a":'.repeat(5_000),
  '{{',
  '}}',
  '{%',
  '%}',
  '{% for a in range(99) %}',
  '{% endfor %}',
  '| tojson',
].map((token) => Buffer.from(token))

const BYTES = [
  Buffer.from([0xff]),
  Buffer.from([0xc3]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf0, 0x9f]),
]

/** Replaces a part by something else; places and lengths are fractions, so that they fit every text. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 4_096 })),
  by: fc.oneof(
    fc.constantFrom(...TOKENS, ...BYTES),
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom(...ANY),
  ),
})

const edited = (
  bytes: Uint8Array,
  edits: ReadonlyArray<{ at: number; length: number; by: Uint8Array }>,
): Buffer =>
  edits.reduce((before, { at, length, by }) => {
    const start = Math.floor(at * before.length)
    return Buffer.concat([before.subarray(0, start), by, before.subarray(start + length)])
  }, Buffer.from(bytes))

const mutated = (originals: ReadonlyArray<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...originals), fc.array(edit, { maxLength: 5 }))
    .map(([bytes, edits]) => edited(bytes, edits))

/** The same bytes in pieces. */
const inPieces = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b)
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })

const answering =
  (pieces: ReadonlyArray<Uint8Array>, type: string, status = 200): typeof fetch =>
  async () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const piece of pieces) controller.enqueue(piece)
          controller.close()
        },
      }),
      { status, headers: type === '' ? {} : { 'content-type': type } },
    )

/** How something ends: with values, or an error. */
const ended = (running: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(running, { defaultValue: undefined }).catch((error: unknown) => error)

/** Ends, with values or one of our errors. */
const expectTyped = async (t: ExecutionContext, running: Observable<unknown>): Promise<void> => {
  const outcome = await ended(running)
  if (outcome instanceof Error && !isRespanError(outcome)) throw outcome
  t.true(!(outcome instanceof Error) || outcome.message.length < 2_000)
}

const reach = (reply: typeof fetch) => ({ baseUrl: 'http://127.0.0.1:9', fetch: reply, retry: { count: 0 } })

// ── decoders

const codecsIn = async (folder: string): Promise<ReadonlyArray<io.Any>> => {
  const directory = new URL(`../dist/${folder}/`, import.meta.url)
  const names = readdirSync(directory).filter((name) => name.endsWith('.js'))
  const modules: ReadonlyArray<object> = await Promise.all(
    names.map((name) => import(new URL(name, directory).href)),
  )
  return modules.flatMap((all) => Object.values(all).filter((one) => one instanceof io.Type))
}

const CODECS = [...(await codecsIn('codecs')), ...(await codecsIn('local'))]

test('every codec is fuzzed', (t) => {
  const names = CODECS.map(({ name }) => name)
  for (const name of ['ChatChunk', 'ChatResponse', 'Environment', 'StoredSpan', 'LocalPrompt'])
    t.true(names.includes(name))
})

const JSON_VALUES = JSONS.map((bytes): unknown => JSON.parse(bytes.toString()))

const partsOf = (value: unknown): ReadonlyArray<unknown> => [
  value,
  ...(typeof value === 'object' && value !== null ? Object.values(value).flatMap(partsOf) : []),
]

const PARTS = JSON_VALUES.flatMap(partsOf).map((part) => Buffer.from(JSON.stringify(part)))

testProp.serial(
  'codecs',
  [mutated(PARTS), fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true })],
  (t, bytes, anything) => {
    patient(t)
    const json = parseJson(bytes.toString())
    for (const codec of CODECS)
      for (const value of [json, anything]) {
        const decoded = decode(codec)(value)
        // What is no JSON may be copied, as io-ts copies what has a NaN in it.
        if (isRight(decoded)) t.true(value === anything || Object.is(decoded.right, value), codec.name)
        else t.true(`${decoded.left.path}${decoded.left.expected}${decoded.left.found}`.length < 5_000)
      }
    redactSecrets(anything)
  },
  BOUNDED,
)

const headerValue = fc.stringMatching(/^[!-~]{0,30}$/)
const delay = fc.oneof(
  headerValue,
  fc.constantFrom('', '0', '-1', '1e9', '0x10', 'Infinity', '9'.repeat(400), 'Thu, 01 Jan 1970 00:00:00 GMT'),
  fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
)

testProp.serial(
  'errors of answers',
  [mutated(ANY), fc.integer({ min: 300, max: 599 }), delay, delay, fc.integer()],
  (t, bytes, status, after, date, now) => {
    patient(t)
    const headers = new Headers({ 'retry-after': after, 'retry-after-ms': date, date })
    const error = errorFromResponse(
      { status, statusText: '', headers, text: bytes.toString(), ids: {} },
      status % 2 === 0 ? 'respan' : 'openai',
      now,
    )
    t.true(error.message.length < 1_000)
    t.true(typeof error.stack === 'string' && JSON.stringify(error).length > 0)
    const ms = retryAfter(headers, parseJson(bytes.toString()), now)
    t.true(ms === undefined || (Number.isInteger(ms) && ms >= 0 && ms < 2 ** 31))
  },
  BOUNDED,
)

const variable = fc.option(
  fc.oneof(
    fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.constantFrom('http://', 'http://[::1', 'https://a:b@c', '//x', 'javascript:1', 'false', ' 1 '),
  ),
  { nil: undefined },
)

const NAMES = [
  'RESPAN_API_KEY',
  'RESPAN_BASE_URL',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'RESPAN_TRACE_CONTENT',
]

const withVariables = <A>(values: ReadonlyArray<string | undefined>, work: () => A): A => {
  const before = { ...process.env }
  for (const [index, name] of NAMES.entries())
    if (values[index] === undefined) delete process.env[name]
    else process.env[name] = values[index]
  try {
    return work()
  } finally {
    for (const name of NAMES) delete process.env[name]
    Object.assign(process.env, before)
  }
}

testProp.serial(
  'the environment',
  [fc.array(variable, { minLength: NAMES.length, maxLength: NAMES.length })],
  (t, values) => {
    patient(t)
    withVariables(values, () => {
      for (const platform of ['respan', 'openai'] as const) {
        const where = endpoint(platform, {}, readEnvironment())
        if (isLeft(where)) t.true(isRespanError(where.left))
        else t.regex(where.right.baseUrl, /^https?:\/\/[^/?#]+(\/[^?#]*)?$/)
      }
    })
  },
  BOUNDED,
)

// ── answers

testProp.serial(
  'streams',
  [mutated(STREAMS), cuts, fc.constantFrom('text/event-stream', '')],
  async (t, bytes, places, type) => {
    patient(t)
    const connection = reach(answering(inPieces(bytes, places), type))
    await expectTyped(t, of('Hi').pipe(respanGenerate({ model: 'm', stream: true, ...connection })))
    await expectTyped(t, respanGateway(connection).chat({ messages: [], stream: true }))
  },
  BOUNDED,
)

testProp.serial(
  'answers',
  [mutated(JSONS), cuts, fc.constantFrom(200, 200, 400, 429, 503)],
  async (t, bytes, places, status) => {
    patient(t)
    const connection = reach(answering(inPieces(bytes, places), 'application/json', status))
    await expectTyped(t, of('Hi').pipe(respanGenerate({ model: 'm', ...connection })))
    await expectTyped(t, of('Hi').pipe(respanGenerate({ model: 'm', stream: true, ...connection })))
    await expectTyped(t, fromPrompts(connection))
  },
  BOUNDED,
)

const SPAN = restoreSpan(
  JSON.stringify({
    ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name: 'n', type: 'task', path: '', workflow: 'w' },
    ...{ trace: 't', startedAt: 1, endedAt: 2, status: 'ok', attributes: { metadata: { a: 1 } } },
  }),
)

testProp.serial(
  'answers of the ingest',
  [mutated(fixtures(/^(ingest|error)/)), cuts, fc.constantFrom(200, 207, 400, 500)],
  async (t, bytes, places, status) => {
    patient(t)
    if (SPAN === undefined) return t.fail()
    const connection = reach(answering(inPieces(bytes, places), 'application/json', status))
    await expectTyped(t, respanTransport(connection)([toSpan(SPAN)]))
  },
  BOUNDED,
)

// ── lines and segments

testProp.serial(
  'lines of NDJSON',
  [mutated(ANY), cuts, fc.constantFrom(...CODECS)],
  async (t, bytes, places, codec) => {
    patient(t)
    const pieces = inPieces(bytes, places)
    const lines = fromNdjson(of(...pieces), codec, { maxLineLength: 10_000 })
    await expectTyped(t, lines.pipe(toArray()))
  },
  BOUNDED,
)

const STORED = SPAN === undefined ? undefined : storeSpan(toSpan(SPAN))

const SEGMENT = Buffer.from(
  `${[0, 1, 2].map((i) => `{"i":${i},"at":1,"span":${STORED}}\n`).join('')}{"done":[[1,1]]}\n`,
)

const directory = mkdtempSync(join(tmpdir(), 'respan-rx-fuzz-'))

test.after.always(() => rmSync(directory, { recursive: true, force: true }))

testProp.serial(
  'segments of a spool',
  [mutated([SEGMENT, SEGMENT, ...JSONS])],
  (t, bytes) => {
    patient(t)
    const path = join(directory, 'segment')
    writeFileSync(path, bytes)
    const { segment, damaged } = openSegment(path)
    const lines = bytes.toString('latin1').split('\n').length
    t.true(segment.places().length + damaged <= lines)
    for (const place of segment.places()) {
      const span = restoreSpan(segment.read(place) ?? '')
      if (span !== undefined) JSON.stringify(toSpanPayload(toSpan(span)))
    }
    segment.remove(segment.places())
    segment.discard()
  },
  BOUNDED,
)

// ── templates

const TEMPLATES = [
  'Tell me about {{ topic }}.',
  '{% for item in items %}{{ loop.index }}: {{ item.name | upper }}{% else %}none{% endfor %}',
  '{% if a and not b %}{{ a | default("x") | join(", ") }}{% elif c is defined %}{{ c[0] }}{% endif %}',
  '{% set x = a ~ "b" %}{% macro m(y) %}{{ y }}{% endmacro %}{{ m(x) }}{# note #}{% raw %}{{ }}{% endraw %}',
].map((template) => Buffer.from(template))

testProp.serial(
  'templates',
  [
    mutated(TEMPLATES),
    fc.dictionary(fc.constantFrom('topic', 'items', 'a', 'b', 'c'), fc.jsonValue({ maxDepth: 3 })),
  ],
  async (t, bytes, variables) => {
    patient(t)
    const template = bytes.toString().slice(0, 5_000)
    try {
      await expectTyped(t, of(variables).pipe(buildPrompt(template)))
      const Any = io.type({ topic: io.string })
      checkPromptVariables(Any)({
        prompt_version_id: 'v',
        version: 1,
        messages: [{ role: 'user', content: template }],
      })
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error
      t.pass()
    }
  },
  BOUNDED,
)

// ── memory

/** Bytes in use after a collection. */
const inUse = async (): Promise<number> => {
  // What a WeakRef was made of is kept for the rest of a turn.
  await setImmediate()
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') for (let round = 0; round < 3; round++) collect()
  return process.memoryUsage().heapUsed
}

/** Less than if each stream left two kilobytes, bytes. */
const NOISE = 500_000

/** What is kept grows each time; what chance and the compiler add does not. */
const ROUNDS = 4

test.serial('memory does not grow', async (t) => {
  const samples = fc.sample(fc.tuple(mutated(STREAMS), cuts), { numRuns: 150, seed: 1 })
  const run = async (): Promise<number> => {
    for (let round = 0; round < 2; round++)
      for (const [bytes, places] of samples)
        await ended(
          of('Hi').pipe(
            respanGenerate({
              model: 'm',
              stream: true,
              ...reach(answering(inPieces(bytes, places), 'text/event-stream')),
            }),
          ),
        )
    return inUse()
  }
  await run()
  let before = await run()
  const growths: Array<number> = []
  for (let part = 0; part < ROUNDS; part++) {
    const after = await run()
    growths.push(after - before)
    if (after - before < NOISE) break
    before = after
  }
  t.true(Math.min(...growths) < NOISE, `${growths.join(', ')} bytes more after 300 streams each`)
})
