import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { isRight } from 'fp-ts/lib/Either.js'
import type { ChatChunk } from '../../dist/codecs/ChatChunk.js'
import { chunkPatterns } from '../../dist/sources/chunkPatterns.js'
import { decodeChunk } from '../../dist/sources/decodeChunk.js'

const parsed = (text: string): ChatChunk | undefined => {
  try {
    const chunk = decodeChunk(JSON.parse(text))
    return isRight(chunk) ? chunk.right : undefined
  } catch {
    return undefined
  }
}

interface Counted {
  readonly read: (text: string) => ChatChunk | undefined
  readonly hits: () => number
}

/** Reads as a stream does: what matches no pattern is parsed, checked and learnt from. */
const reader = (): Counted => {
  const patterns = chunkPatterns()
  let hits = 0
  return {
    read: (text) => {
      const matched = patterns.match(text)
      if (matched !== undefined) {
        hits++
        return matched
      }
      const chunk = parsed(text)
      if (chunk !== undefined) patterns.learn(text, chunk)
      return chunk
    },
    hits: () => hits,
  }
}

const chunk = (delta: unknown, more: object = {}): string =>
  JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
    usage: null,
    ...more,
  })

const hitsOf = (texts: ReadonlyArray<string>): number => {
  const { read, hits } = reader()
  for (const text of texts) read(text)
  return hits()
}

