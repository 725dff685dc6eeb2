import { inspect } from 'node:util'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { eventDecoder, MAX_EVENT_LENGTH } from '../../dist/http/eventDecoder.js'

interface Decoded {
  readonly data: string
  readonly event: string | undefined
  readonly last: boolean
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const tooLong = (): never => {
  throw new Error('too long')
}

const foreign = (): never => {
  throw new Error('foreign')
}

const decodeAll = (pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<Decoded> => {
  const events: Array<Decoded> = []
  const decoder = eventDecoder(
    ({ data, event }, last) => events.push({ data, event, last }),
    tooLong,
    foreign,
  )
  for (const piece of pieces) decoder.push(piece)
  decoder.end()
  return events
}

const dataOf = (text: string): ReadonlyArray<string> => decodeAll([encode(text)]).map(({ data }) => data)

const FORMS: ReadonlyArray<readonly [what: string, text: string, data: ReadonlyArray<string>]> = [
  ['nothing', '', []],
  ['blank lines only', '\n\n\r\n\r', []],
  ['comments only', ': a\n\n:b\n\n:\n\n', []],
  ['LF', 'data: a\n\ndata: b\n\n', ['a', 'b']],
  ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
  ['a mixture of line ends', 'data: a\n\r\ndata: b\r\rdata: c\r\n\n', ['a', 'b', 'c']],
  ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
  ['no blank after the colon', 'data:a\n\n', ['a']],
  ['two blanks after the colon, of which one is kept', 'data:  a\n\n', [' a']],
  ['several data lines', 'data: a\ndata: b\ndata:\n\n', ['a\nb\n']],
  ['fields between the data lines', 'data: a\nid: 7\n: x\nretry: 5\ndata: b\nunknown: z\nbare\n\n', ['a\nb']],
  ['lines of a page once an event has come', 'data: a\n\n<p>\n{"b":1}\ndata: b\n\n', ['a', 'b']],
  ['a last event without its blank line', 'data: a\n\ndata: b\n', ['a', 'b']],
  ['a last event without the end of its line', 'data: a\n\ndata: b', ['a', 'b']],
  ['a last event that ends in CR', 'data: a\r\rdata: b\r', ['a', 'b']],
]

for (const [what, text, data] of FORMS) {
  test(`decodes ${what}`, (t) => {
    t.deepEqual(dataOf(text), data)
  })
}

test('tells the last event, which may be cut, from those that are complete', (t) => {
  t.deepEqual(decodeAll([encode('data: a\n\nevent: error\ndata: b')]), [
    { data: 'a', event: undefined, last: false },
    { data: 'b', event: 'error', last: true },
  ])
})

test('an event that ends in CR is complete, whatever is cut behind it', (t) => {
  const complete = { data: 'a', event: undefined, last: false }
  const cut = { data: '', event: undefined, last: true }
  for (const pieces of [['data: a\r\rdata: '], ['data: a\r\r', 'data: '], ['data: a\r', '\rdata: ']])
    t.deepEqual(decodeAll(pieces.map(encode)), [complete, cut], inspect(pieces))
  t.deepEqual(decodeAll([encode('data: a\r\r')]), [complete])
})

test('a CR at the end of a piece holds up nothing that follows', (t) => {
  const events: Array<string> = []
  const decoder = eventDecoder(({ data }) => events.push(data), tooLong, foreign)
  decoder.push(encode('data: a\r\r'))
  decoder.push(encode('data: '))
  t.deepEqual(events, ['a'])
  decoder.push(encode('b\r'))
  decoder.push(encode('\n\r'))
  decoder.push(encode('\n'))
  t.deepEqual(events, ['a', 'b'])
})

test('a piece without a character parts no CR from its LF', (t) => {
  t.deepEqual(
    decodeAll(['data: a\r', '', '\ndata: b\r\n\r\n'].map(encode)).map(({ data }) => data),
    ['a\nb'],
  )
})

test('calls back before push returns', (t) => {
  const events: Array<string> = []
  const decoder = eventDecoder(({ data }) => events.push(data), tooLong, foreign)
  decoder.push(encode('data: a\n\nda'))
  t.deepEqual(events, ['a'])
  decoder.push(encode('ta: b\n\n'))
  t.deepEqual(events, ['a', 'b'])
})

test('passes on what a callback throws', (t) => {
  const decoder = eventDecoder(
    () => {
      throw new Error('of the callback')
    },
    tooLong,
    foreign,
  )
  t.throws(() => decoder.push(encode('data: a\n\n')), { message: 'of the callback' })
})

test('refuses an event that grows beyond its limit, before it is complete', (t) => {
  const decoder = eventDecoder(() => t.fail(), tooLong, foreign)
  const piece = encode('x'.repeat(1_048_576))
  decoder.push(encode('data: '))
  t.throws(
    () => {
      for (let pieces = 0; pieces <= MAX_EVENT_LENGTH / piece.length; pieces += 1) decoder.push(piece)
    },
    { message: 'too long' },
  )
})

test('refuses a page, and JSON, before any event', (t) => {
  for (const text of ['<!doctype html>\n', ': connected\n\n  {"error":1}\n', '[]\n'])
    t.throws(() => decodeAll([encode(text)]), { message: 'foreign' })
})

test('does not add up comments', (t) => {
  const decoder = eventDecoder(() => undefined, tooLong, foreign)
  const comments = encode(`: ${'keep-alive '.repeat(100_000)}\n\n`)
  for (let times = 0; times < 20; times += 1) decoder.push(comments)
  t.notThrows(() => decoder.end())
})

test('decodes an event of four million characters in pieces of a thousand', (t) => {
  const data = 'é'.repeat(4_000_000)
  const bytes = encode(`data: ${data}\n\n`)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, at) =>
    bytes.subarray(at * 1_000, (at + 1) * 1_000),
  )
  t.true(decodeAll(pieces)[0]?.data === data)
})

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''))
const event = fc.record({
  before: fc.option(line, { nil: undefined }),
  event: fc.option(fc.constantFrom('message', 'error', 'Ω'), { nil: undefined }),
  data: fc.array(line, { minLength: 1, maxLength: 3 }),
})
const cuts = fc.array(fc.nat(2_000), { maxLength: 40 })

testProp(
  'law: every split of the bytes decodes the same',
  [fc.array(event, { maxLength: 6 }), fc.constantFrom('\n', '\r', '\r\n'), fc.boolean(), fc.boolean(), cuts],
  (t, events, eol, mark, complete, positions) => {
    const lines = events.flatMap(({ before, event: name, data }) => [
      ...(before === undefined ? [] : [`: ${before}`]),
      ...(name === undefined ? [] : [`event: ${name}`]),
      ...data.map((text) => `data: ${text}`),
      '',
    ])
    const text = (mark ? '\ufeff' : '') + lines.map((text) => text + eol).join('')
    const bytes = encode(complete ? text : text.replace(/[\r\n]+$/, ''))
    const at = [0, ...[...positions].sort((a, b) => a - b), bytes.length]
    const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
    t.deepEqual(
      decodeAll(pieces),
      events.map(({ event: name, data }, index) => ({
        data: data.join('\n'),
        event: name,
        last: !complete && index === events.length - 1,
      })),
    )
  },
)
