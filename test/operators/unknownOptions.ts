import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import * as io from 'io-ts'
import {
  attempt,
  bufferedSink,
  buildPrompt,
  checkPromptVariables,
  component,
  consoleSink,
  currentSpan,
  decode,
  fromChat,
  fromLines,
  fromNdjson,
  fromPrompts,
  fromPromptVersion,
  InvalidInput,
  memorySink,
  NetworkError,
  noopSink,
  openaiGateway,
  openaiGenerate,
  redacted,
  renderTrace,
  respanGateway,
  respanGenerate,
  respanTrace,
  respanTransport,
  sinkMonoid,
  snapshots,
  tokens,
  traced,
  traceEach,
  withFallback,
  withSpan,
} from 'respan-rx'
import { fileSpool, flushOnSignals } from 'respan-rx/node'
import { marbleGateway } from 'respan-rx/testing'
import { identity, lastValueFrom, map, mergeMap, of, throwError, toArray } from 'rxjs'
import { anything } from '../helpers/anything.js'
import { warningsOf } from '../helpers/warnings.js'

// What a caller without types, or with options from elsewhere, can give.
const misspelt: object = { misspelt: 1 }
const kind: object = { type: 'toool' }

const doubled = component('double', (n: number) => of(2 * n))
const directory = mkdtempSync(join(tmpdir(), 'options-'))

test.after.always(() => rmSync(directory, { recursive: true }))

const CALLS: ReadonlyArray<readonly [string, (options: object) => unknown]> = [
  ['attempt', (options) => attempt(doubled, options)],
  ['buildPrompt', (options) => buildPrompt('{{a}}', options)],
  ['component', (options) => component('double', (n: number) => of(2 * n), options)],
  ['consoleSink', (options) => consoleSink(options)],
  ['fileSpool', (options) => fileSpool(directory, options)],
  ['fromChat', (options) => fromChat(marbleGateway('a|'), { model: 'm', messages: [] }, options)],
  ['fromLines', (options) => fromLines(of(), options)],
  ['marbleGateway', (options) => marbleGateway('a|', {}, undefined, options)],
  ['renderTrace', (options) => renderTrace([], options)],
  ['fromNdjson', (options) => fromNdjson(of(), io.string, options)],
  ['snapshots', (options) => snapshots(options)],
  ['tokens', (options) => tokens(options)],
  ['traced', (options) => traced('same', identity, options)],
  ['withFallback', (options) => withFallback(doubled, doubled, options)],
]

for (const [name, call] of CALLS) {
  test(`${name} refuses an option that nothing reads`, (t) => {
    const error = t.throws(() => call(misspelt), { instanceOf: InvalidInput })
    t.is(error?.path, 'misspelt')
    t.true(error?.message.startsWith(name), error?.message)
    t.notThrows(() => call({ misspelt: undefined }))
  })
}

// The spools have a codec for theirs.
for (const [name, call] of CALLS.filter(([name]) => name !== 'fileSpool')) {
  test(`${name} refuses what are no options`, (t) => {
    for (const wrong of [null, 'text', identity, [doubled], Promise.resolve({})]) {
      // What a caller without types can give.
      const error = t.throws(() => call(anything(wrong)), { instanceOf: InvalidInput })
      t.regex(error?.message ?? '', new RegExp(`^${name}.*: expected options, such as \\{ \\w+ \\}, found `))
    }
  })
}

const generators = { respanGenerate, openaiGenerate }

/** Options by what they must be, where a value of another kind would only be met when they are used, if ever. */
const KINDS: ReadonlyArray<readonly [string, string, (options: object) => unknown, ReadonlyArray<string>]> = [
  ['attempt', 'a function', (options) => attempt(doubled, options), ['toError']],
  ['consoleSink', 'a function', consoleSink, ['write']],
  ['consoleSink', 'boolean', consoleSink, ['colors']],
  ['consoleSink', 'number', consoleSink, ['width']],
  ['renderTrace', 'boolean', (options) => renderTrace([], options), ['colors']],
  ['renderTrace', 'number', (options) => renderTrace([], options), ['width']],
  [
    'fromChat',
    'boolean',
    (options) => fromChat(marbleGateway('a|'), { model: 'm', messages: [] }, options),
    ['collect'],
  ],
  ['respanTrace f', 'a function', (options) => respanTrace('f', options), ['onStart', 'redact', 'output']],
  [
    'respanTrace f',
    'boolean',
    (options) => respanTrace('f', options),
    ['captureContent', 'deep', 'asyncContext'],
  ],
  ['respanTrace f', 'a clock, such as Date', (options) => respanTrace('f', options), ['clock']],
  [
    'respanTrace f',
    'an object with the functions trace and span',
    (options) => respanTrace('f', options),
    ['ids'],
  ],
  ['withFallback', 'a function', (options) => withFallback(doubled, doubled, options), ['when']],
  ...Object.entries(generators).map(
    ([name, generate]) =>
      [
        name,
        'boolean',
        (options: object) => generate({ model: 'm', gateway: marbleGateway('a|'), ...options }),
        ['stream', 'collect'],
      ] as const,
  ),
]

