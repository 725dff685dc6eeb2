import test from 'ava'
import { of } from 'rxjs'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { memorySink } from '../../dist/sinks/memorySink.js'

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
