import test from 'ava'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import { EMPTY, from, NEVER, of, Subject, throwError } from 'rxjs'
import { MissingApiKey } from '../../dist/errors.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import type { Spool, SpoolHost, SpoolPlace, SpoolStore } from '../../dist/sinks/Spool.js'
import { storeSpan } from '../../dist/sinks/storeSpan.js'
import { rig, status } from '../helpers/buffer.js'
import { memorySpool } from '../helpers/memorySpool.js'
import { accounted, ended, finish, started } from '../helpers/spans.js'

const once = { count: 0 }

const unreadable: Readonly<Record<string, SpoolStore['read']>> = {
  throws: () => {
    throw new Error('unreadable')
  },
  fails: () => throwError(() => new Error('unreadable')),
}

for (const [how, read] of Object.entries(unreadable)) {
  test(`spans stay on a disk whose reading ${how}, until it does not`, async (t) => {
    const broken: { read?: SpoolStore['read'] } = { read }
    const spool = memorySpool(broken)
    const { time, sink, warnings, sizes } = rig(
      t,
      (_, attempt) => (attempt === 1 ? status(503) : undefined),
      {
        spool,
        retry: once,
      },
    )
    finish(sink, 1)
    time.pass(60_000)
    t.like(sink.stats(), { accepted: 1, spooled: 1, queued: 0, delivered: 0 })
    t.true(warnings.some(({ message }) => message === 'test: the spool failed: Error: unreadable'))
    delete broken.read
    t.true(isRight(await sink.flush()))
    t.like(sink.stats(), { spooled: 0, delivered: 1 })
    t.deepEqual(sizes(), [1, 1])
    t.is(accounted(sink), 1)
  })
}

const momentarily: Readonly<Record<string, SpoolStore['read']>> = {
  ...unreadable,
  'fails later': () => from(Promise.reject(new Error('unreadable'))),
}

for (const [how, read] of Object.entries(momentarily)) {
  test(`a flush reads a disk again whose reading ${how} once`, async (t) => {
    const broken: { read?: SpoolStore['read'] } = {}
    const spool = memorySpool(broken)
    const { time, sink } = rig(t, (_, attempt) => (attempt === 1 ? status(503) : undefined), {
      spool,
      retry: once,
    })
    finish(sink, 1, 2)
    time.pass(1_000)
    t.is(sink.stats().spooled, 2)
    broken.read = (places) => {
      delete broken.read
      return read(places)
    }
    t.true(isRight(await sink.flush()))
    t.like(sink.stats(), { spooled: 0, delivered: 2 })
  })
}

test('a disk is opened with the first span, so that it is ready when there is no time left', (t) => {
  let opened = 0
  const memory = memorySpool({})
  const open: Spool['open'] = (host) => {
    opened++
    return memory.open(host)
  }
  const { sink } = rig(t, undefined, { spool: { ...memory, open } })
  t.is(opened, 0)
  finish(sink, 1)
  t.is(opened, 1)
})

test('a disk that can not be read is not read over and over', async (t) => {
  let reads = 0
  const read: SpoolStore['read'] = () => {
    reads++
    return throwError(() => new Error('unreadable'))
  }
  const { time, sink } = rig(t, () => status(503), { spool: memorySpool({ read }), retry: once })
  finish(sink, 1)
  time.pass(1_000)
  const before = reads
  const flushed = sink.flush()
  await time.settle()
  time.pass(30_000)
  t.true(isLeft(await flushed))
  t.is(reads - before, 2)
})

test('a disk on which nobody can look for leftovers keeps no flush from its own spans', async (t) => {
  const adopt: SpoolStore['adopt'] = () => throwError(() => new Error('no leftovers'))
  const { sink, warnings } = rig(t, undefined, { spool: memorySpool({ adopt }) })
  finish(sink, 1)
  t.true(isRight(await sink.flush()))
  t.like(sink.stats(), { delivered: 1, queued: 0 })
  t.deepEqual(
    warnings.map(({ message }) => message),
    ['test: the spool failed: Error: no leftovers'],
  )
})

test('a disk that finds no leftovers, and does not say so, keeps no flush waiting', async (t) => {
  const { sink } = rig(t, undefined, { spool: memorySpool({ adopt: () => EMPTY }) })
  finish(sink, 1)
  t.true(isRight(await sink.flush()))
})

