import test from 'ava'
import { isRight } from 'fp-ts/lib/Either.js'
import { bufferedSink } from '../../dist/sinks/bufferedSink.js'
import { taken } from '../helpers/buffer.js'
import { finish } from '../helpers/spans.js'

test('where nobody may listen for the end of a page, spans are delivered all the same', async (t) => {
  let asked = 0
  const refuses = (): never => {
    asked++
    throw new Error('not implemented')
  }
  const target = { addEventListener: refuses, removeEventListener: refuses }
  Object.assign(globalThis, { document: { ...target, visibilityState: 'visible' }, ...target })
  t.teardown(() => {
    for (const key of ['document', 'addEventListener', 'removeEventListener'])
      Reflect.deleteProperty(globalThis, key)
  })
  const sink = bufferedSink(() => taken)
  finish(sink, 1)
  t.true(isRight(await sink.close()))
  // Three events, each listened for and left.
  t.is(asked, 6)
})
