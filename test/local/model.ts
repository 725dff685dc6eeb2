import { isIP } from 'node:net'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { assistant, toolResult, user } from '../../dist/codecs/messages.js'
import type { ToolCall } from '../../dist/codecs/ToolCall.js'
import { composeFromResults, composeText } from '../../dist/local/composeText.js'
import { embed } from '../../dist/local/embed.js'
import { countTokens, tokensOf } from '../../dist/local/tokensOf.js'
import { type SchemaHints, valueFromSchema } from '../../dist/local/valueFromSchema.js'

const HINTS: SchemaHints = {
  question: 'How many tables for 4 in Rome?',
  topic: 'tables',
  names: ['Rome'],
  keywords: ['tables'],
  numbers: [4],
  sentence: 'There are some.',
}

const value = (schema: unknown, h = 7, name = 'value'): unknown => valueFromSchema(schema, HINTS, name, h)

testProp('law: the tokens joined are the text', [fc.string({ unit: 'binary' })], (t, text) => {
  t.is(tokensOf(text).join(''), text)
})

testProp('law: the same prompt and number give the same text', [fc.string(), fc.nat()], (t, content, h) => {
  const messages = [user(content)]
  t.is(composeText(messages, h), composeText(messages, h))
})

test('counts English about as a tokenizer does', (t) => {
  const text = 'The quick brown fox jumps over the lazy dog, and nobody knows why it does so.'
  t.true(Math.abs(countTokens(text) - 18) <= 3)
  t.is(countTokens(''), 0)
})

const answers: ReadonlyArray<readonly [prompt: string, answer: RegExp]> = [
  ['Say hello to Bob', /^hello to Bob$/u],
  ['Repeat: "red, green"', /^red, green$/u],
  ['What is 12 * 3?', /12 \* 3 = 36/u],
  ['What is 7 - 10?', /^7 - 10 = -3\.$/u],
  ['What is 9 ÷ 2?', /^9 ÷ 2 = 4\.5\.$/u],
  ['What is 1 / 0?', /^[^=]*$/u],
  ['Translate "good day" into Latin, please', /^\[Latin\] good day$/u],
  ['Translate to French: The cat sat on the mat', /^\[French\] The cat sat on the mat$/u],
  ['Is water wet? Answer yes or no.', /^(?:Yes|No)\.$/u],
  ['Explain photosynthesis in one sentence.', /^[^.]*photosynthesis[^.]*\.$/iu],
  ['List facts about tea as bullet points', /^- .*\n- /u],
  ['Hello', /^(?:Hello|Good)/u],
  [
    'Summarize this:\nStreams are values over time. They end. They fail. They are cancelled.',
    /^In short: Streams are values over time\.$/u,
  ],
  ['In one sentence: Streams end. They fail. They stop.', /^In short: Streams end\.$/u],
  ['Why does streaming matter?', /\bstreaming (?!matter)/u],
  ['How does a heat pump work?', /\ba heat pump (?!work)/u],
  ['Explain tea in two sentences.', /^[^.]*\btea\b[^.]*\.[^.]*\.$/u],
  ['Explain tea in 3 sentences.', /^(?:[^.]*\.){3}$/u],
  ['Question: What is tea?\nAnswer: A drink.\nQuestion: What is coffee?\nAnswer:', /\bcoffee\b/u],
  [
    'Context: The bridge was built in 1932.\n\nWhen was the bridge built?',
    /^[^:]*: The bridge was built in 1932\.$/u,
  ],
  [
    'Use the facts about the bridge built.\nThe bridge was made in 1932.\nWhen was the bridge built?',
    /: The bridge was made in 1932\.$/u,
  ],
  ['Ada plays the violin.\n\nWhat is Ada’s instrument?', /: Ada plays the violin\.$/u],
  ['The old bridge is red.\n\nWho paid for the famous stone bridge in Norway?', /^(?!.*is red)/u],
]

for (const [prompt, answer] of answers) {
  test(`answers ${JSON.stringify(prompt)}`, (t) => {
    t.regex(composeText([{ role: 'user', content: prompt }], 5), answer)
  })
}

test('a system message sets role, language and length', (t) => {
  const told = (system: string, content: string): string =>
    composeText(
      [
        { role: 'system', content: system },
        { role: 'user', content },
      ],
      5,
    )
  t.regex(
    told('You are a pirate. Be brief.', 'Tell me about the sea.'),
    /^Speaking as a pirate: [^.]*the sea[^.]*\.$/u,
  )
  t.regex(told('You are a helpful assistant.', 'Tell me about the sea.'), /^(?!Speaking as)/u)
  const developer = { role: 'developer', content: 'You are a pirate.' } as const
  t.regex(
    composeText([developer, { role: 'user', content: 'Tell me about tea.' }], 5),
    /^Speaking as a pirate/u,
  )
  t.regex(
    told('These facts are known: The sea is salty water.', 'What is the sea?'),
    /: The sea is salty water\.$/u,
  )
  t.is(told('Translate into German.', 'The cat sat on the mat'), '[German] The cat sat on the mat')
})