for (const [name, expected, call, options] of KINDS)
  for (const option of options)
    test(`${name} refuses a ${option} of another kind where it is built`, (t) => {
      for (const wrong of ['false', null, {}]) {
        const error = t.throws(() => call({ [option]: wrong }), { instanceOf: InvalidInput })
        t.like(error, { path: option, expected })
        t.true(error?.message.startsWith(`${name}: ${option}: `), error?.message)
      }
    })

test('traceEach names itself in what it refuses, and all its options', (t) => {
  // What a caller without types can give.
  const refused = (name: unknown, options: unknown) =>
    t.throws(() => traceEach(anything(name), anything<never>(options), doubled), { instanceOf: InvalidInput })
      ?.message
  for (const name of ['', 7, Symbol('each'), Object.create(null)])
    t.regex(refused(name, {}) ?? '', /^traceEach: name: expected a name for the span, found /)
  t.regex(refused('f', []) ?? '', /^traceEach f: options: expected an object, such as \{\}, before the op/)
  t.regex(refused('f', { sink: 1 }) ?? '', /^traceEach f: sink: expected a sink/)
  t.regex(refused('f', { attributes: 1 }) ?? '', /^traceEach f: attributes: /)
  t.regex(refused('f', { redact: 1 }) ?? '', /^traceEach f: redact: expected a function/)
  for (const option of ['flattening', 'output'])
    t.regex(refused('f', { [option]: () => 1 }) ?? '', /: expected one of .*, flatten, concurrency, found /)
})

test('what only looks like a number, or a type, once JavaScript has turned it into one is refused', (t) => {
  const nothing = Object.create(null)
  // What a caller without types can give.
  for (const [path, wrongs, call] of [
    ['type', [['tool'], nothing], (type: never) => traced('f', identity, { type })],
    ['type', [['tool'], nothing], (type: never) => component('f', of, { type })],
    [
      'maxLineLength',
      [true, ['1'], 1n, '1', nothing],
      (maxLineLength: never) => fromLines(of(), { maxLineLength }),
    ],
    ['choice', ['0', ['0'], null, -1, 0.5, Number.NaN], (choice: never) => tokens({ choice })],
    ['choice', ['0', ['0'], null, -1, 0.5, Number.NaN], (choice: never) => snapshots({ choice })],
    [
      'concurrency',
      ['2', [2], true, 2n, nothing],
      (concurrency: never) => component('f', of, { flatten: mergeMap, concurrency }),
    ],
  ] as const)
    for (const wrong of wrongs)
      t.is(t.throws(() => call(anything(wrong)), { instanceOf: InvalidInput })?.path, path)
})

test('a class with the methods of a clock is one', (t) => {
  t.notThrows(() => respanTrace('f', { clock: Date }))
})

test('what are no options of a connection is refused where it is given, and one that nothing reads', (t) => {
  for (const [call, kind, own] of [
    [respanGateway, 'RespanConnection', 'attributes'],
    [openaiGateway, 'Connection', 'signal'],
    [respanTransport, 'Connection', 'signal'],
    [fromPrompts, 'Connection', 'signal'],
    [(options: object) => fromPromptVersion('p', options), 'PromptVersionOptions', 'version'],
  ] as const) {
    // What a caller without types can give.
    for (const wrong of [null, 7, 'https://api.respan.ai', identity, ['k'], Promise.resolve({})])
      t.like(
        t.throws(() => call(anything(wrong))),
        { _tag: 'InvalidInput', path: '', expected: kind },
      )
    const error = t.throws(() => call(misspelt), { instanceOf: InvalidInput })
    t.is(error?.path, 'misspelt')
    t.true(error?.expected.endsWith(`, ${own}`), error?.expected)
  }
})

test('a generator that is given a name instead of options says what they look like', (t) => {
  for (const generate of [respanGenerate, openaiGenerate])
    for (const [wrong, found] of [
      ['gpt-4o-mini', 'string(11 characters)'],
      [null, 'null'],
    ] as const) {
      const error = t.throws(() => generate(anything(wrong)), { instanceOf: InvalidInput })
      t.like(error, { path: '', expected: 'options, such as { model }', found })
    }
})

