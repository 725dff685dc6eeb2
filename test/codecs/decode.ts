import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { left, right } from 'fp-ts/lib/Either.js'
import * as io from 'io-ts'
import { ChatChunk } from '../../dist/codecs/ChatChunk.js'
import { ChatMessage } from '../../dist/codecs/ChatMessage.js'
import { ChatRequest } from '../../dist/codecs/ChatRequest.js'
import { ChatResponse } from '../../dist/codecs/ChatResponse.js'
import type { DecodeFailure } from '../../dist/codecs/DecodeFailure.js'
import { decode } from '../../dist/codecs/decode.js'
import { describeFound } from '../../dist/codecs/describeFound.js'
import { nullable, oneOf, wire } from '../../dist/codecs/wire.js'

const Circle = io.type({ kind: io.literal('circle'), radius: io.number }, 'Circle')
const Square = io.type({ kind: io.literal('square'), side: io.number }, 'Square')
const Shape = io.union([Circle, Square], 'Shape')
const Loose = io.union(
  [io.type({ a: io.type({ b: io.number }) }, 'Deep'), io.type({ c: io.number }, 'Flat')],
  'Loose',
)
const Both = io.intersection([io.type({ a: io.string }), io.partial({ b: io.number })], 'Both')

type Tree = { readonly kind: 'leaf'; readonly value: number } | { readonly kind: 'node'; readonly left: Tree }
const Tree: io.Type<Tree> = io.recursion('Tree', (self) =>
  io.union([
    io.type({ kind: io.literal('leaf'), value: io.number }, 'Leaf'),
    io.type({ kind: io.literal('node'), left: self }, 'Node'),
  ]),
)

const FAILURES: ReadonlyArray<readonly [string, io.Mixed, unknown, string, string, string]> = [
  ['the value itself', io.string, 3, '', 'string', 'number 3'],
  ['a field', Both, { a: 'x', b: 'secret' }, 'b', 'number', 'string(6 characters)'],
  ['a missing field', Both, {}, 'a', 'string', 'undefined'],
  ['an intersection as a whole', Both, 'x', '', 'Both', 'string(1 character)'],
  [
    'the first of several fields',
    io.type({ x: io.string, y: io.string }, 'XY'),
    {},
    'x',
    'string',
    'undefined',
  ],
  ['an entry of a list', io.array(Both), [{ a: 'x' }, { a: null }], '[1].a', 'string', 'null'],
  [
    'a key that is not a name',
    io.record(io.string, io.number),
    { 'a b': true },
    '["a b"]',
    'number',
    'boolean true',
  ],
  [
    'a key that begins like an index',
    io.record(io.string, io.number),
    { '1b': true },
    '["1b"]',
    'number',
    'boolean true',
  ],
  [
    'the branch that the tag chose, in a recursion',
    Tree,
    { kind: 'node', left: { kind: 'leaf', value: 'x' } },
    'left.value',
    'number',
    'string(1 character)',
  ],
  [
    'the detail of an image',
    ChatMessage,
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'x', detail: 7 } }] },
    'content[0].image_url.detail',
    'string or null',
    'number 7',
  ],
  ['an unknown tag', Shape, { kind: 'line' }, 'kind', '"circle" | "square"', 'string(4 characters)'],
  ['a missing tag', Shape, { radius: 1 }, 'kind', '"circle" | "square"', 'undefined'],
  ['a tagged union given no object', Shape, [1, 2], '', 'Shape', 'array(2)'],
  [
    'the branch that the tag chose',
    Shape,
    { kind: 'square', side: '1' },
    'side',
    'number',
    'string(1 character)',
  ],
  ['the deepest branch', Loose, { a: { b: 'x' } }, 'a.b', 'number', 'string(1 character)'],
  ['no branch, when none is closer', Loose, {}, '', 'Loose', 'object without keys'],
  [
    'the branch whose literal fits',
    io.union([Circle, Square, io.string], 'U'),
    { kind: 'circle' },
    'radius',
    'number',
    'undefined',
  ],
  ['what may be null', io.type({ a: nullable(Both) }), { a: { a: 1 } }, 'a.a', 'string', 'number 1'],
  [
    'null or something, given neither',
    io.type({ a: nullable(Both) }),
    { a: 1 },
    'a',
    'Both or null',
    'number 1',
  ],
  ['a closed list of words', oneOf('a', 'b'), 'secret', '', 'a | b', 'string(6 characters)'],
  [
    'a role',
    ChatRequest,
    {
      model: 'm',
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'robot', content: 'Hi' },
      ],
    },
    'messages[1].role',
    '"system" | "developer" | "user" | "assistant" | "tool"',
    'string(5 characters)',
  ],
  [
    'the content of a message',
    ChatMessage,
    { role: 'user', content: 3 },
    'content',
    'string or list of ContentPart',
    'number 3',
  ],
  [
    'a part of a message',
    ChatMessage,
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 7 },
      ],
    },
    'content[1].text',
    'string',
    'number 7',
  ],
  [
    'the name in a tool choice',
    ChatRequest,
    { model: 'm', messages: [], tool_choice: { type: 'function', function: {} } },
    'tool_choice.function.name',
    'string',
    'undefined',
  ],
  [
    'a typed variable of a prompt',
    ChatRequest,
    { prompt: { prompt_id: 'p', schema_version: 2, variables: { photo: { _type: 'image_url', value: 3 } } } },
    'prompt.variables.photo.value',
    'string',
    'number 3',
  ],
  [
    'a tag of too many',
    io.union(
      [
        io.type({ n: io.literal(0) }),
        io.type({ n: io.literal(1) }),
        ...Array.from({ length: 9 }, (_, index) => io.type({ n: io.literal(index + 2) })),
      ],
      'Many',
    ),
    { n: 11 },
    'n',
    'n of Many',
    'number 11',
  ],
  [
    'the type of a variable',
    ChatRequest,
    { prompt: { prompt_id: 'p', schema_version: 2, variables: { photo: { _type: 'video', value: 'x' } } } },
    'prompt.variables.photo._type',
    '"text" | "image_url" | "json" | "prompt"',
    'string(5 characters)',
  ],
  [
    'a chunk without choices',
    ChatChunk,
    { id: 'x', model: 'y' },
    'choices',
    'list of ChunkChoice',
    'undefined',
  ],
  [
    'a delta',
    ChatChunk,
    { choices: [{ delta: 'x' }] },
    'choices[0].delta',
    'ChatDelta or null',
    'string(1 character)',
  ],
  [
    'a count',
    ChatResponse,
    { choices: [], usage: { prompt_tokens: '3' } },
    'usage.prompt_tokens',
    'finite number or null',
    'string(1 character)',
  ],
  [
    'a value behind two wires',
    wire(wire(io.type({ a: io.string }), 'Inner'), 'Outer'),
    5,
    '',
    'Outer',
    'number 5',
  ],
]