test('remembers what was said before', (t) => {
  const messages = [user('My name is Ada.'), assistant('Hello!'), user('What is my name?')]
  t.regex(composeText(messages, 1), /My name is Ada/u)
})

test('knows what a tool has told', (t) => {
  const messages = [user('When was the bridge built?'), toolResult('a', 'The bridge was built in 1932.')]
  t.regex(composeText(messages, 1), /: The bridge was built in 1932\.$/u)
})

test('says what each tool has told, by its name', (t) => {
  const call = (id: string, name: string): ToolCall => ({
    id,
    type: 'function',
    function: { name, arguments: '{}' },
  })
  const messages = [
    user('What is the weather in Paris?'),
    assistant(null, { tool_calls: [call('a', 'list'), call('b', 'silent')] }),
    toolResult('a', '[1,{"deg_c":2},"x"]'),
    toolResult('b', ''),
    { ...toolResult('c', 'Done. '), name: 'named' },
    toolResult('d', 'true'),
  ]
  t.regex(
    composeFromResults(messages, 1),
    /: list says: 1; deg c 2; x\. silent says: nothing\. named says: Done\. the tool says: true\.$/u,
  )
})

test('writes as many words as were asked for, within bounds', (t) => {
  const words = (asked: number): number =>
    composeText([{ role: 'user', content: `Write ${asked} words about tea.` }], 5).split(/\s+/u).length
  t.true(words(50) >= 50 && words(50) < 80)
  t.true(words(99_999) >= 20_000 && words(99_999) < 20_050)
})

test('finds the question at the end of a long prompt', (t) => {
  const content = `${'Filler words here. '.repeat(1_000)}\nWhat is coffee?`
  t.regex(composeText([{ role: 'user', content }], 5), /\bcoffee\b/u)
})

test('a long prompt is read in linear time', (t) => {
  for (const text of ['write '.repeat(50_000), `Tea is a${' '.repeat(500_000)}drink. What is tea?`])
    t.true(composeText([{ role: 'user', content: text }], 1).length > 0)
  const contents = { role: 'tool', tool_call_id: 'a', content: `Tea${'.'.repeat(500_000)}9` } as const
  t.true(composeFromResults([contents], 1).endsWith('9.'))
})