test('what is no operator is refused where it is given, and named by its parameter', (t) => {
  // What a caller without types can give.
  const given = (value: unknown): typeof doubled => anything(value)
  for (const [call, path, found] of [
    [() => attempt(given(undefined)), 'operator', 'undefined'],
    [() => withFallback(doubled, given(undefined)), 'second', 'undefined'],
    [() => withFallback(given([doubled, doubled]), given(undefined)), 'first', 'array(2)'],
    [() => withFallback(given('m'), doubled), 'first', 'string(1 character)'],
  ] as const)
    t.like(t.throws(call, { instanceOf: InvalidInput }), { path, expected: 'an operator', found })
})

for (const [name, call] of CALLS.filter(([name]) => name === 'component' || name === 'traced')) {
  test(`${name} refuses a type that no span has`, (t) => {
    const error = t.throws(() => call(kind), { instanceOf: InvalidInput })
    t.like(error, { path: 'type', expected: 'one of workflow, task, agent, tool, generation' })
  })
}

test('what is no function of a component is refused where it is given', (t) => {
  const fn: () => ReturnType<typeof of> = JSON.parse('null')
  t.like(
    t.throws(() => component('c', fn)),
    { _tag: 'InvalidInput', path: 'fn' },
  )
})

test('what is no function to run within a span is refused', (t) => {
  const fn: () => unknown = JSON.parse('null')
  t.like(
    t.throws(() => withSpan(undefined, fn), { instanceOf: InvalidInput }),
    { message: 'withSpan: fn: expected a function, found null.' },
  )
})

test.serial('a copy of a span is reported: what it encloses is in no trace, and runs', async (t) => {
  const copying = component('c', (n: number) => {
    const span = currentSpan()
    return withSpan(span && { ...span }, () => of(currentSpan() === undefined ? n : 0))
  })
  const values$ = of(1, 2).pipe(copying, respanTrace('flow', { sink: noopSink }), toArray())
  const warnings = await warningsOf('RESPAN_TRACE', async () =>
    t.deepEqual(await lastValueFrom(values$), [1, 2]),
  )
  const found = 'object with keys traceId, spanId, traceUrl'
  t.deepEqual(warnings, [
    `withSpan: span: expected a span returned by currentSpan(), found ${found}; the function runs outside any trace.`,
  ])
})

test('a flattening that gives no operator is refused where the operator is built', (t) => {
  // What a caller without types can give: its `return` is missing.
  const flatten = (): never => anything(undefined)
  for (const [subject, build] of [
    ['component c', () => component('c', of, { flatten })],
    ['attempt', () => attempt(doubled, { flatten })],
    ['traceEach e', () => traceEach('e', { flatten }, doubled)],
    ['respanGenerate', () => respanGenerate({ model: 'm', flatten })],
  ] as const) {
    const error = t.throws(build, { instanceOf: InvalidInput })
    t.is(
      error?.message,
      `${subject}: flatten: expected a function that returns an operator, found undefined.`,
    )
  }
})

test('a flattening whose operator gives nothing fails the pipeline', async (t) => {
  // As above, one arrow further.
  const flatten = () => (): never => anything(undefined)
  const error = await t.throwsAsync(lastValueFrom(of(1).pipe(component('c', of, { flatten }))), {
    instanceOf: InvalidInput,
  })
  t.is(
    error?.message,
    'component c: flatten: expected an operator that returns an observable, found undefined.',
  )
})

test('variables given as values are refused where the operator is built', (t) => {
  const values = { user_input: 'tea' }
  const zod = { decode: identity, encode: identity, validate: identity }
  const named = { name: 'Tea', decode: identity, encode: identity }
  const decoder = { name: 'Tea', decode: identity, validate: identity }
  const half = [
    named,
    decoder,
    { decode: of },
    { encode: of },
    { decode: of, encode: 2 },
    { decode: 1, encode: of },
    zod,
  ]
  for (const variables of [values, {}, null, 'tea', ...half]) {
    // What a caller without types can give.
    const options = { variables: anything(variables) }
    for (const build of [
      () => buildPrompt('{{ user_input }}', options),
      () => respanGenerate({ promptId: 'p', ...options }),
    ]) {
      const error = t.throws(build, { instanceOf: InvalidInput })
      t.is(error?.path, 'variables')
      t.is(error?.expected, "an io-ts codec (the values themselves are the operator's input)")
    }
  }
  const error = t.throws(() => buildPrompt('a', { variables: anything(values) }))
  t.true(error?.message.endsWith('found object with key user_input.'))
})

test('an attribute beside the options of a trace is told where it belongs', (t) => {
  const options: object = { customer_identifier: 'user_123' }
  for (const build of [() => respanTrace('flow', options), () => traceEach('flow', options, map(identity))]) {
    const error = t.throws(build, { instanceOf: InvalidInput })
    t.is(error?.path, 'customer_identifier')
    t.is(error?.expected, 'attributes.customer_identifier instead')
  }
})

