import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { expectTypeOf } from 'expect-type'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import * as io from 'io-ts'
import { from, type Observable, take } from 'rxjs'
import { fromNdjson, type NdjsonFailure } from '../../dist/sources/fromNdjson.js'
import { all } from '../helpers/all.js'

const Question = io.type({ question: io.string }, 'Question')

test('emits each line decoded, bad ones as a left with their number, and goes on', async (t) => {
  const text = '{"question":"a"}\n\n  \r\noops secret\n{"question":3}\n[]\n{"question":"b"}'
  t.deepEqual(await all(fromNdjson(from([text]), Question)), [
    right({ question: 'a' }),
    left({ line: 4, path: '', expected: 'JSON', found: 'string(11 characters)' }),
    left({ line: 5, path: 'question', expected: 'string', found: 'number 3' }),
    left({ line: 6, path: '', expected: 'Question', found: 'array(0)' }),
    right({ question: 'b' }),
  ])
})

test('emits nothing for bytes without lines', async (t) => {
  t.deepEqual(await all(fromNdjson(from(['\n\n']), Question)), [])
})

test('decodes with codecs that convert', async (t) => {
  const Upper = new io.Type<string, string, unknown>(
    'Upper',
    io.string.is,
    (u, context) => (typeof u === 'string' ? io.success(u.toUpperCase()) : io.failure(u, context)),
    io.identity,
  )
  t.deepEqual(await all(fromNdjson(from(['"a"\n1']), Upper)), [
    right('A'),
    left({ line: 2, path: '', expected: 'Upper', found: 'number 1' }),
  ])
})

test('a line over the limit is a left, and what comes behind it is read', async (t) => {
  const tooLong = (line: number) => left({ line, path: '', expected: 'at most 5 characters', found: 'more' })
  const expected = [right('a'), tooLong(2), right('b'), tooLong(5), right('c'), tooLong(7)]
  for (const end of ['\n', '\r\n', '\r']) {
    const text = ['"a"', '"aaaaaaaa"', '"b"', '', '"bbbbbbbbbbbbb"', '"c"', '"cccccc"'].join(end)
    for (const size of [1, 2, 3, 7, 100]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.slice(at * size, (at + 1) * size),
      )
      t.deepEqual(await all(fromNdjson(from(pieces), io.string, { maxLineLength: 5 })), expected)
    }
  }
})

test('stops when it is left', async (t) => {
  let pulled = 0
  const endless = async function* (): AsyncGenerator<string> {
    for (;;) yield `${pulled++}\n`
  }
  t.deepEqual(await all(fromNdjson(endless(), io.number).pipe(take(2))), [right(0), right(1)])
  t.is(pulled, 2)
})

test('two subscriptions count their own lines', async (t) => {
  const values$ = fromNdjson(() => from(['x\n']), io.number)
  for (let round = 0; round < 2; round += 1) {
    t.like((await all(values$))[0], { left: { line: 1 } })
  }
})

testProp('law: what was written as NDJSON is read', [fc.array(fc.jsonValue())], async (t, values) => {
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join('')
  t.deepEqual(
    await all(fromNdjson(from([text]), io.unknown)),
    values.map((value) => right(JSON.parse(JSON.stringify(value)))),
  )
})

test('the type follows the codec', (t) => {
  expectTypeOf(fromNdjson(from(['']), Question)).toEqualTypeOf<
    Observable<Either<NdjsonFailure, { question: string }>>
  >()
  t.pass()
})