for (const [title, codec, value, path, expected, found] of FAILURES) {
  test(`tells path, expected and found of ${title}`, (t) => {
    t.deepEqual(decode(codec)(value), left<DecodeFailure>({ path, expected, found }))
  })
}

test('decodes with a converting codec of the user', (t) => {
  const NumberFromString = new io.Type<number, string, unknown>(
    'NumberFromString',
    (value): value is number => typeof value === 'number',
    (value, context) =>
      typeof value === 'string' && value !== '' && Number.isFinite(Number(value))
        ? io.success(Number(value))
        : io.failure(value, context),
    String,
  )
  t.deepEqual(decode(io.type({ n: NumberFromString }))({ n: '3' }), right({ n: 3 }))
  t.deepEqual(
    decode(io.type({ n: NumberFromString }))({ n: 3 }),
    left({ path: 'n', expected: 'NumberFromString', found: 'number 3' }),
  )
})

test('a codec of the user that names no codec at a place leaves the telling to the others', (t) => {
  const Nameless = new io.Type<string, string, unknown>(
    'Nameless',
    (_): _ is string => false,
    (value, context) => io.failure(value, [...context, JSON.parse('{"key":"x"}')]),
    io.identity,
  )
  const deep = io.type({ a: io.type({ b: io.type({ c: io.number }) }) })
  t.deepEqual(
    decode(io.union([Nameless, deep]))({ a: { b: { c: 'x' } } }),
    left({ path: 'a.b.c', expected: 'number', found: 'string(1 character)' }),
  )
  t.deepEqual(decode(Nameless)(3), left({ path: 'x', expected: 'Nameless', found: 'number 3' }))
})

test('a codec of the user that refuses without an error is told by its name', (t) => {
  const Silent = new io.Type<never>(
    'Silent',
    (_): _ is never => false,
    () => left([]),
    io.identity,
  )
  t.deepEqual(decode(Silent)(3), left({ path: '', expected: 'Silent', found: 'number 3' }))
})

test('describes what was found by kind and size only', (t) => {
  t.deepEqual(
    [
      'hidden',
      0.5,
      true,
      null,
      undefined,
      [1, 2, 3],
      {},
      { a: 1 },
      { a: 1, b: 2 },
      { a: 1, b: 2, c: 3, d: 4, e: 5 },
      { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7 },
      () => 'hidden',
      Symbol('hidden'),
      10n,
    ].map(describeFound),
    [
      'string(6 characters)',
      'number 0.5',
      'boolean true',
      'null',
      'undefined',
      'array(3)',
      'object without keys',
      'object with key a',
      'object with keys a, b',
      'object with keys a, b, c, d, e',
      'object with keys a, b, c, d, e and 2 more',
      'function',
      'symbol',
      'bigint',
    ],
  )
  t.deepEqual(['', 'a'].map(describeFound), ['string(0 characters)', 'string(1 character)'])
  for (const [value, found] of [
    [Promise.resolve('secret'), 'Promise'],
    [new Map([['secret', 1]]), 'Map'],
    [new Date(0), 'Date'],
    [new Error('secret'), 'Error'],
    [new Uint8Array(9), 'Uint8Array'],
    [new Headers({ secret: 'a' }), 'Headers'],
    [new (class Mine {})(), 'object without keys'],
    [Object.create(null), 'object without keys'],
  ] as const)
    t.is(describeFound(value), found)
  t.is(describeFound({ ['k'.repeat(1_000)]: 1 }), `object with key ${'k'.repeat(64)}…`)
})

testProp('law: describing is total and short', [fc.anything()], (t, value) => {
  t.true(describeFound(value).length < 500)
})

test('what cannot be read is described, too', (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const trap = (): never => {
    throw new Error('trap')
  }
  for (const value of [proxy, new Proxy({}, { ownKeys: trap }), new Proxy({}, { get: trap })])
    t.is(describeFound(value), 'object that cannot be read')
})