test('what is no transport and what is no sink is refused where it is given', (t) => {
  const given = (value: unknown): Parameters<typeof bufferedSink>[0] => anything(value)
  for (const wrong of [undefined, null, 'https://api.respan.ai', {}]) {
    const error = t.throws(() => bufferedSink(given(wrong)), { instanceOf: InvalidInput })
    t.is(error?.path, 'transport')
  }
  for (const wrong of [respanTransport(), bufferedSink, 'console', null]) {
    const options: object = { sink: wrong }
    const error = t.throws(() => respanTrace('flow', options), { instanceOf: InvalidInput })
    t.is(error?.path, 'sink')
  }
  t.notThrows(() => respanTrace('flow', { sink: bufferedSink(respanTransport()) }))
})

test('what can not be used is refused where it is given, and named by its parameter', (t) => {
  const sink = memorySink()
  // What a caller without types can give.
  const given = (value: unknown): never => anything(value)
  for (const wrong of [undefined, null, 7, 'text', {}, [], () => ({})])
    for (const [subject, path, call] of [
      ['fromChat', 'gateway', () => fromChat(given(wrong), { model: 'm', messages: [] })],
      ['fromNdjson', 'codec', () => fromNdjson(of(), given(wrong))],
      ['checkPromptVariables', 'codec', () => checkPromptVariables(given(wrong))],
      ['decode', 'codec', () => decode(given(wrong))],
      ['redacted', 'sink', () => redacted(given(wrong), identity)],
      ['sinkMonoid', 'first', () => sinkMonoid.concat(given(wrong), sink)],
      ['sinkMonoid', 'second', () => sinkMonoid.concat(sink, given(wrong))],
      ['flushOnSignals', 'sink', () => flushOnSignals(given(wrong))],
    ] as const) {
      const error = t.throws(call, { instanceOf: InvalidInput })
      t.is(error?.path, path)
      t.true(error?.message.startsWith(`${subject}: `), error?.message)
    }
  const zod = { decode: identity, encode: identity, validate: identity }
  for (const call of [fromNdjson.bind(null, of()), checkPromptVariables, decode])
    t.like(
      t.throws(() => call(given(zod)), { instanceOf: InvalidInput }),
      { path: 'codec', expected: 'an io-ts codec' },
    )
  const error = t.throws(() => redacted(sink, given('text')), { instanceOf: InvalidInput })
  t.is(error?.path, 'redact')
  const heard = process.listenerCount('SIGTERM')
  for (const wrong of [null, 'SIGTERM', [1], ['TERM'], ['SIGTERM', 'SIGKILL'], [Object.create(null)]]) {
    const error = t.throws(() => flushOnSignals(sink, given(wrong)), { instanceOf: InvalidInput })
    t.is(error?.path, 'signals')
  }
  t.is(process.listenerCount('SIGTERM'), heard)
})

test('what gives no bytes is refused where it is given, or emitted when a function gave it', async (t) => {
  const call = { fromLines, fromNdjson: (bytes: never) => fromNdjson(bytes, io.string) }
  for (const [name, read] of Object.entries(call))
    for (const wrong of [undefined, null, 7, 'text', {}, [], new Uint8Array(1), Promise.resolve()]) {
      // What a caller without types can give, such as the body of a response that has none.
      const expected = { _tag: 'InvalidInput', path: 'bytes' }
      const error = t.throws(() => read(anything(wrong)), { instanceOf: InvalidInput })
      t.like(error, expected)
      t.true(error?.message.startsWith(name))
      t.like(await t.throwsAsync(lastValueFrom<unknown>(read(anything(() => wrong)))), expected)
    }
  for (const [name, read] of Object.entries(call))
    for (const wrong of [7, null, undefined, { a: 1 }, [1, 2]])
      await t.throwsAsync(lastValueFrom<unknown>(read(anything(of(wrong)))), {
        instanceOf: InvalidInput,
        message: new RegExp(`^${name}: bytes: expected chunks of bytes or text, found `),
      })
})

test('a function of the item that is given for an operator is told as such, and named by its parameter', async (t) => {
  // What a caller without types can give.
  const ask = anything(async () => 'a promise')
  const failing = component('failing', () => throwError(() => new NetworkError('down')))
  for (const [operator, path] of [
    [() => attempt(ask), 'operator'],
    [() => withFallback(ask, doubled), 'first'],
    [() => withFallback(failing, ask), 'second'],
    [() => traceEach('f', { sink: noopSink }, doubled, ask), 'op2'],
  ] as const)
    t.like(await t.throwsAsync(lastValueFrom<unknown>(of(1).pipe(operator()))), {
      _tag: 'InvalidInput',
      path,
      expected: 'an operator that returns an observable',
      found: 'Promise',
    })
  t.like(
    t.throws(() => of(1).pipe(traced('f', ask))),
    { _tag: 'InvalidInput', path: 'operator' },
  )
})