test('what a disk finds in its own time is sent when it is found, with nothing else to do', (t) => {
  const found = new Subject<ReadonlyArray<SpoolPlace>>()
  const places: Array<SpoolPlace> = []
  let host: SpoolHost | undefined
  const store = memorySpool({ adopt: () => (places.length === 0 ? of([]) : found) })
  const open: Spool['open'] = (given) => {
    host = given
    return store.open(given)
  }
  const { time, sink, sent } = rig(t, undefined, { spool: { ...store, open } })
  finish(sink, 1)
  time.pass(1_000)
  const memory = memorySink()
  finish(memory, 2)
  const records = memory.spans().map((span) => ({ traceId: span.traceId, text: storeSpan(span) ?? '' }))
  if (host !== undefined) places.push(...store.open(host).write(records))
  host?.wake()
  found.next(places)
  t.deepEqual(
    sent.map(({ spans }) => spans),
    [[1], [2]],
  )
  t.like(sink.stats(), { accepted: 2, delivered: 2, spooled: 0 })
})

test('a disk that does not say what is on it takes its half of a flush, and no more', async (t) => {
  const spool = memorySpool({ adopt: () => NEVER })
  const { time, sink } = rig(t, () => NEVER, { spool, flushTimeout: 2_000 })
  finish(sink, 1)
  let isOver = false
  const flushed = sink.flush().finally(() => {
    isOver = true
  })
  for (const ms of [1_000, 999]) {
    await time.settle()
    time.pass(ms)
  }
  await time.settle()
  t.false(isOver)
  time.pass(1)
  t.true(isLeft(await flushed))
})

test('what no key lets go out is on the disk, and is not asked for again at once', async (t) => {
  const noKey = throwError(() => new MissingApiKey('RESPAN_API_KEY'))
  const { time, sink, sizes } = rig(t, () => noKey, { spool: memorySpool({}) })
  finish(sink, 1)
  time.pass(1_000)
  t.deepEqual(sizes(), [1])
  t.like(sink.stats(), { spooled: 1, dropped: 0 })
})

test('a span that could not be read again is dropped, not written', async (t) => {
  const { time, sink } = rig(t, () => status(503), { spool: memorySpool({}), retry: once })
  const totals = { generations: 0, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
  Object.defineProperty(totals, 'generations', {
    get: () => {
      throw new Error('mine')
    },
  })
  sink.next(started(1))
  sink.next(ended(1, { totals }))
  sink.next(started(2, { at: Number.NaN }))
  sink.next(ended(2))
  finish(sink, 3)
  time.pass(1_000)
  t.like(sink.stats(), { accepted: 3, dropped: 2, spooled: 1 })
  t.is(accounted(sink), 3)
})

test('what is read from a disk when its sink is closed already stays there', async (t) => {
  const texts = new Subject<ReadonlyArray<string | undefined>>()
  const written: Array<string> = []
  const write: SpoolStore['write'] = (records) =>
    records.map(({ traceId, text }) => {
      written.push(text)
      return { traceId, bytes: text.length }
    })
  const spool = memorySpool({ write, read: () => texts })
  const { time, sink, sizes } = rig(t, () => status(503), { spool, retry: once })
  finish(sink, 1)
  time.pass(1_000)
  const closed = sink.close()
  await time.settle()
  time.pass(30_000)
  t.true(isLeft(await closed))
  texts.next(written)
  t.like(sink.stats(), { accepted: 1, spooled: 1, queued: 0, dropped: 0 })
  t.deepEqual([sizes(), written.length], [[1], 1])
})

test('a watcher of stats$ is told what a disk takes over, and what it loses', (t) => {
  let host: SpoolHost | undefined
  const memory = memorySpool({})
  const open: Spool['open'] = (given) => {
    host = given
    return memory.open(given)
  }
  const { time, sink } = rig(t, () => status(503), { spool: { ...memory, open }, retry: once })
  finish(sink, 1)
  time.pass(1_000)
  const seen: Array<ReadonlyArray<number>> = []
  sink.stats$.subscribe(({ accepted, spooled, dropped }) => seen.push([accepted, spooled, dropped]))
  host?.lost(2, 'they were damaged')
  t.deepEqual(seen, [
    [1, 1, 0],
    [3, 3, 0],
    [3, 1, 2],
  ])
})

test('a flush says what a disk lost in the meantime', async (t) => {
  let host: SpoolHost | undefined
  const memory = memorySpool({})
  const open: Spool['open'] = (given) => {
    host = given
    return memory.open(given)
  }
  const { time, sink } = rig(t, () => NEVER, { spool: { ...memory, open } })
  finish(sink, 1)
  const flushed = sink.flush()
  await time.settle()
  host?.lost(2, 'they were damaged')
  time.pass(30_000)
  const outcome = await flushed
  t.like(outcome, {
    _tag: 'Left',
    left: {
      failures: [{ error: { message: 'The spool lost spans: they were damaged.' } }],
      report: { dropped: 2 },
    },
  })
})
