import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { of } from 'rxjs'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { moduleFile } from '../helpers/moduleFile.js'

const run = promisify(execFile)

test('an id spells random bytes, eight for a span and sixteen for a trace, and is never all zero', (t) => {
  const random = crypto.getRandomValues
  t.teardown(() => {
    crypto.getRandomValues = random
  })
  const byteAt = (index: number): number => (index < 16 ? 0 : (index * 37) % 256)
  crypto.getRandomValues = (array) => {
    if (array instanceof Uint8Array) for (const index of array.keys()) array[index] = byteAt(index)
    return array
  }
  const sink = memorySink()
  of(1).pipe(respanTrace('T', { sink })).subscribe()
  const spelt = Buffer.from(Array.from({ length: 24 }, (_, index) => byteAt(16 + index))).toString('hex')
  t.like(sink.spans()[0], { traceId: spelt.slice(0, 32), spanId: spelt.slice(32) })
})

for (const [what, change] of [
  ['where there is no source of random bytes, as in React Native', 'delete globalThis.crypto'],
  [
    'where a test has replaced it by what it needs of it',
    "Reflect.defineProperty(globalThis, 'crypto', { value: { randomUUID: () => '1' } })",
  ],
] as const)
  test(`${what}, ids are random all the same`, async (t) => {
    const script = `
    import { memorySink, respanTrace } from 'respan-rx'
    import { range, mergeMap, of } from 'rxjs'
    ${change}
    const sink = memorySink()
    range(0, 1_000).pipe(mergeMap((n) => of(n).pipe(respanTrace('T', { sink })))).subscribe()
    console.log(JSON.stringify(sink.spans().map(({ traceId, spanId }) => [traceId, spanId])))`
    const ids: ReadonlyArray<readonly [string, string]> = JSON.parse(
      (await run(process.execPath, [moduleFile(t, script)])).stdout,
    )
    t.is(new Set(ids.flat()).size, 2_000)
    t.true(ids.every(([trace, span]) => /^[0-9a-f]{32}$/.test(trace) && /^[0-9a-f]{16}$/.test(span)))
  })
