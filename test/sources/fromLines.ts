import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { fc, testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import {
  catchError,
  firstValueFrom,
  from,
  lastValueFrom,
  type Observable,
  of,
  retry,
  Subject,
  take,
  toArray,
} from 'rxjs'
import { InvalidInput } from '../../dist/errors.js'
import type { Bytes } from '../../dist/sources/Bytes.js'
import { fromLines } from '../../dist/sources/fromLines.js'
import { all } from '../helpers/all.js'
import { latch } from '../helpers/server.js'

const encoder = new TextEncoder()
const bytes = (text: string): Uint8Array => encoder.encode(text)

/** A web stream of these chunks that tells when it is cancelled. */
const webStream = (chunks: ReadonlyArray<Uint8Array>, end: 'closes' | 'waits' | 'fails' = 'closes') => {
  const waiting = [...chunks]
  const seen: { pulls: number; cancelled: boolean } = { pulls: 0, cancelled: false }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        seen.pulls += 1
        const chunk = waiting.shift()
        if (chunk !== undefined) controller.enqueue(chunk)
        else if (end === 'closes') controller.close()
        else if (end === 'fails') controller.error(new RangeError('mine'))
        return undefined
      },
      cancel: () => {
        seen.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, seen }
}

const kinds: ReadonlyArray<readonly [title: string, open: (chunks: ReadonlyArray<Uint8Array>) => Bytes]> = [
  ['a web stream', (chunks) => webStream(chunks).stream],
  ['a Node stream', (chunks) => Readable.from(chunks)],
  [
    'an async generator',
    async function* (chunks) {
      yield* chunks
    },
  ],
  ['an observable', (chunks) => from(chunks)],
]

for (const [title, open] of kinds) {
  test(`reads ${title}`, async (t) => {
    const lines = await all(fromLines(open(['one\ntw', 'o\r', '\nthree'].map(bytes))))
    t.deepEqual(lines, ['one', 'two', 'three'])
  })
}

const texts: ReadonlyArray<readonly [title: string, text: string, lines: ReadonlyArray<string>]> = [
  ['nothing', '', []],
  ['an empty line', '\n', ['']],
  ['a line without its end', 'a', ['a']],
  ['a last line with its end', 'a\n', ['a']],
  ['all three line breaks', 'a\nb\rc\r\nd', ['a', 'b', 'c', 'd']],
  ['empty lines', 'a\n\n\r\r\n\nb', ['a', '', '', '', '', 'b']],
  ['a byte order mark, once', '\uFEFFa\n\uFEFFb', ['a', '\uFEFFb']],
  ['a byte order mark alone', '\uFEFF', []],
  ['other Unicode separators, which end no line', 'a\u2028b\u0085c\n', ['a\u2028b\u0085c']],
  ['characters of all lengths', 'aé€😀\nä', ['aé€😀', 'ä']],
]

for (const [title, text, lines] of texts) {
  test(`splits ${title}`, async (t) => {
    t.deepEqual(await all(fromLines(from([bytes(text)]))), lines)
    t.deepEqual(await all(fromLines(from(Array.from(bytes(text), (byte) => Uint8Array.of(byte))))), lines)
    t.deepEqual(await all(fromLines(from([text]))), lines)
    t.deepEqual(await all(fromLines(from(text.split('')))), lines, 'halves of a character in two chunks')
  })
}

test('replaces what is not UTF-8', async (t) => {
  t.deepEqual(await all(fromLines(from([Uint8Array.of(97, 0xff, 10, 0xc3)]))), ['a\uFFFD', '\uFFFD'])
})

test('a source may use its buffer again', async (t) => {
  const text = new TextEncoder().encode('hello world\nsecond line\nthird')
  const buffer = new Uint8Array(8)
  const reads = async function* () {
    for (let from = 0; from < text.length; from += buffer.length) {
      const piece = text.subarray(from, from + buffer.length)
      buffer.set(piece)
      yield buffer.subarray(0, piece.length)
    }
  }
  t.deepEqual(await lastValueFrom(fromLines(reads()).pipe(toArray())), [
    'hello world',
    'second line',
    'third',
  ])
})

test('emits a line as soon as it ends, also with a lone CR', (t) => {
  const chunk$ = new Subject<Uint8Array>()
  const lines: Array<string> = []
  fromLines(chunk$).subscribe((line) => lines.push(line))
  chunk$.next(bytes('a\r'))
  t.deepEqual(lines, ['a'])
  chunk$.next(bytes('\nb\n'))
  t.deepEqual(lines, ['a', 'b'])
})