test('numbers keep within their bounds', (t) => {
  for (let h = 0; h < 50; h++) {
    const drawn = value({ type: 'integer', minimum: 10, maximum: 12 }, h)
    t.true(drawn === 10 || drawn === 11 || drawn === 12)
    const open = value({ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, h)
    t.true(typeof open === 'number' && open > 0 && open < 1)
    const fives = value({ type: 'integer', multipleOf: 5, minimum: 11 }, h)
    t.true(typeof fives === 'number' && fives % 5 === 0 && fives >= 11)
  }
  t.is(value({ type: 'integer' }), 4)
  for (let h = 0; h < 50; h++) {
    const narrow = value({ type: 'number', minimum: 1.004, maximum: 1.006 }, h)
    t.true(typeof narrow === 'number' && narrow >= 1.004 && narrow <= 1.006)
    const below = value({ type: 'integer', maximum: -500 }, h)
    t.true(typeof below === 'number' && below <= -500)
  }
})

test('a schema without a type has the one that its other words speak of', (t) => {
  t.deepEqual(value({ properties: { a: { const: 1 } } }), { a: 1 })
  t.deepEqual(Object.keys(Object(value({ required: ['a'] }))), ['a'])
  t.deepEqual(value({ items: { const: 1 } }), [1, 1])
  t.is(value({ minimum: 3, maximum: 3 }), 3)
})

test('of an object the required properties are given, of a list as many items as there may be', (t) => {
  const properties = { a: { const: 1 }, b: { const: 2 } }
  t.deepEqual(value({ type: 'object', properties, required: ['b'] }), { b: 2 })
  t.deepEqual(value({ type: 'array', items: { const: 1 }, maxItems: 1 }), [1])
  t.deepEqual(value({ type: 'array', prefixItems: [{ const: 1 }, { const: 2 }], maxItems: 1 }), [1])
})

test('the items of a list are different names and numbers of the prompt', (t) => {
  const hints = { ...HINTS, names: ['Ada', 'Bob', 'Cleo'], numbers: [1, 2, 3] }
  const list = (type: string): unknown =>
    valueFromSchema({ type: 'array', items: { type }, minItems: 3 }, hints, 'people', 7)
  t.deepEqual(list('string'), ['Ada', 'Bob', 'Cleo'])
  t.deepEqual(list('integer'), [1, 2, 3])
})

test('texts keep within their lengths, and formats look like what they are', (t) => {
  t.is(String(value({ type: 'string', minLength: 40 })).length >= 40, true)
  t.is(String(value({ type: 'string', maxLength: 3 })).length, 3)
  t.regex(
    String(value({ type: 'string', format: 'uuid' })),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/u,
  )
  for (let h = 0; h < 50; h++) {
    t.false(Number.isNaN(Date.parse(String(value({ type: 'string', format: 'date-time' }, h)))))
  }
  t.is(isIP(String(value({ type: 'string', format: 'ipv4' }, 999))), 4)
  t.false(Number.isNaN(Date.parse(String(value({ type: 'string' }, 7, 'birthday')))))
})

test('const, enum, null, types in a list, allOf and references', (t) => {
  t.is(value({ const: 3 }), 3)
  t.is(value({ const: null }), null)
  t.is(value({ enum: ['Oslo', 'Rome'] }), 'Rome')
  t.is(value({ type: ['null', 'boolean'] }, 2), true)
  t.is(value({ type: 'null' }), null)
  t.deepEqual(
    value({
      allOf: [
        { properties: { a: { const: 1 } }, required: ['a'] },
        { properties: { b: { const: 2 } }, required: ['b'] },
      ],
    }),
    { a: 1, b: 2 },
  )
  t.is(value({ $ref: '#/definitions/x~1y', definitions: { 'x/y': { const: 'found' } } }), 'found')
  t.is(value({ $ref: '#/$defs/x', const: 2, $defs: { x: { const: 1 } } }), 2)
  t.is(value({ $ref: 'https://example.org/x', const: 1 }), 1)
  t.is(typeof Object(value({ properties: { a: { $ref: 'other.json' } }, required: ['a'] })).a, 'string')
  t.is(value({ oneOf: [{ const: 5 }] }), 5)
  t.is(value({ enum: ['none', 'rome'] }), 'rome')
  t.deepEqual(value({ type: 'array', prefixItems: [{ const: 1 }, { const: 2 }], maxItems: 2 }), [1, 2])
})

test('recursive and circular schemas end', (t) => {
  const tree = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          value: { type: 'integer' },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        required: ['value', 'children'],
      },
    },
  }
  t.true(JSON.stringify(value(tree)).length < 10_000)
  t.notThrows(() => value({ $ref: '#/a', a: { $ref: '#/a' } }))
  t.notThrows(() => value({ type: 'object', properties: { self: { $ref: '#' } }, required: ['self'] }))
})

test('what multiplies ends: lists in lists, objects in themselves, long texts in lists', (t) => {
  const list = (items: object): object => ({ type: 'array', minItems: 100, items })
  const lists = JSON.stringify(value(list(list(list({ type: 'string' })))))
  t.is(JSON.parse(lists)[0][0].length, 100)
  t.true(lists.length < 200_000)
  const pair = {
    type: 'object',
    properties: { l: { $ref: '#' }, r: { $ref: '#' } },
    required: ['l', 'r'],
  }
  t.true(JSON.stringify(value(pair)).length < 2_000_000)
  const long = list(list({ type: 'string', minLength: 10_000 }))
  t.true(JSON.stringify(value(long)).length < 2_000_000)
  t.true(JSON.stringify(value(list(list({ const: 'x'.repeat(100_000) })))).length < 2_000_000)
  t.is(JSON.stringify(value(list({ type: 'integer' }))).match(/\d+/gu)?.length, 100)
  t.notThrows(() => value({ allOf: [{ $ref: '#' }] }))
})

testProp(
  'law: every JSON value, as a schema, gives JSON, the same each time',
  [fc.jsonValue()],
  (t, schema) => {
    const made = value(schema)
    t.deepEqual(value(schema), made)
    t.is(typeof (JSON.stringify(made) ?? ''), 'string')
  },
)

test('an own key __proto__ in a schema stays a key', (t) => {
  const schema = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"const":1}},"required":["__proto__"]}',
  )
  t.is(JSON.stringify(value(schema)), '{"__proto__":1}')
})

test('texts that share words have near vectors', (t) => {
  const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
    a.reduce((sum, x, index) => sum + x * (b[index] ?? 0), 0)
  const [a, b, c] = ['the capital of France', 'France has a capital', 'boiling an egg'].map((text) =>
    embed(text, 256),
  )
  if (!a || !b || !c) return t.fail()
  t.true(dot(a, b) > 0.7)
  t.true(Math.abs(dot(a, c)) < 0.3)
  for (const text of ['', 'the of and', 'x'.repeat(1000)])
    t.true(Math.abs(Math.hypot(...embed(text, 64)) - 1) < 1e-9)
})
