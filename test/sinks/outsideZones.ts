import test from 'ava'
import { bufferedSink } from '../../dist/sinks/bufferedSink.js'
import type { SpoolRecord } from '../../dist/sinks/Spool.js'
import { taken } from '../helpers/buffer.js'
import { memorySpool } from '../helpers/memorySpool.js'
import { finish } from '../helpers/spans.js'

// With the real zone.js: tools/angular/test.mjs.
test('under zone.js, what a sink waits for, listens for and writes is in the root zone', async (t) => {
  let zone = 'angular'
  const seen: Array<readonly [what: string, zone: string]> = []
  /** A function that tells where it was called. */
  const telling =
    <A extends ReadonlyArray<unknown>, B>(what: string, fn: (...args: A) => B) =>
    (...args: A): B => {
      seen.push([what, zone])
      return fn(...args)
    }
  const run = <A>(fn: () => A): A => {
    const before = zone
    zone = 'root'
    try {
      return fn()
    } finally {
      zone = before
    }
  }
  const { setTimeout } = globalThis
  const nothing = (): void => undefined
  Object.assign(globalThis, {
    Zone: { root: { run } },
    document: { visibilityState: 'visible', addEventListener: telling('event', nothing) },
    setTimeout: telling('timer', (work: () => void, delay: number) => setTimeout(work, delay)),
  })
  t.teardown(() => {
    Object.assign(globalThis, { setTimeout })
    for (const key of ['Zone', 'document']) Reflect.deleteProperty(globalThis, key)
  })
  const { open, ...spool } = memorySpool(
    {
      write: telling('write', (records: ReadonlyArray<SpoolRecord>) =>
        records.map(({ traceId }) => ({ traceId, bytes: 1 })),
      ),
    },
    'always',
  )
  const sink = bufferedSink(() => taken, { spool: { ...spool, open: telling('open', open) } })
  finish(sink, 1)
  t.deepEqual(new Set(seen.map(([what]) => what)), new Set(['open', 'write', 'timer', 'event']))
  t.deepEqual(
    seen.filter(([, where]) => where !== 'root'),
    [],
  )
  await sink.close()
})