test('keeps the order when a chunk comes while a line is emitted', (t) => {
  const chunk$ = new Subject<Uint8Array>()
  const lines: Array<string> = []
  fromLines(chunk$).subscribe((line) => {
    lines.push(line)
    if (line === 'a') chunk$.next(bytes('2\nc'))
  })
  chunk$.next(bytes('a\nb'))
  chunk$.complete()
  t.deepEqual(lines, ['a', 'b2', 'c'])
})

const tooLong = async (
  t: ExecutionContext,
  lines$: Observable<string>,
  expected: ReadonlyArray<string>,
  path: string,
) => {
  const seen: Array<string> = []
  const error = await new Promise((resolve) => {
    lines$.subscribe({ next: (line) => seen.push(line), error: resolve, complete: () => resolve(undefined) })
  })
  t.deepEqual(seen, expected)
  if (error instanceof InvalidInput) t.is(error.message.split(': expected', 1)[0], `fromLines: ${path}`)
  else t.fail(`no InvalidInput: ${error}`)
}

test('fails at a line over the limit, after those before it', async (t) => {
  const limit = { maxLineLength: 4 }
  await tooLong(t, fromLines(from([bytes('1234\n€\n12345\n6')]), limit), ['1234', '€'], 'line 3')
  await tooLong(t, fromLines(from([bytes('€€€€\n😀😀\n€€€€€')]), limit), ['€€€€', '😀😀'], 'line 3')
  await tooLong(t, fromLines(from([bytes('😀😀\n😀😀1')]), limit), ['😀😀'], 'line 2')
  await tooLong(t, fromLines(from(['a\n12', '34', '5'].map(bytes)), limit), ['a'], 'line 2')
  await tooLong(t, fromLines(from([bytes('a\n1234'), Uint8Array.of(0xc3)]), limit), ['a'], 'line 2')
})

test('a line of just the limit passes, however it is cut', async (t) => {
  t.deepEqual(await all(fromLines(from(['12', '34\r', '\n12', '34'].map(bytes)), { maxLineLength: 4 })), [
    '1234',
    '1234',
  ])
})

test('does not wait for the end of a line that is too long already', async (t) => {
  const { stream, seen } = webStream(
    Array.from({ length: 50 }, () => bytes('xxxxxxxxxx')),
    'waits',
  )
  await tooLong(t, fromLines(stream, { maxLineLength: 25 }), [], 'line 1')
  t.true(seen.cancelled)
  t.true(seen.pulls < 6)
})

test('refuses a limit that is none', (t) => {
  for (const maxLineLength of [0, -1, Number.NaN]) {
    t.throws(() => fromLines(from([]), { maxLineLength }), { instanceOf: InvalidInput })
  }
  t.notThrows(() => fromLines(from([]), { maxLineLength: 1 }))
})

test('passes on an error of the bytes, after the lines before it', async (t) => {
  const { stream } = webStream([bytes('a\nb')], 'fails')
  const seen: Array<string> = []
  const error = await new Promise((resolve) => {
    fromLines(stream).subscribe({ next: (line) => seen.push(line), error: resolve })
  })
  t.deepEqual(seen, ['a'])
  t.true(error instanceof RangeError)
})

test('opens nothing before it is subscribed, and opens anew each time it can', async (t) => {
  let opened = 0
  const lines$ = fromLines(() => {
    opened += 1
    return webStream([bytes('a\n')], opened === 1 ? 'fails' : 'closes').stream
  })
  t.is(opened, 0)
  t.deepEqual(await all(lines$.pipe(retry(1))), ['a', 'a'])
  t.is(opened, 2)
})

test('a locked stream is an error, not a throw', async (t) => {
  const { stream } = webStream([])
  stream.getReader()
  await t.throwsAsync(firstValueFrom(fromLines(stream)), { instanceOf: TypeError })
})

test('a web stream that is read to its end has no lock any more', async (t) => {
  const { stream, seen } = webStream([bytes('a\n')])
  t.deepEqual(await all(fromLines(stream)), ['a'])
  t.false(stream.locked)
  t.false(seen.cancelled)
})

test('unsubscribing cancels a web stream that is being waited for, and gives up its lock', async (t) => {
  const { stream, seen } = webStream([bytes('a\n')], 'waits')
  const line = latch()
  const subscription = fromLines(stream).subscribe(line.open)
  await line.opened
  // Until the next piece is being waited for.
  await setImmediate()
  subscription.unsubscribe()
  await setImmediate()
  t.true(seen.cancelled)
  t.false(stream.locked)
})

