import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs, {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { fc, testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import { expectTypeOf } from 'expect-type'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import { delayWhen, NEVER, Observable, delay as observeDelay, of } from 'rxjs'
import type { StoredSpan } from '../../dist/codecs/StoredSpan.js'
import { InvalidInput, NetworkError } from '../../dist/errors.js'
import { type FileSpoolOptions, fileSpool } from '../../dist/node/fileSpool.js'
import { createSegment, openSegment } from '../../dist/node/Segment.js'
import type { BufferPolicy } from '../../dist/sinks/BufferPolicy.js'
import { bufferedSink } from '../../dist/sinks/bufferedSink.js'
import { respanTransport } from '../../dist/sinks/respanTransport.js'
import type { Spool, SpoolHost, SpoolPlace, SpoolStore } from '../../dist/sinks/Spool.js'
import { restoreSpan, storeSpan } from '../../dist/sinks/storeSpan.js'
import type { Receipt } from '../../dist/sinks/Transport.js'
import { toSpanPayload } from '../../dist/sinks/toSpanPayload.js'
import { toSpan } from '../../dist/tracing/foldSpans.js'
import type { Sink, SinkStats } from '../../dist/tracing/Sink.js'
import type { Span } from '../../dist/tracing/SpanEvent.js'
import { anything } from '../helpers/anything.js'
import { type Answers, rig, status } from '../helpers/buffer.js'
import { deadPort } from '../helpers/deadPort.js'
import { memorySpool } from '../helpers/memorySpool.js'
import { sendJson, serve } from '../helpers/server.js'
import { accounted, ended, finish, idOf, numberOf, range, started } from '../helpers/spans.js'

const root = mkdtempSync(join(realpathSync(tmpdir()), 'respan-rx-spool-'))

// A sink that a test leaves open writes once more when the process ends, and listens for that before this does.
test.after.always(() => {
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
})

const folder = (t: ExecutionContext): string => {
  const path = mkdtempSync(join(root, 'test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return join(path, 'spool')
}

/** The segments in a folder, whose names begin with when they were begun. */
const segments = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => join(directory, name))

const sizeOf = (directory: string): number =>
  segments(directory).reduce((sum, path) => sum + statSync(path).size, 0)

const STRENGTHS = ['on-failure', 'always'] as const

/** A server that is up or down. */
const outage = () => {
  const state = { isDown: true }
  const answers: Answers = () => (state.isDown ? status(503) : undefined)
  return { state, answers }
}

const GIVES_UP: BufferPolicy = { retry: { count: 1, delay: 10, maxDelay: 10 }, maxDelay: 0 }

const sentBy = (sent: ReadonlyArray<{ readonly spans: ReadonlyArray<number> }>): ReadonlyArray<number> =>
  sent.flatMap(({ spans }) => spans)

// ── on failure

for (const strength of STRENGTHS)
  test(`what all attempts failed for is on the disk, and delivered when the server is back, ${strength}`, async (t) => {
    const directory = folder(t)
    const { state, answers } = outage()
    const { time, sink, sent, warnings } = rig(t, answers, {
      ...GIVES_UP,
      spool: fileSpool(directory, { strength }),
    })
    finish(sink, ...range(1, 5))
    time.pass(15)
    t.like(sink.stats(), { accepted: 5, spooled: 5, dropped: 0, queued: 0, inFlight: 0 })
    t.true(warnings.some(({ message }) => message.includes('5 spans spooled: HttpError')))
    state.isDown = false
    const before = sent.length
    time.pass(60_000)
    t.deepEqual(sentBy(sent.slice(before)), range(1, 5))
    t.like(sink.stats(), { accepted: 5, delivered: 5, spooled: 0 })
    await sink.close()
    t.deepEqual(readdirSync(directory), [])
  })

test('a server that stays down is left alone between attempts, whatever the policy says', (t) => {
  const policy = { retry: { count: 1, delay: 0 }, maxDelay: 0, spool: fileSpool(folder(t)) }
  const { time, sink, sent } = rig(t, () => status(503), policy)
  finish(sink, 1)
  time.pass(1_000)
  t.true(sent.length > 2 && sent.length <= 22, `${sent.length} attempts`)
})

for (const strength of STRENGTHS)
  test(`when the queue is full the oldest spans go to the disk, and nothing is lost, ${strength}`, async (t) => {
    const directory = folder(t)
    const { state, answers } = outage()
    const policy = { maxQueueSize: 10, maxBatchSize: 4, spool: fileSpool(directory, { strength }) }
    const { time, sink, sent } = rig(t, answers, policy)
    finish(sink, ...range(1, 100))
    t.like(sink.stats(), { accepted: 100, dropped: 0 })
    t.true(sink.stats().spooled >= 90)
    state.isDown = false
    time.pass(60_000)
    t.deepEqual(sentBy(sent), range(1, 100))
    t.is(sink.stats().delivered, 100)
  })

test('a span that is larger than the whole queue goes to the disk', (t) => {
  const { time, sink, sent } = rig(t, undefined, { maxQueueBytes: 2_000, spool: fileSpool(folder(t)) })
  sink.next(started(1, { input: 'x'.repeat(5_000) }))
  sink.next(ended(1))
  t.like(sink.stats(), { accepted: 1, spooled: 1 })
  finish(sink, 2)
  time.pass(5_000)
  t.deepEqual(sentBy(sent), [1, 2])
})

test('a flush delivers what is on the disk, and reports it', async (t) => {
  const { state, answers } = outage()
  const { time, sink } = rig(t, answers, { ...GIVES_UP, spool: fileSpool(folder(t)) })
  finish(sink, 1, 2, 3)
  time.pass(15)
  const failed = sink.flush()
  await time.settle()
  time.pass(60_000)
  const outcome = await failed
  t.true(isLeft(outcome))
  if (isLeft(outcome)) {
    t.deepEqual(outcome.left.report, { delivered: 0, dropped: 0, rejected: 0, spooled: 3, queued: 0 })
    t.is(outcome.left.failures[0]?.error.name, 'HttpError')
  }
  state.isDown = false
  const worked = sink.flush()
  await time.settle()
  time.pass(1_000)
  t.deepEqual(await worked, {
    _tag: 'Right',
    right: { delivered: 3, dropped: 0, rejected: 0, spooled: 0, queued: 0 },
  })
})

test('close leaves to the disk what it could not deliver, and the next one delivers it', async (t) => {
  const directory = folder(t)
  const first = rig(t, () => status(503), { spool: fileSpool(directory), flushTimeout: 100 })
  finish(first.sink, ...range(1, 250))
  const closing = first.sink.close()
  await first.time.settle()
  first.time.pass(1_000)
  const outcome = await closing
  t.true(isLeft(outcome))
  if (isLeft(outcome)) t.like(outcome.left.report, { spooled: 250, queued: 0, dropped: 0 })
  t.like(first.sink.stats(), { accepted: 250, spooled: 250, dropped: 0 })
  finish(first.sink, 251)
  t.is(first.sink.stats().dropped, 1)
  const second = rig(t, undefined, { spool: fileSpool(directory) })
  const flushed = second.sink.flush()
  await second.time.settle()
  second.time.pass(1_000)
  const report = { delivered: 250, dropped: 0, rejected: 0, spooled: 0, queued: 0 }
  t.deepEqual(await flushed, { _tag: 'Right', right: report })
  t.deepEqual(sentBy(second.sent), range(1, 250))
  t.like(second.sink.stats(), { accepted: 250, delivered: 250 })
  await second.sink.close()
  t.deepEqual(readdirSync(directory), [])
})

test('the next one delivers in the background what was left behind, once it has a span of its own', async (t) => {
  const directory = folder(t)
  const first = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(first.sink, 1, 2)
  // As when its process dies: nothing more is heard of it.
  abandonOwner(directory)
  const second = rig(t, undefined, { spool: fileSpool(directory) })
  second.time.pass(5_000)
  t.is(second.sent.length, 0)
  finish(second.sink, 3)
  second.time.pass(1_000)
  t.deepEqual(sentBy(second.sent), [1, 2, 3])
})

/** Has the files in a folder look like those of a process that has died. */
const abandonOwner = (directory: string): void => {
  for (const name of existsSync(directory) ? readdirSync(directory) : [])
    if (name.endsWith('.lock')) rmSync(join(directory, name))
}

test('a refused key keeps the spans, and a missing one, too', async (t) => {
  for (const code of [401, 404]) {
    const directory = folder(t)
    const { time, sink } = rig(t, () => status(code), { spool: fileSpool(directory), flushTimeout: 100 })
    finish(sink, 1)
    const closing = sink.close()
    await time.settle()
    time.pass(1_000)
    await closing
    t.like(sink.stats(), { accepted: 1, spooled: 1 })
  }
})

test('a rejected span is not kept', async (t) => {
  const directory = folder(t)
  const { time, sink } = rig(t, () => status(400), { spool: fileSpool(directory, { strength: 'always' }) })
  finish(sink, 1)
  time.pass(1_000)
  t.like(sink.stats(), { accepted: 1, rejected: 1, spooled: 0 })
  await sink.close()
  t.deepEqual(readdirSync(directory), [])
})

// ── always

test('always: a span is on the disk before it counts as accepted', (t) => {
  const directory = folder(t)
  const { time, sink } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  const lines: Array<number> = []
  sink.stats$.subscribe(({ accepted }) => {
    const written = accepted === 0 ? '' : readFileSync(segments(directory)[0] ?? '', 'utf8')
    lines.push(written.split('\n').filter((line) => line.includes('"span":')).length - accepted)
  })
  finish(sink, 1, 2, 3)
  t.deepEqual(lines, [0, 0, 0, 0])
  t.like(sink.stats(), { queued: 3, spooled: 0 })
  time.pass(1_000)
  t.is(sink.stats().delivered, 3)
})

test('always: a segment says what was delivered, and goes when all of it was', async (t) => {
  const directory = folder(t)
  const { time, sink } = rig(t, undefined, {
    maxBatchSize: 2,
    spool: fileSpool(directory, { strength: 'always' }),
  })
  finish(sink, 1, 2, 3)
  time.pass(0)
  const [path = ''] = segments(directory)
  t.deepEqual(readFileSync(path, 'utf8').trim().split('\n').at(-1), '{"done":[[0,1]]}')
  abandonOwner(directory)
  const other = rig(t, undefined, { spool: fileSpool(directory) })
  const flushed = other.sink.flush()
  await other.time.settle()
  other.time.pass(1_000)
  await flushed
  t.deepEqual(sentBy(other.sent), [3])
  await other.sink.close()
  t.deepEqual(segments(directory), [])
})

test('nothing is written, not even a folder, before the first span or flush', (t) => {
  const directory = folder(t)
  const { time, sink } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  sink.next(started(1))
  time.pass(10_000)
  t.throws(() => readdirSync(directory), { code: 'ENOENT' })
})

// ── files

test('the folder has mode 0700, its files 0600', (t) => {
  const directory = folder(t)
  const { sink } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(sink, 1)
  t.is(statSync(directory).mode & 0o777, 0o700)
  const files = readdirSync(directory)
  t.is(files.length, 2)
  for (const name of files) t.is(statSync(join(directory, name)).mode & 0o777, 0o600, name)
})

test('a key among attributes or request fields is not in the file', (t) => {
  const directory = folder(t)
  const { sink } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  const canary = 'sk-canary-0123456789'
  sink.next(started(1, { type: 'generation', attributes: { metadata: { api_key: canary, kept: 'yes' } } }))
  sink.next(
    ended(1, {
      generation: { usageSource: 'unknown', request: { customer_credentials: { openai: canary }, seed: 7 } },
    }),
  )
  const text = readFileSync(segments(directory)[0] ?? '', 'utf8')
  t.false(text.includes(canary))
  t.true(text.includes('"kept":"yes"') && text.includes('"seed":7'))
})

for (const strength of STRENGTHS)
  test(`a torn last line is skipped, counted and reported; the others are delivered, ${strength}`, async (t) => {
    const directory = folder(t)
    // What does not fit into the queue is all that `on-failure` writes by itself.
    const first = rig(t, undefined, { maxQueueBytes: 1, spool: fileSpool(directory, { strength }) })
    finish(first.sink, 1, 2, 3)
    const [path = ''] = segments(directory)
    truncateSync(path, statSync(path).size - 20)
    abandonOwner(directory)
    const { time, sink, sent, warnings } = rig(t, undefined, { spool: fileSpool(directory) })
    const flushed = sink.flush()
    await time.settle()
    time.pass(1_000)
    await flushed
    t.deepEqual(sentBy(sent), [1, 2])
    t.like(sink.stats(), { accepted: 3, delivered: 2, dropped: 1 })
    t.true(warnings.some(({ message }) => message.includes('1 spooled span dropped: damaged on disk')))
  })

/** A spool that reads one microtask later. */
const slow = (spool: Spool): Spool => ({
  ...spool,
  open: (host) => {
    const store = spool.open(host)
    return { ...store, read: (places) => store.read(places).pipe(delayWhen(() => Promise.resolve())) }
  },
})

/** A spool that is full as long as it is told to be, and counts how often it was asked to write. */
const fullDisk = (strength: Spool['strength']) => {
  const state = { writes: 0 }
  const broken: { write?: SpoolStore['write'] } = {
    write: () => {
      state.writes++
      throw new Error('ENOSPC: no space left on device, write')
    },
  }
  const free = (): void => {
    delete broken.write
  }
  return { state, free, spool: memorySpool(broken, strength) }
}

for (const strength of STRENGTHS)
  test(`a full disk is tried once in a while, not with every span, and once more at the end, ${strength}`, async (t) => {
    const { state, free, spool } = fullDisk(strength)
    const policy = { maxDelay: 100_000, maxQueueSize: 10, maxBatchSize: 4, flushTimeout: 500 }
    const { time, sink } = rig(t, () => NEVER, { ...policy, spool })
    finish(sink, ...range(1, 100))
    t.is(state.writes, 1)
    t.like(sink.stats(), { queued: 10, dropped: 90 })
    time.pass(1_000)
    finish(sink, ...range(101, 200))
    t.is(state.writes, 2)
    const before = sink.stats()
    free()
    const closed = sink.close()
    await time.settle()
    time.pass(500)
    await closed
    const { queued, inFlight, dropped } = before
    t.like(sink.stats(), { queued: 0, inFlight: 0, dropped, spooled: queued + inFlight })
  })

test('what is spooled at the end is tried once, however much it is', async (t) => {
  const { state, spool } = fullDisk('on-failure')
  const { time, sink } = rig(t, () => NEVER, { flushTimeout: 500, spool })
  finish(sink, ...range(1, 1_000))
  const closed = sink.close()
  await time.settle()
  t.is(state.writes, 1)
  time.pass(500)
  await closed
  t.is(state.writes, 2)
  t.like(sink.stats(), { dropped: 1_000 })
})

test('a span that is too large for the spool keeps none of the others from it', async (t) => {
  const spool = fileSpool(folder(t), { maxBytes: 65_536 })
  const { time, sink, warnings } = rig(t, () => status(503), { spool, flushTimeout: 100 })
  finish(sink, 1)
  sink.next(started(2, { input: 'x'.repeat(40_000) }))
  sink.next(ended(2))
  finish(sink, 3)
  const closed = sink.close()
  await time.settle()
  time.pass(100)
  await closed
  t.like(sink.stats(), { spooled: 2, dropped: 1 })
  t.regex(warnings.map(({ message }) => message).join(), /A span of \d+ bytes is too large for the spool/)
})

test('a batch that a full disk did not take has its attempts behind it', (t) => {
  const { spool } = fullDisk('on-failure')
  const policy = { maxQueueSize: 2, retry: { count: 2, delay: 10_000 }, spool }
  const { time, sink, sent } = rig(t, () => status(503), policy)
  finish(sink, 1, 2)
  for (const number of range(3, 80)) {
    time.pass(500)
    finish(sink, number)
  }
  t.is(sent.filter(({ spans }) => spans.includes(1)).length, 3)
})

for (const [how, wrap] of [
  ['at once', (spool: Spool) => spool],
  ['later', slow],
] as const)
  test(`spans that are unreadable batch after batch keep nobody from the readable ones, ${how}`, async (t) => {
    const directory = folder(t)
    const first = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
    finish(first.sink, ...range(1, 7))
    abandonOwner(directory)
    const [path = ''] = segments(directory)
    const lines = readFileSync(path, 'utf8').split('\n')
    // As another version may have written them.
    const damaged = lines.map((line, index) => (index < 5 ? line.replace('"ok"', '"fine"') : line))
    writeFileSync(path, damaged.join('\n'))
    const { time, sink, sent } = rig(t, undefined, { maxBatchSize: 2, spool: wrap(fileSpool(directory)) })
    const flushed = sink.flush()
    await time.settle()
    t.like(await flushed, { _tag: 'Left', left: { report: { delivered: 2, dropped: 5, spooled: 0 } } })
    t.deepEqual(sentBy(sent), [6, 7])
    t.like(sink.stats(), { accepted: 7, delivered: 2, dropped: 5 })
    await sink.close()
    t.deepEqual(readdirSync(directory), [])
  })

testProp(
  'law: whatever becomes of the bytes of a file, the sink goes on, and what it delivers was written',
  [
    fc.array(fc.tuple(fc.nat({ max: 3_000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 20 }),
    fc.uint8Array({ maxLength: 40 }),
  ],
  async (t, changes, tail) => {
    const directory = folder(t)
    const first = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
    finish(first.sink, ...range(1, 10))
    const [path = ''] = segments(directory)
    const bytes = readFileSync(path)
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte
    writeFileSync(path, bytes)
    appendFileSync(path, tail)
    abandonOwner(directory)
    const { time, sink, sent } = rig(t, undefined, { spool: fileSpool(directory) })
    const flushed = sink.flush()
    await time.settle()
    time.pass(60_000)
    await flushed
    finish(sink, 99)
    time.pass(60_000)
    t.true(sentBy(sent).includes(99))
    t.like(sink.stats(), { queued: 0, inFlight: 0, spooled: 0 })
    t.is(accounted(sink), sink.stats().accepted)
    await sink.close()
    await first.sink.close()
    t.deepEqual(readdirSync(directory), [])
  },
  { numRuns: 40 },
)

test('numbers of any size in a damaged file take no longer than others', (t) => {
  const path = join(mkdtempSync(join(root, 'test-')), 'damaged')
  const line = (index: number): string => `{"i":${index},"at":1,"span":{"traceId":"a"}}\n`
  writeFileSync(path, `${line(0)}${line(3)}${line(9e15)}{"done":[[1,8e15],[9e15,9e15]]}\n`)
  const { segment, damaged } = openSegment(path)
  t.deepEqual(
    segment.places().map(({ index }) => index),
    [0],
  )
  t.is(damaged, 0)
  segment.close()
})

test('a line whose span is none is damaged', (t) => {
  const path = join(mkdtempSync(join(root, 'test-')), 'damaged')
  const spans = ['null', '{}', '{"traceId":7}', '{"traceId":"a"}']
  writeFileSync(path, spans.map((span, index) => `{"i":${index},"at":1,"span":${span}}\n`).join(''))
  const { segment, damaged } = openSegment(path)
  t.is(damaged, 3)
  t.deepEqual(
    segment.places().map((place) => segment.read(place)),
    ['{"traceId":"a"}'],
  )
  segment.close()
})

test('files that are not its own are left alone', async (t) => {
  const directory = folder(t)
  mkdirSync(directory)
  writeFileSync(join(directory, 'notes.ndjson'), '{"i":0}\n')
  writeFileSync(join(directory, 'other.lock'), '')
  const { time, sink } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(sink, 1)
  time.pass(1_000)
  await sink.close()
  t.deepEqual(readdirSync(directory).sort(), ['notes.ndjson', 'other.lock'])
})

interface Impostor {
  readonly make: (path: string, elsewhere: string) => void
  readonly told: string
}

const IMPOSTORS: Readonly<Record<string, Impostor>> = {
  'a folder': { make: (path) => mkdirSync(path), told: 'EISDIR' },
  'a link': { make: (path, elsewhere) => symlinkSync(elsewhere, path), told: 'ELOOP' },
  'a pipe': { make: (path) => execFileSync('mkfifo', [path]), told: 'A segment is not a regular file.' },
}

for (const [what, { make, told }] of Object.entries(IMPOSTORS))
  test(`${what} in place of a file is told, and keeps nobody from delivering the others`, async (t) => {
    const directory = folder(t)
    const first = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
    finish(first.sink, 1, 2)
    abandonOwner(directory)
    const [path = ''] = segments(directory)
    const elsewhere = join(directory, '..', 'elsewhere')
    copyFileSync(path, elsewhere)
    // Older than the other one, so that it is found first.
    make(path.replace(/[^/]{9}(?=-[^/]*$)/, '000000000'), elsewhere)
    const { time, sink, sent, warnings } = rig(t, undefined, { spool: fileSpool(directory) })
    const flushed = sink.flush()
    await time.settle()
    time.pass(1_000)
    t.like(await flushed, { _tag: 'Right', right: { delivered: 2 } })
    t.deepEqual(sentBy(sent), [1, 2])
    t.true(warnings.some(({ message }) => message.includes(`the spool failed: Error: ${told}`)))
    t.false(readFileSync(elsewhere, 'utf8').includes('done'))
  })

// Linux alone tells which files a process has open.
const OPEN_FILES = '/proc/self/fd'

if (existsSync(OPEN_FILES))
  test('no file stays open once it is done with', async (t) => {
    const directory = folder(t)
    const open = (): ReadonlyArray<string> =>
      readdirSync(OPEN_FILES).flatMap((file) => {
        try {
          const path = readlinkSync(join(OPEN_FILES, file))
          return path.startsWith(directory) ? [path] : []
        } catch {
          // The one that the folder of them was read with.
          return []
        }
      })
    const left = rig(t, () => status(503), {
      ...GIVES_UP,
      spool: fileSpool(directory, { strength: 'always' }),
    })
    finish(left.sink, ...range(1, 5))
    t.is(open().length, 2)
    const closed = left.sink.close()
    await left.time.settle()
    left.time.pass(60_000)
    await closed
    t.deepEqual(open(), [])
    t.is(segments(directory).length, 1)
    const { time, sink } = rig(t, undefined, { spool: fileSpool(directory) })
    const flushed = sink.flush()
    await time.settle()
    time.pass(1_000)
    await flushed
    t.deepEqual(segments(directory), [])
    t.is(open().length, 1)
    await sink.close()
    t.deepEqual(open(), [])
  })

test('a flush after the sink was closed is done at once, and says what is on the disk', async (t) => {
  const { time, sink } = rig(t, () => status(503), { ...GIVES_UP, spool: fileSpool(folder(t)) })
  finish(sink, 1, 2)
  const closed = sink.close()
  await time.settle()
  time.pass(1_000)
  await closed
  const outcome = await sink.flush()
  t.true(isLeft(outcome))
  if (isRight(outcome)) return
  t.like(outcome.left.report, { spooled: 2, queued: 0 })
  t.is(outcome.left.failures[0]?.error.message, 'The sink was closed.')
})

test('a spool that never answers delays a flush by half of its time', async (t) => {
  const store = { write: () => [], read: () => NEVER, remove: () => undefined, close: () => undefined }
  const open = (): SpoolStore => ({ ...store, adopt: () => NEVER })
  const { time, sink, sent } = rig(t, undefined, {
    flushTimeout: 1_000,
    spool: { name: 'hangs', strength: 'on-failure', open },
  })
  for (const [number, end] of [
    [1, sink.flush],
    [2, sink.close],
  ] as const) {
    finish(sink, number)
    const done = end()
    await time.settle()
    time.pass(500)
    await time.settle()
    t.like(await done, { _tag: 'Right', right: { delivered: 1 } })
  }
  t.deepEqual(sentBy(sent), [1, 2])
})

test('a folder that cannot be made is told, and then it is as if there were none', async (t) => {
  const directory = folder(t)
  writeFileSync(directory, 'a file')
  const { time, sink, warnings } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(sink, 1, 2)
  time.pass(1_000)
  t.is(sink.stats().delivered, 2)
  t.regex(warnings[0]?.message ?? '', /test: the spool failed: Error: (EEXIST|ENOTDIR)/)
  t.true(isRight(await sink.close()))
})

test('a folder that goes away is made again', async (t) => {
  const directory = folder(t)
  const { time, sink } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(sink, 1)
  rmSync(directory, { recursive: true })
  time.pass(1_000)
  t.is(sink.stats().delivered, 1)
  const { sink: other } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(other, 2)
  t.is(segments(directory).length, 1)
  await sink.close()
})

for (const rest of [0, 1])
  test(`a folder that is removed with spans in it, ${rest} to come: what is lost is told, and the next one delivers what counts as spooled`, async (t) => {
    const directory = folder(t)
    const { state, answers } = outage()
    const policy = { ...GIVES_UP, spool: fileSpool(directory) }
    const { time, sink, warnings } = rig(t, answers, policy)
    finish(sink, ...range(1, 3))
    time.pass(100)
    t.is(sink.stats().spooled, 3)
    rmSync(directory, { recursive: true })
    finish(sink, ...range(4, 3 + rest))
    const closed = sink.close()
    await time.settle()
    time.pass(60_000)
    await closed
    const { accepted, spooled, dropped } = sink.stats()
    t.deepEqual([accepted, spooled + dropped], [3 + rest, 3 + rest])
    if (dropped > 0) t.regex(warnings.map(({ message }) => message).join(), /dropped: the folder was removed/)
    state.isDown = false
    const next = rig(t, undefined, policy)
    const flushed = next.sink.flush()
    await next.time.settle()
    next.time.pass(1_000)
    t.like(await flushed, { right: { delivered: spooled } })
    await next.sink.close()
  })

test('always: a span is on the disk also when the folder was removed just now', (t) => {
  const directory = folder(t)
  const { sink } = rig(t, () => NEVER, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(sink, 1)
  rmSync(directory, { recursive: true })
  finish(sink, 2)
  t.is(segments(directory).length, 1)
  void sink.close()
})

test('what JSON refuses is named, on the disk too: a process that dies loses nothing by it', async (t) => {
  const directory = folder(t)
  const spool = { spool: fileSpool(directory, { strength: 'always' }) }
  const metadata = { count: 1n, when: new Date(0), map: new Map([[1, 2]]), bad: Number.NaN }
  const gone = rig(t, outage().answers, spool)
  gone.sink.next(started(1, { attributes: { metadata, properties: { big: 2n } } }))
  gone.sink.next(ended(1))
  abandonOwner(directory)
  const arrived: Array<Span> = []
  const sink = bufferedSink((batch) => {
    arrived.push(...batch)
    return of({ rejected: [] })
  }, spool)
  await sink.close()
  t.like(arrived.map(toSpanPayload)[0], {
    metadata: { count: '1', when: '1970-01-01T00:00:00.000Z', map: '[[1,2]]', bad: 'NaN' },
    properties: { big: '2' },
  })
})

/** What a child says none of whose files can grow beyond 8 KiB at most, as if its disk were full. */
const onFullDisk = (child: string, env: Record<string, string>): string => {
  const path = fileURLToPath(new URL(`../../test/fixtures/exits/${child}`, import.meta.url))
  const limited = ['-c', 'ulimit -f 8 && exec "$0" "$1"', process.execPath, path]
  return spawnSync('/bin/sh', limited, { env, encoding: 'utf8' }).stdout.trim()
}

test('a segment whose disk is full goes when all of it was delivered, and nobody sends it again', (t) => {
  const directory = folder(t)
  const first = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  for (const number of range(1, 20)) {
    first.sink.next(started(number, { input: 'x'.repeat(1_000) }))
    first.sink.next(ended(number))
  }
  abandonOwner(directory)
  t.is(onFullDisk('full.mjs', { SPOOL: directory }), '20 delivered')
  t.deepEqual(segments(directory), [])
})

test('of what a full disk took a part only, nothing is found that was counted as lost', async (t) => {
  const directory = folder(t)
  const { port } = await deadPort(t)
  const spooled = Number(
    onFullDisk('outgrown.mjs', {
      SPOOL: directory,
      STRENGTH: 'always',
      BASE_URL: `http://127.0.0.1:${port}`,
    }),
  )
  t.true(spooled > 0 && spooled < 100, `${spooled} of 100`)
  const { sink, warnings } = rig(t, undefined, { spool: fileSpool(directory) })
  await sink.close()
  t.like(sink.stats(), { accepted: spooled, delivered: spooled })
  t.deepEqual(warnings, [])
})

/** The disk takes ten bytes of the next text, and then none, while something is done. */
const whileFull = (work: () => void, replaced: Partial<typeof fs>): void => {
  const { writeSync, ftruncateSync } = fs
  let writes = 0
  Object.assign(fs, {
    writeSync: (file: number, bytes: Uint8Array) => {
      if (++writes === 1) return writeSync(file, bytes, 0, 10)
      replaced.writeSync?.(file, bytes)
      throw new Error('ENOSPC: no space left on device, write')
    },
    ...(replaced.ftruncateSync === undefined ? {} : { ftruncateSync: replaced.ftruncateSync }),
  })
  syncBuiltinESMExports()
  try {
    work()
  } finally {
    Object.assign(fs, { writeSync, ftruncateSync })
    syncBuiltinESMExports()
  }
}

const record = (traceId: string) => ({ traceId, text: JSON.stringify({ traceId }) })

test.serial('a disk that is too full even to be cut has a torn line, and those after it are whole', (t) => {
  const directory = folder(t)
  mkdirSync(directory)
  const path = join(directory, 'segment')
  const segment = createSegment(path)
  segment.append([record('a')], 1)
  const ftruncateSync = (): never => {
    throw new Error('ENOSPC: no space left on device, ftruncate')
  }
  whileFull(() => t.throws(() => segment.append([record('b')], 1)), { ftruncateSync })
  const [place] = segment.append([record('c')], 1)
  t.is(place && segment.read(place), record('c').text)
  const found = openSegment(path)
  t.deepEqual(
    found.segment.places().map(({ traceId }) => traceId),
    ['a', 'c'],
  )
  t.is(found.damaged, 1)
  for (const one of [segment, found.segment]) one.close()
})

test.serial('a disk that is too full to note what was removed is told, and keeps the rest', (t) => {
  const { store, failures } = openSpool(fileSpool(folder(t)))
  const [a, b] = store.write([record('a'), record('b')])
  whileFull(() => store.remove(a === undefined ? [] : [a]), {})
  t.deepEqual(
    failures.map((error) => error instanceof Error && error.message),
    ['ENOSPC: no space left on device, write'],
  )
  store.read(b === undefined ? [] : [b]).subscribe((texts) => t.deepEqual(texts, [record('b').text]))
  store.close()
})

test.serial('what somebody else has written meanwhile is not taken back', (t) => {
  const directory = folder(t)
  mkdirSync(directory)
  const path = join(directory, 'segment')
  const segment = createSegment(path)
  const { appendFileSync } = fs
  const theirs = (): number => {
    if (!readFileSync(path, 'utf8').includes('theirs')) appendFileSync(path, 'theirs')
    return 0
  }
  whileFull(() => t.throws(() => segment.append([record('a')], 1)), { writeSync: theirs })
  t.true(readFileSync(path, 'utf8').endsWith('theirs'))
  segment.close()
})

// ── bounds

/** Ten traces of ten spans with 1 KB each, whose spans come in turns. */
const traces = (sink: Sink, from: number, count: number): void => {
  for (const number of range(from, from + count - 1)) {
    const traceId = Math.floor((number - 1) / 10)
      .toString(16)
      .padStart(32, '0')
    sink.next(started(number, { traceId, input: 'x'.repeat(1_000) }))
    sink.next(ended(number, { traceId }))
  }
}

for (const strength of STRENGTHS)
  test(`the oldest segments are given up when there is no more room: whole traces, counted and reported, ${strength}`, async (t) => {
    const directory = folder(t)
    const { state, answers } = outage()
    const { time, sink, sent, warnings } = rig(t, answers, {
      maxQueueSize: 10,
      maxBatchSize: 10,
      spool: fileSpool(directory, { strength, maxBytes: 131_072 }),
    })
    traces(sink, 1, 400)
    t.true(sizeOf(directory) <= 131_072, `${sizeOf(directory)} bytes`)
    const { spooled, dropped, accepted } = sink.stats()
    t.is(accepted, 400)
    t.true(spooled > 50 && dropped > 200)
    t.is(accounted(sink), 400)
    const lost = warnings.filter(({ message }) => message.includes('no room left in the spool'))
    t.is(lost.length, 1)
    state.isDown = false
    const flushed = sink.flush()
    await time.settle()
    time.pass(60_000)
    await flushed
    const delivered = sentBy(sent.filter(({ at }) => at > 0 || !state.isDown))
    // Those that are left are the newest, and their traces are whole.
    t.is(delivered.length, 400 - sink.stats().dropped)
    t.deepEqual(delivered, range(401 - delivered.length, 400))
    t.is(delivered.length % 10, 0)
  })

test('a span that is larger than a segment finds its room made as well', (t) => {
  const directory = folder(t)
  const { sink } = rig(t, () => status(503), {
    spool: fileSpool(directory, { strength: 'always', maxBytes: 65_536 }),
  })
  for (const number of range(1, 100)) {
    sink.next(started(number, { traceId: `trace ${number}`, input: 'x'.repeat(900) }))
    sink.next(ended(number, { traceId: `trace ${number}` }))
  }
  sink.next(started(101, { input: 'x'.repeat(31_000) }))
  sink.next(ended(101))
  t.true(sizeOf(directory) <= 65_536 + 8_192, `${sizeOf(directory)} bytes`)
})

test('what a span takes besides its text counts as well, however small it is', (t) => {
  const directory = folder(t)
  const { store } = openSpool(fileSpool(directory, { maxBytes: 65_536 }))
  const written = store.write(range(1, 1_000).map(() => record('a')))
  t.true(written.length > 50, `${written.length} spans`)
  t.true(sizeOf(directory) <= 8_192, `${sizeOf(directory)} bytes`)
  store.close()
})

test('where others have taken the room, nothing is given up for a span that there is no room for', (t) => {
  const directory = folder(t)
  const spool = fileSpool(directory, { strength: 'always', maxBytes: 65_536 })
  const mine = rig(t, () => status(503), { spool })
  const others = rig(t, () => status(503), { spool })
  const finishLarge = (sink: Sink, number: number, length: number): void => {
    sink.next(started(number, { traceId: `trace ${number}`, input: 'x'.repeat(length) }))
    sink.next(ended(number, { traceId: `trace ${number}` }))
  }
  finishLarge(mine.sink, 1, 6_000)
  for (const number of range(2, 7)) finishLarge(others.sink, number, 6_000)
  const before = segments(directory)
  finishLarge(mine.sink, 8, 30_000)
  t.deepEqual(segments(directory), before)
  t.regex(mine.warnings[0]?.message ?? '', /The spool is full: other processes use \d+ of its 65536 bytes/)
})

test('what has gone is no room of its own that it could give up', (t) => {
  const directory = folder(t)
  const large = { traceId: 'a', text: JSON.stringify({ traceId: 'a', input: 'x'.repeat(7_000) }) }
  const mine = openSpool(fileSpool(directory, { maxBytes: 65_536 }))
  for (const _ of range(1, 8)) mine.store.remove(mine.store.write([large]))
  mine.store.write([large])
  const others = openSpool(fileSpool(directory, { maxBytes: 65_536 }))
  for (const _ of range(1, 6)) others.store.write([large])
  const larger = { traceId: 'b', text: JSON.stringify({ traceId: 'b', input: 'x'.repeat(30_000) }) }
  t.throws(() => mine.store.write([larger]), { message: /^The spool is full: other processes use/ })
  t.deepEqual(mine.evicted, [])
  for (const { store } of [mine, others]) store.close()
})

for (const strength of STRENGTHS)
  test(`what is too old is given up, by whoever finds it, ${strength}`, async (t) => {
    const directory = folder(t)
    let now = 1_000_000
    const clock = { now: () => now }
    const first = rig(t, undefined, {
      spool: fileSpool(directory, { strength: 'always', clock, maxAge: 1_000 }),
    })
    finish(first.sink, 1)
    abandonOwner(directory)
    now += 500
    const second = rig(t, undefined, {
      spool: fileSpool(directory, { strength: 'always', clock, maxAge: 1_000 }),
    })
    finish(second.sink, 2)
    abandonOwner(directory)
    now += 700
    const { time, sink, sent, warnings } = rig(t, undefined, {
      spool: fileSpool(directory, { strength, clock, maxAge: 1_000 }),
    })
    const flushed = sink.flush()
    await time.settle()
    time.pass(1_000)
    t.true(isRight(await flushed))
    t.deepEqual(sentBy(sent), [2])
    t.like(sink.stats(), { accepted: 2, delivered: 1, dropped: 1 })
    t.true(warnings.some(({ message }) => message.includes('dropped: too old')))
  })

test('who writes gives up what has become too old of its own', (t) => {
  const directory = folder(t)
  let now = 1_000_000
  const { store, evicted } = openSpool(fileSpool(directory, { clock: { now: () => now }, maxAge: 1_000 }))
  store.write([record('a')])
  now += 900
  store.write([record('b')])
  t.is(segments(directory).length, 2)
  now += 900
  store.write([record('c')])
  t.deepEqual(evicted, [[['a'], 'too old']])
  t.is(segments(directory).length, 2)
  store.close()
})

test('a segment whose time is over goes, if nothing is in it, with the next one', (t) => {
  const directory = folder(t)
  let now = 1_000_000
  const { store, evicted } = openSpool(fileSpool(directory, { clock: { now: () => now }, maxAge: 1_000 }))
  store.remove(store.write([record('a')]))
  now += 900
  store.write([record('b')])
  t.is(segments(directory).length, 1)
  t.deepEqual(evicted, [])
  store.close()
})

for (const [path, options] of [
  ['strength', { strength: 'sometimes' }],
  ['maxBytes', { maxBytes: 10 }],
  ['maxAge', { maxAge: 0 }],
] as const)
  test(`a wrong ${path} is an InvalidInput`, (t) => {
    // @ts-expect-error -- as from JavaScript
    const error = t.throws(() => fileSpool('x', options), { instanceOf: InvalidInput })
    t.is(error?.path, path)
  })

test('a folder without a name is an InvalidInput', (t) => {
  // What a caller without types can give.
  for (const [directory, found] of [
    ['', 'string(0 characters)'],
    [' ', 'string(1 character)'],
    [7, 'number 7'],
    [undefined, 'undefined'],
  ] as const)
    t.throws(() => fileSpool(anything(directory)), {
      instanceOf: InvalidInput,
      message: `fileSpool: directory: expected the path of a folder, found ${found}.`,
    })
  t.throws(() => fileSpool('x', anything({ clock: { now: 1 } })), {
    message: 'fileSpool: clock.now: expected a function, found number 1.',
  })
})

// ── sharing

test('sinks that share a folder deliver their own spans, and nobody sends one twice', async (t) => {
  const directory = folder(t)
  const { state, answers } = outage()
  const sinks = range(0, 3).map(() => rig(t, answers, { ...GIVES_UP, spool: fileSpool(directory) }))
  sinks.forEach(({ sink }, index) => {
    finish(sink, ...range(index * 100 + 1, index * 100 + 50))
  })
  for (const { time } of sinks) time.pass(100)
  for (const { sink } of sinks) t.like(sink.stats(), { accepted: 50, delivered: 0, dropped: 0 })
  t.is(segments(directory).length, 4)
  state.isDown = false
  const before = sinks.map(({ sent }) => sent.length)
  for (const { time } of sinks) time.pass(60_000)
  sinks.forEach(({ sent }, index) => {
    t.deepEqual(sentBy(sent.slice(before[index])), range(index * 100 + 1, index * 100 + 50))
  })
  await Promise.all(sinks.map(({ sink }) => sink.close()))
  t.deepEqual(readdirSync(directory), [])
})

test('what a dead one left is taken over by one of several, once', async (t) => {
  const directory = folder(t)
  const dead = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(dead.sink, ...range(1, 50))
  abandonOwner(directory)
  const heirs = range(0, 3).map(() => rig(t, undefined, { spool: fileSpool(directory) }))
  const flushed = heirs.map(({ sink }) => sink.flush())
  for (const { time } of heirs) await time.settle()
  for (const { time } of heirs) time.pass(1_000)
  await Promise.all(flushed)
  t.deepEqual(
    heirs.flatMap(({ sent }) => sentBy(sent)),
    range(1, 50),
  )
  t.deepEqual(segments(directory), [])
})

/** Leaves files of one span each in a folder, as if each were of another process that has died. */
const leaveBehind = (t: ExecutionContext, directory: string, count: number): void => {
  const { sink } = rig(t, undefined, { spool: fileSpool(directory, { strength: 'always' }) })
  finish(sink, 1)
  abandonOwner(directory)
  const [path = ''] = segments(directory)
  const text = readFileSync(path, 'utf8')
  rmSync(path)
  for (const number of range(1, count))
    writeFileSync(
      path.replace(/[^-]{12}(?=\.ndjson$)/, number.toString(16).padStart(12, '0')),
      text.replaceAll(idOf(1), idOf(number)),
    )
}

test('what many have left in a file each goes out in full batches', async (t) => {
  const directory = folder(t)
  leaveBehind(t, directory, 250)
  const { time, sink, sent, sizes } = rig(t, undefined, { spool: fileSpool(directory) })
  const flushed = sink.flush()
  await time.settle()
  t.like(await flushed, { _tag: 'Right', right: { delivered: 250 } })
  t.deepEqual(sizes(), [100, 100, 50])
  t.deepEqual(sentBy(sent), range(1, 250))
  await sink.close()
  t.deepEqual(readdirSync(directory), [])
})

test('several take over what many have left, each span once, and what is left in the meantime, too', (t) => {
  const directory = folder(t)
  leaveBehind(t, directory, 250)
  const [one, other] = [openSpool(fileSpool(directory)), openSpool(fileSpool(directory))]
  const adopted = ({ store }: typeof one): number => {
    let count = 0
    store.adopt().subscribe((places) => {
      count = places.length
    })
    return count
  }
  t.deepEqual([adopted(one), adopted(other)], [100, 100])
  const late = openSpool(fileSpool(directory))
  late.store.write([{ traceId: 'a', text: '{"traceId":"a"}' }])
  late.store.close()
  t.deepEqual([adopted(one), adopted(other), adopted(other), adopted(one)], [50, 1, 0, 0])
  one.store.close()
  other.store.close()
})

test('whoever was taken for dead waits no more for what others have taken over, and tells it', async (t) => {
  const directory = folder(t)
  const { state, answers } = outage()
  const policy = { ...GIVES_UP, spool: fileSpool(directory) }
  const { time, sink, warnings } = rig(t, answers, policy)
  finish(sink, ...range(1, 3))
  time.pass(1_000)
  t.is(sink.stats().spooled, 3)
  abandonOwner(directory)
  const heir = rig(t, undefined, policy)
  const taken = heir.sink.flush()
  await heir.time.settle()
  heir.time.pass(1_000)
  t.like(await taken, { right: { delivered: 3 } })
  state.isDown = false
  const now = time.now()
  const first = sink.flush()
  await time.settle()
  t.like(await first, { _tag: 'Right' })
  finish(sink, 4)
  const second = sink.flush()
  await time.settle()
  t.like(await second, { _tag: 'Right', right: { delivered: 1, spooled: 0 } })
  t.is(time.now(), now)
  t.is(accounted(sink), 4)
  t.regex(warnings.map(({ message }) => message).join(), /3 spooled spans left to another process/)
  await Promise.all([sink.close(), heir.sink.close()])
})

test('a flush that waits for spans on a disk ends when they are another process’s', async (t) => {
  let host: SpoolHost | undefined
  const places: Array<SpoolPlace> = []
  const store: SpoolStore = {
    write: (records) => {
      const written = records.map(({ traceId }) => ({ traceId, bytes: 1 }))
      places.push(...written)
      return written
    },
    read: () => NEVER,
    remove: () => undefined,
    adopt: () => of([]),
    close: () => undefined,
  }
  const open: Spool['open'] = (given) => {
    host = given
    return store
  }
  const spool: Spool = { name: 'silent', strength: 'on-failure', open }
  const { time, sink } = rig(t, outage().answers, { ...GIVES_UP, spool })
  finish(sink, 1, 2)
  time.pass(1_000)
  t.is(sink.stats().spooled, 2)
  const now = time.now()
  const flushed = sink.flush()
  await time.settle()
  host?.ceded(places)
  t.like(await flushed, {
    _tag: 'Left',
    left: {
      failures: [
        { error: { message: 'Another process assumed that this one had died, and took over its spool.' } },
      ],
      report: { spooled: 2, queued: 0, dropped: 0 },
    },
  })
  t.is(time.now(), now)
})

/** Opens a spool as a sink would, and keeps what it is told. */
const openSpool = (spool: Spool) => {
  const ceded: Array<SpoolPlace> = []
  const evicted: Array<readonly [traceIds: ReadonlyArray<string>, why: string]> = []
  const lost: Array<readonly [count: number, why: string]> = []
  const failures: Array<unknown> = []
  const host: SpoolHost = {
    evicted: (places, why) => {
      evicted.push([places.map(({ traceId }) => traceId), why])
    },
    ceded: (places) => {
      ceded.push(...places)
    },
    lost: (count, why) => {
      lost.push([count, why])
    },
    failed: (_, error) => {
      failures.push(error)
    },
    wake: () => undefined,
  }
  return { store: spool.open(host), ceded, evicted, lost, failures }
}

/** How many spans of others a spool may take over. */
const adoptable = (spool: Spool): number => {
  const { store } = openSpool(spool)
  let found = 0
  store.adopt().subscribe((places) => {
    found = places.length
  })
  store.close()
  return found
}

/** A folder with a span that somebody wrote, who has said that it lives some ms ago. */
const writtenBy = (t: ExecutionContext, id: string, silence: number): string => {
  const directory = folder(t)
  mkdirSync(directory)
  writeFileSync(join(directory, `000000000-0.${id}.ndjson`), '{"i":0,"at":1,"span":{"traceId":"a"}}\n')
  const lock = join(directory, `${id}.lock`)
  writeFileSync(lock, '.')
  const at = new Date(Date.now() - silence)
  utimesSync(lock, at, at)
  return directory
}

const lockIn = (directory: string): string =>
  readdirSync(directory).find((name) => name.endsWith('.lock')) ?? ''

test('a living owner keeps its own, however long it is silent; one of another machine is dead after a minute', (t) => {
  const directory = folder(t)
  const living = openSpool(fileSpool(directory))
  living.store.write([{ traceId: 'a', text: '{"traceId":"a"}' }])
  const long = new Date(Date.now() - 3_600_000)
  utimesSync(join(directory, lockIn(directory)), long, long)
  t.is(adoptable(fileSpool(directory)), 0)
  const elsewhere = (silence: number): number =>
    adoptable(fileSpool(writtenBy(t, `00000000-1-1-${'0'.repeat(12)}`, silence), { clock: { now: () => 1 } }))
  t.is(elsewhere(30_000), 0)
  t.is(elsewhere(120_000), 1)
  living.store.close()
})

test('room is made first of what the dead left, also by one that has just been silent itself', (t) => {
  const directory = writtenBy(t, `00000000-1-1-${'0'.repeat(12)}`, 120_000)
  const [theirs = ''] = segments(directory)
  appendFileSync(theirs, `{"i":1,"at":1,"span":{"traceId":"${'a'.repeat(60_000)}"}}\n`)
  const { store, lost } = openSpool(fileSpool(directory, { maxBytes: 65_536, clock: { now: () => 1 } }))
  const ago = new Date(Date.now() - 90_000)
  for (const name of readdirSync(directory))
    if (name.endsWith('.lock') && !name.startsWith('00000000')) utimesSync(join(directory, name), ago, ago)
  const [place] = store.write([{ traceId: 'b', text: '{"traceId":"b"}' }])
  t.is(place?.traceId, 'b')
  t.deepEqual(lost, [[2, 'no room left in the spool']])
  t.is(segments(directory).length, 1)
  store.close()
})

test('a process is alive under any name', async (t) => {
  const directory = folder(t)
  const path = fileURLToPath(new URL('../../test/fixtures/exits/renamed.mjs', import.meta.url))
  const child = spawn(process.execPath, [path], {
    env: { SPOOL: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  t.is(adoptable(fileSpool(directory, { clock: { now: () => 1 } })), 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.is(adoptable(fileSpool(directory, { clock: { now: () => 1 } })), 1)
})

for (const [title, refusal, found] of [
  [
    'what a process of another user wrote is left alone',
    () => Object.assign(new Error('kill EPERM'), { code: 'EPERM' }),
    0,
  ],
  [
    'what a process of another user wrote is left alone, also where Jest runs a test',
    () => runInNewContext("Object.assign(new Error('kill EPERM'), { code: 'EPERM' })"),
    0,
  ],
  [
    'what a process wrote that runs no more is taken over',
    () => Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' }),
    1,
  ],
] as const)
  test.serial(title, (t) => {
    const pid = 4_194_305
    const { kill } = process
    process.kill = (other, signal) => {
      if (other === pid) throw refusal()
      return kill.call(process, other, signal)
    }
    t.teardown(() => {
      process.kill = kill
    })
    const own = folder(t)
    const { store } = openSpool(fileSpool(own))
    store.write([{ traceId: 'b', text: '{"traceId":"b"}' }])
    const machine = lockIn(own).split('-', 1).join('')
    store.close()
    const directory = writtenBy(t, `${machine}-${pid}-0-${'0'.repeat(12)}`, 3_600_000)
    t.is(adoptable(fileSpool(directory, { clock: { now: () => 1 } })), found)
  })

test('one that was taken for dead knows it, and does not touch what is no longer its own', (t) => {
  const directory = folder(t)
  const { store, ceded } = openSpool(fileSpool(directory))
  const [place] = store.write([{ traceId: 'a', text: '{"traceId":"a"}' }])
  abandonOwner(directory)
  const other = openSpool(fileSpool(directory))
  let taken: ReadonlyArray<SpoolPlace> = []
  other.store.adopt().subscribe((places) => {
    taken = places
  })
  t.is(taken.length, 1)
  store.adopt().subscribe()
  t.deepEqual(ceded, [place])
  store.remove(place === undefined ? [] : [place])
  other.store.read(taken).subscribe((texts) => t.deepEqual(texts, ['{"traceId":"a"}']))
  store.write([{ traceId: 'b', text: '{"traceId":"b"}' }])
  t.is(segments(directory).length, 2)
  store.close()
  other.store.close()
})

test('spans are ceded even when beginning anew fails for now', async (t) => {
  const directory = folder(t)
  const { state, answers } = outage()
  const { time, sink, sent, warnings } = rig(t, answers, { ...GIVES_UP, spool: fileSpool(directory) })
  finish(sink, 1, 2, 3)
  time.pass(100)
  t.is(sink.stats().spooled, 3)
  abandonOwner(directory)
  renameSync(directory, `${directory}-aside`)
  writeFileSync(directory, 'a file')
  // Looks for leftovers, and learns that its own are not its own any more.
  const failed = sink.flush()
  await time.settle()
  await failed
  rmSync(directory)
  renameSync(`${directory}-aside`, directory)
  state.isDown = false
  const before = sent.length
  const flushed = sink.flush()
  await time.settle()
  time.pass(1_000)
  t.like(await flushed, { _tag: 'Right', right: { delivered: 3 } })
  t.deepEqual(sentBy(sent.slice(before)), [1, 2, 3])
  // The three that were another one's, which it happened to be itself.
  t.like(sink.stats(), { accepted: 6, delivered: 3, spooled: 3, dropped: 0 })
  t.regex(warnings.map(({ message }) => message).join(), /3 spooled spans left to another process/)
  await sink.close()
})

test.serial('one that could not begin anew between two writes tells it', (t) => {
  const directory = folder(t)
  const { setInterval } = globalThis
  const beats: Array<() => void> = []
  Object.assign(globalThis, {
    setInterval: (beat: () => void, every: number) => {
      beats.push(beat)
      return setInterval(beat, every)
    },
  })
  t.teardown(() => Object.assign(globalThis, { setInterval }))
  const { store, failures } = openSpool(fileSpool(directory))
  abandonOwner(directory)
  renameSync(directory, `${directory}-aside`)
  writeFileSync(directory, 'a file')
  for (const beat of beats) t.notThrows(beat)
  t.deepEqual(
    failures.map((error) => error instanceof Error && error.message.split(':')[0]),
    ['EEXIST'],
  )
  store.close()
})

test('one that could not begin anew writes nothing under its old name', (t) => {
  const directory = folder(t)
  const { store } = openSpool(fileSpool(directory))
  const [old = ''] = readdirSync(directory)
  abandonOwner(directory)
  renameSync(directory, `${directory}-aside`)
  writeFileSync(directory, 'a file')
  t.throws(() => store.adopt())
  rmSync(directory)
  renameSync(`${directory}-aside`, directory)
  // One of these has the number that the lock's file had.
  const mine = range(1, 50).map(() => openSync(join(directory, 'mine'), 'w'))
  store.write([{ traceId: 'a', text: '{"traceId":"a"}' }])
  t.is(segments(directory).length, 1)
  t.false(segments(directory).some((path) => path.includes(old.replace('.lock', ''))))
  t.is(new Set(mine.map((file) => fstatSync(file).ino)).size, 1)
  for (const file of mine) closeSync(file)
  store.close()
})

const isTraced = (value: unknown): value is { readonly trace_unique_id: string } =>
  typeof value === 'object' &&
  value !== null &&
  'trace_unique_id' in value &&
  typeof value.trace_unique_id === 'string'

test('processes share a folder, one is killed: what they accepted is delivered, and once but for its last batch', async (t) => {
  const directory = folder(t)
  const server = await serve(t, (response) => sendJson(response, { message: 'ok' }))
  const path = fileURLToPath(new URL('../../test/fixtures/exits/share.mjs', import.meta.url))
  const children = range(1, 3).map((number) => {
    const child = spawn(process.execPath, [path], {
      env: { BASE_URL: server.url, SPOOL: directory, STRENGTH: 'always' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString()
      if (number === 1 && said.length > 33 * 40) child.kill('SIGKILL')
    })
    return once(child, 'close').then(() => said.split('\n').filter((line) => line.length === 32))
  })
  const accepted = (await Promise.all(children)).flat()
  t.true(accepted.length >= 640)
  const transport = respanTransport({ apiKey: 'a-key', baseUrl: server.url })
  await bufferedSink(transport, { spool: fileSpool(directory) }).close()
  const got = server.received.flatMap(({ body }) => {
    const spans: unknown = JSON.parse(body)
    return Array.isArray(spans) ? spans.filter(isTraced).map(({ trace_unique_id: id }) => id) : []
  })
  const all = new Set(got)
  t.deepEqual(
    accepted.filter((id) => !all.has(id)),
    [],
  )
  t.true(got.length - all.size <= 10)
  t.deepEqual(readdirSync(directory), [])
})

// ── laws

type Step =
  | { readonly _tag: 'finish'; readonly count: number; readonly size: number }
  | { readonly _tag: 'pass'; readonly ms: number }
  | { readonly _tag: 'flush' | 'close' | 'crash' | 'outage' | 'back' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      _tag: fc.constant('finish' as const),
      count: fc.integer({ min: 1, max: 15 }),
      size: fc.constantFrom(0, 100, 3_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ _tag: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constantFrom(
        'flush' as const,
        'close' as const,
        'crash' as const,
        'outage' as const,
        'back' as const,
      ),
    }),
  },
)

const policies: fc.Arbitrary<BufferPolicy> = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 10 }),
  maxQueueSize: fc.integer({ min: 1, max: 30 }),
  maxQueueBytes: fc.constantFrom(3_000, 1_000_000),
  overflow: fc.constantFrom('drop-newest' as const, 'drop-oldest' as const),
  maxInFlight: fc.integer({ min: 1, max: 3 }),
  retry: fc.record({ count: fc.integer({ min: 0, max: 3 }), delay: fc.constantFrom(0, 100, 1_000) }),
  flushTimeout: fc.constantFrom(0, 100, 10_000),
})

/** Nothing has to be given up for want of room. */
const ROOMY = 16 * 2 ** 20

const spools: fc.Arbitrary<FileSpoolOptions> = fc.record({
  strength: fc.constantFrom('on-failure' as const, 'always' as const),
  maxBytes: fc.constantFrom(65_536, ROOMY),
})

testProp(
  'law: through outages and crashes every accepted span is delivered at least once, or counted',
  [policies, spools, fc.array(step, { maxLength: 25 }), fc.constantFrom(0, 10, 3_000)],
  async (t, policy, options, steps, delay) => {
    const directory = folder(t)
    const got = new Set<number>()
    const state = { isDown: false }
    const accepted: Array<number> = []
    const violations: Array<SinkStats> = []
    let counted = 0
    let lostInMemory = 0
    let number = 0
    const outcomes: Array<Promise<unknown>> = []

    const start = () => {
      const one = rig(
        t,
        (spans) =>
          new Observable<Receipt>((subscriber) =>
            of(undefined)
              .pipe(later(one.time, delay))
              .subscribe(() => {
                if (state.isDown) return subscriber.error(new NetworkError('test', {}))
                for (const span of spans) got.add(numberOf(span))
                subscriber.next({ rejected: [] })
              }),
          ),
        { ...policy, spool: fileSpool(directory, options) },
      )
      one.sink.stats$.subscribe((stats) => {
        const negative = Object.values(stats).some((count) => count < 0)
        if (negative || stats.accepted !== accounted(one.sink)) violations.push(stats)
      })
      return one
    }

    let current = start()
    const gone: Array<ReturnType<typeof start>> = []
    const end = (): void => {
      counted += current.sink.stats().dropped
      gone.push(current)
      current = start()
    }

    for (const one of steps)
      switch (one._tag) {
        case 'finish':
          for (let index = 0; index < one.count; index++) {
            current.sink.next(started(++number, { input: 'x'.repeat(one.size) }))
            current.sink.next(ended(number))
            accepted.push(number)
          }
          break
        case 'pass':
          current.time.pass(one.ms)
          break
        case 'flush':
          outcomes.push(current.sink.flush())
          await current.time.settle()
          break
        case 'close': {
          const closing = current.sink.close()
          await current.time.settle()
          current.time.pass(20_000)
          await closing
          end()
          break
        }
        case 'crash': {
          // Nothing runs any more: its virtual time stands still, and its files are anybody's.
          const { queued, inFlight } = current.sink.stats()
          // A copy that was given up for want of room is no loss while the span is in memory.
          if (options.strength === 'on-failure' || options.maxBytes !== ROOMY)
            lostInMemory += queued + inFlight
          abandonOwner(directory)
          end()
          break
        }
        default:
          state.isDown = one._tag === 'outage'
      }
    state.isDown = false
    // The next process, with room for everything.
    const last = current
    outcomes.push(last.sink.flush())
    await last.time.settle()
    last.time.pass(600_000)
    const closing = last.sink.close()
    await last.time.settle()
    last.time.pass(600_000)
    await closing
    counted += last.sink.stats().dropped
    t.deepEqual(violations, [])
    t.like(last.sink.stats(), { queued: 0, inFlight: 0, spooled: 0 })
    const missing = accepted.filter((id) => !got.has(id)).length
    t.true(
      missing <= counted + lostInMemory,
      `${missing} missing, ${counted} counted, ${lostInMemory} in memory`,
    )
    for (const { sink, time } of gone) {
      void sink.close()
      time.pass(1)
    }
    t.true(accepted.length === 0 || got.size > 0 || missing === accepted.length)
  },
  { numRuns: 100 },
)

const later =
  ({ scheduler }: ReturnType<typeof rig>['time'], ms: number) =>
  (source: Observable<undefined>): Observable<undefined> =>
    ms === 0 ? source : source.pipe(observeDelay(ms, scheduler))

// ── what is stored

testProp(
  'law: a stored span is read as it was written',
  [fc.string({ unit: 'binary' }), fc.jsonValue(), fc.double({ noNaN: true, noDefaultInfinity: true })],
  (t, text, json, time) => {
    expectTypeOf<StoredSpan>().toExtend<Span>()
    const span: Span = {
      traceId: 'a',
      spanId: 'b',
      parentId: 'c',
      name: text,
      type: 'generation',
      path: text,
      workflow: text,
      trace: text,
      startedAt: 1,
      firstOutputAt: 1.5,
      endedAt: 2,
      status: 'truncated',
      input: text,
      output: text,
      error: { tag: text, status: 500, message: text },
      leftEarly: true,
      generation: { usageSource: 'estimated', request: { json }, finishReasons: [null, text] },
      totals: {
        generations: 1,
        prompt_tokens: 1,
        completion_tokens: 2,
        total_tokens: 3,
        cost: Math.abs(time),
        estimated: true,
      },
      attributes: { metadata: { json } },
    }
    const line = storeSpan(span)
    t.false(line === undefined || line.includes('\n'))
    const read = restoreSpan(line ?? '')
    const { attributes, ...expected } = JSON.parse(JSON.stringify(span))
    const restored = read === undefined ? span : toSpan(read)
    const { attributes: _, ...actual } = restored
    t.deepEqual<unknown, unknown>(actual, expected)
    const sent = (one: Span): unknown => JSON.parse(JSON.stringify(toSpanPayload(one)))
    t.deepEqual(sent(restored), sent(span))
  },
)