test('all but the first of a stream match: text, blanks, padding, reasoning, arguments', (t) => {
  const words = ['a', '', ' "so"', '\n', 'naïve', '日本', '\u2028', '😀', '{"content":"x"}', '__proto__']
  const streams: ReadonlyArray<ReadonlyArray<string>> = [
    words.map((content) => chunk({ content })),
    words.map((content) => chunk({ content }).replaceAll(/(?<!\\)":/g, '"\n\t: ')),
    words.map((content) => chunk({ content }).replace('{', '{"content":null,')),
    words.map((content, at) => chunk({ content }, { obfuscation: 'x'.repeat(at) })),
    words.map((content, at) => chunk({ content }).replace('{', `{"obfuscation":"${'x'.repeat(at)}",`)),
    words.map((reasoning_content) => chunk({ reasoning_content })),
    words.map((reasoning) => chunk({ content: null, reasoning })),
    words.map((json) => chunk({ tool_calls: [{ index: 1, function: { arguments: json } }] })),
  ]
  for (const texts of streams) {
    const { read, hits } = reader()
    t.deepEqual(texts.map(read), texts.map(parsed))
    t.is(hits(), texts.length - 1)
  }
})

test('calls and choices that take turns have a pattern each', (t) => {
  const turn = (index: number) => chunk({ tool_calls: [{ index, function: { arguments: 'x' } }] })
  t.is(hitsOf(Array.from({ length: 40 }, (_, at) => turn(at % 3))), 37)
})

test('openings and closings, of however many choices, cost no lesson', (t) => {
  const choice = (index: number, delta: object, finish_reason: string | null = null) =>
    JSON.stringify({ id: 'c', choices: [{ index, delta, finish_reason }] })
  const openings = Array.from({ length: 8 }, (_, index) => choice(index, { role: 'assistant', content: '' }))
  const closings = Array.from({ length: 8 }, (_, index) => choice(index, { content: '' }, 'stop'))
  const words = Array.from({ length: 10 }, (_, at) => choice(7, { content: `word ${at}` }))
  t.is(hitsOf([...openings, ...words]), 9)
  t.is(hitsOf([...closings, ...words]), 9)
})

test('what says something is learnt, also where each chunk has a role and a reason', (t) => {
  const choice = (delta: object) =>
    JSON.stringify({
      id: 'c',
      choices: [{ index: 0, delta: { role: 'assistant', ...delta }, finish_reason: 'stop' }],
    })
  for (const make of [
    (text: string) => choice({ content: text }),
    (text: string) => choice({ content: '', reasoning_content: text }),
    (text: string) => choice({ content: '', reasoning: text }),
    (text: string) => choice({ tool_calls: [{ index: 0, function: { arguments: text } }] }),
  ])
    t.is(hitsOf(['a', 'b', 'c'].map(make)), 2)
})

test('a stream that never repeats itself is soon left alone', (t) => {
  const patterns = chunkPatterns()
  let looks = 0
  for (let id = 0; id < 100; id++) {
    const text = chunk({ content: 'a' }, { id: `c${id}` })
    t.is(patterns.match(text), undefined)
    const value = parsed(text)
    // Learning looks at the choices, and not learning at nothing.
    if (value !== undefined) {
      const watched = new Proxy(value, {
        get: (target, key) => {
          if (key === 'choices') looks++
          return Reflect.get(target, key)
        },
      })
      const before = looks
      patterns.learn(text, watched)
      t.is(looks > before, id < 7)
    }
  }
})

test('a name that stands elsewhere too is no slot', (t) => {
  const texts = ['a', 'b', 'c'].map((content) => chunk({ content }, { content: 'top' }))
  const decoys = ['a', 'b', 'c'].map(
    (content) => `{"note":{"content":"decoy"},${chunk({ content }).slice(1)}`,
  )
  const twice = ['a', 'b', 'c'].map((content) =>
    chunk({ content: 'first' }).replace('"first"', `"first","content":${JSON.stringify(content)}`),
  )
  const hostile = ['a', 'b', 'c'].map(
    (content) => `{"__proto__":{"content":"x"},${chunk({ content }).slice(1)}`,
  )
  const probes = ['a', 'b', 'c'].map(
    (text) => `{"note":{"content":"${text}"},${chunk({ content: 'slot 0' }).slice(1)}`,
  )
  for (const each of [texts, decoys, twice, hostile, probes]) {
    const { read } = reader()
    t.deepEqual(each.map(read), each.map(parsed))
  }
})

test('what somebody does to a chunk changes no other', (t) => {
  const { read } = reader()
  const first = read(chunk({ content: 'a' }))
  Object.assign(first ?? {}, { model: 'other' })
  Object.assign(first?.choices[0] ?? {}, { index: 1 })
  t.deepEqual(read(chunk({ content: 'b' })), parsed(chunk({ content: 'b' })))
})

test('a string that JSON refuses is none', (t) => {
  const patterns = chunkPatterns()
  const text = chunk({ content: 'a' })
  patterns.learn(text, { choices: [{ delta: { content: 'a' } }] })
  for (const raw of ['\n', '\u0000', '\t', '\\x', '\\u12', '\\'])
    t.is(patterns.match(text.replace('"a"', () => `"${raw}"`)), undefined, JSON.stringify(raw))
  t.truthy(patterns.match(text.replace('"a"', '"\\t"')))
})

test('a long string matches like a short one, whatever is in it', (t) => {
  const long = 'naïve 日本 "so" \\ '.repeat(200)
  const ends = [
    '',
    '"',
    '\\',
    '\\"',
    '","finish_reason":null}],"usage":null}',
    '"},"logprobs":null',
    '","obfuscation":"',
  ]
  for (const padding of [{}, { obfuscation: 'x' }, { obfuscation: long }]) {
    const texts = ['a', ...ends.map((end) => long + end), 'b'].map((content) => chunk({ content }, padding))
    const { read, hits } = reader()
    t.deepEqual(texts.map(read), texts.map(parsed))
    t.is(hits(), texts.length - 1)
  }
})

test('a long string that JSON refuses is none', (t) => {
  const patterns = chunkPatterns()
  const text = chunk({ content: 'a' })
  patterns.learn(text, { choices: [{ delta: { content: 'a' } }] })
  const long = 'x'.repeat(200)
  for (const raw of ['\n', '\u0000', '\t', '\\x', '\\u12', '\\', '"', '","content":"'])
    for (const whole of [long + raw, raw + long, long + raw + long])
      t.is(patterns.match(text.replace('"a"', () => `"${whole}"`)), undefined, JSON.stringify(whole))
  t.truthy(patterns.match(text.replace('"a"', () => `"${long}\\t"`)))
})

test('the quote before a string is not the one after it', (t) => {
  for (const space of ['', ' '.repeat(200)]) {
    const text = `{"choices":[{"delta":{"content":"a"}}]}${space}`
    const patterns = chunkPatterns()
    patterns.learn(text, { choices: [{ delta: { content: 'a' } }] })
    t.is(patterns.match(text.replace('"a"', '"')), undefined)
    t.truthy(patterns.match(text.replace('"a"', '""')))
  }
})

test('a chunk made by a pattern has the keys in their order, and is no part of another one', (t) => {
  const texts = ['a', 'b', 'c'].map((content) => chunk({ content }, { obfuscation: content, cost: 1 }))
  const { read } = reader()
  const chunks = texts.map(read)
  t.deepEqual(
    chunks.map((each) => JSON.stringify(each)),
    texts,
  )
  t.is(new Set(chunks.map((each) => each?.choices[0]?.delta)).size, 3)
})

const arbitraryContent = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary', minLength: 50, maxLength: 200 }),
  fc
    .constantFrom('"', '\\', '","finish_reason":null}]}', '"}', '","content":"', '\ud800')
    .map((end) => 'x'.repeat(70) + end),
  fc.constantFrom('', '"', '\\', '\n', '\u0000', '","content":"', '"}', '\ud800', 'x'.repeat(300)),
)

const arbitraryText = fc
  .record({
    content: arbitraryContent,
    key: fc.constantFrom('content', 'reasoning_content', 'reasoning', 'refusal'),
    padding: fc.option(arbitraryContent, { nil: undefined }),
    index: fc.nat({ max: 1 }),
    decoy: fc.option(fc.constantFrom('content', 'obfuscation', 'arguments'), { nil: undefined }),
    choices: fc.nat({ max: 2 }),
    space: fc.constantFrom(0, 1),
    call: fc.boolean(),
  })
  .map(({ content, key, padding, index, decoy, choices, space, call }) => {
    const delta = call
      ? { tool_calls: [{ index, function: { arguments: content } }] }
      : { role: 'assistant', [key]: content }
    return JSON.stringify(
      {
        ...(decoy === undefined ? {} : { extra: { [decoy]: 'decoy' } }),
        choices: Array.from({ length: choices }, () => ({ index, delta, finish_reason: null })),
        ...(padding === undefined ? {} : { obfuscation: padding }),
      },
      undefined,
      space,
    )
  })

testProp(
  'law: what matches is what parsing and decoding give, key by key, whatever came before',
  [fc.array(arbitraryText, { minLength: 1, maxLength: 12 })],
  (t, texts) => {
    const { read } = reader()
    for (const text of [...texts, ...texts]) {
      const found = read(text)
      const expected = parsed(text)
      t.deepEqual(found, expected)
      t.is(JSON.stringify(found), JSON.stringify(expected))
    }
  },
  { numRuns: 500 },
)

testProp(
  'law: a text that was tampered with matches as what it says, or not at all',
  [
    arbitraryText,
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        cut: fc.nat({ max: 3 }),
        put: fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('"', '\\', ',', '}', '\n', ':')),
      }),
      { minLength: 1, maxLength: 30 },
    ),
  ],
  (t, text, changes) => {
    const patterns = chunkPatterns()
    const chunk = parsed(text)
    if (chunk !== undefined) patterns.learn(text, chunk)
    t.pass()
    for (const { at, cut, put } of changes) {
      const from = Math.floor(at * text.length)
      const tampered = text.slice(0, from) + put + text.slice(from + cut)
      const matched = patterns.match(tampered)
      if (matched !== undefined) t.deepEqual(matched, parsed(tampered))
    }
  },
  { numRuns: 1_000 },
)