test('unsubscribing destroys a Node stream that is being waited for', async (t) => {
  const stream = new PassThrough()
  stream.write('a\n')
  const [line] = await all(fromLines(stream).pipe(take(1)))
  t.is(line, 'a')
  t.true(stream.destroyed)
})

test('unsubscribing returns an async generator', async (t) => {
  let returned = false
  const generator = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield bytes('a\n')
    } finally {
      returned = true
    }
  }
  t.deepEqual(await all(fromLines(generator()).pipe(take(2))), ['a', 'a'])
  await setImmediate()
  t.true(returned)
})

test('an iterator that has ended or failed is not returned', async (t) => {
  const done = { done: true, value: undefined } as const
  for (const next of [() => Promise.resolve(done), () => Promise.reject(new Error('broken'))]) {
    let returned = false
    const iterator: AsyncIterator<Uint8Array> = {
      next,
      return: async () => {
        returned = true
        return done
      },
    }
    const seen = all(fromLines({ [Symbol.asyncIterator]: () => iterator }))
    await seen.catch((error: unknown) => t.like(error, { message: 'broken' }))
    t.false(returned)
  }
})

test('what giving up bytes throws is of no interest to who leaves', async (t) => {
  const fail = (): never => {
    throw new Error('mine')
  }
  const next = async () => ({ done: false, value: bytes('a\n') }) as const
  for (const iterable of [
    { [Symbol.asyncIterator]: () => ({ next, return: fail }) },
    { [Symbol.asyncIterator]: () => ({ next }), destroy: fail },
  ])
    t.deepEqual(await all(fromLines(iterable).pipe(take(1))), ['a'])
  const subscription = fromLines({ [Symbol.asyncIterator]: () => ({ next, return: fail }) }).subscribe()
  t.notThrows(() => subscription.unsubscribe())
})

test('pulls no more than it is asked for', async (t) => {
  const { stream, seen } = webStream([bytes('a\n'), bytes('b\n'), bytes('c\n')])
  t.is(await firstValueFrom(fromLines(stream)), 'a')
  await setImmediate()
  t.is(seen.pulls, 1)
})

test('half a character before bytes is U+FFFD, as at the end', async (t) => {
  t.deepEqual(await all(fromLines(from(['a\uD83D', bytes('b\n'), '\uD83D']))), ['a\uFFFDb', '\uFFFD'])
})

test('reads a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lines-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'lines.txt')
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} äöü`)
  await writeFile(path, lines.join('\r\n'))
  t.deepEqual(await all(fromLines(() => createReadStream(path, { highWaterMark: 1000 }))), lines)
  t.deepEqual(await all(fromLines(() => createReadStream(path, 'utf8'))), lines)
})

const cutAt = (text: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b)
  return places.slice(1).map((end, index) => text.slice(places[index], end))
}

testProp(
  'law: however the bytes are cut, the lines are those of the whole text',
  [
    fc.array(
      fc.oneof(fc.constantFrom('\n', '\r', '\r\n', '\uFEFF', 'a', '€', '😀'), fc.string({ unit: 'binary' })),
      { maxLength: 20 },
    ),
    fc.array(fc.nat()),
  ],
  async (t, parts, cuts) => {
    const text = bytes(parts.join(''))
    const whole = new TextDecoder().decode(text).split(/\r\n|\r|\n/)
    if (whole.at(-1) === '') whole.pop()
    t.deepEqual(await all(fromLines(from(cutAt(text, cuts)))), whole)
  },
)

testProp(
  'law: however the bytes are cut, the same line is too long',
  [
    fc.array(fc.constantFrom(...'\n\ra'.split('').map((c) => c.charCodeAt(0)), 0xc3, 0xef, 0xbb, 0xbf, 0xff)),
    fc.array(fc.nat()),
  ],
  async (t, parts, cuts) => {
    const outcome = (chunks: ReadonlyArray<Uint8Array>) =>
      all(
        fromLines(from(chunks), { maxLineLength: 3 }).pipe(
          catchError((error: unknown) => of(error instanceof InvalidInput && error.path)),
        ),
      )
    const text = Uint8Array.from(parts)
    t.deepEqual(await outcome(cutAt(text, cuts)), await outcome([text]))
  },
)
