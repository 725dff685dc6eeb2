import test from 'ava'
import { NEVER, of } from 'rxjs'
import { component } from '../../dist/operators/component.js'
import { respanGenerate } from '../../dist/operators/respanGenerate.js'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { bufferedSink } from '../../dist/sinks/bufferedSink.js'
import { memorySink } from '../../dist/sinks/memorySink.js'
import { taken } from '../helpers/buffer.js'

/** As zone.js calls back those who wait for its promises: all in one microtask, that of the first. */
const waiting: Array<() => void> = []
const whenSettled = (fn: () => void): void => {
  if (waiting.push(fn) > 1) return
  queueMicrotask(() => {
    for (const each of waiting.splice(0)) each()
  })
}

// With the real zone.js: tools/angular/test.mjs.
test.serial('under zone.js, a trace that begins after an await is in no other trace', async (t) => {
  t.teardown(() => Reflect.deleteProperty(globalThis, 'Zone'))
  Object.assign(globalThis, { Zone: { root: { run: <A>(fn: () => A): A => fn() } } })
  const sink = memorySink()
  const answer = component('answer', () => {
    whenSettled(() => undefined)
    return NEVER
  })
  const one = of(1).pipe(answer, respanTrace('one', { sink })).subscribe()
  whenSettled(() => of(2).pipe(respanTrace('other', { sink })).subscribe())
  await undefined
  one.unsubscribe()
  t.deepEqual(
    sink
      .spans()
      .filter(({ parentId }) => parentId === undefined)
      .map(({ name }) => name),
    ['other', 'one'],
  )
})

test.serial('under zone.js, a signal aborts each run in the zone of its own', (t) => {
  t.teardown(() => Reflect.deleteProperty(globalThis, 'Zone'))
  Object.assign(globalThis, { Zone: { root: { run: <A>(fn: () => A): A => fn() } } })
  let zone = 'root'
  const controller = new AbortController()
  const { signal } = controller
  const add = signal.addEventListener.bind(signal)
  // As zone.js does.
  signal.addEventListener = (type: string, listener: unknown) => {
    const own = zone
    add(type, (event) => {
      zone = own
      if (typeof listener === 'function') listener(event)
    })
  }
  const seen: Array<string> = []
  const fetch = (): Promise<Response> => new Promise(() => undefined)
  for (const each of ['root', 'angular']) {
    zone = each
    of('Hi')
      .pipe(respanGenerate({ model: 'm', baseUrl: 'http://127.0.0.1:1', fetch, signal }))
      .subscribe({ error: () => seen.push(zone) })
  }
  controller.abort()
  t.deepEqual(seen, ['root', 'angular'])
})

test.serial("a global Zone of somebody else's is none of zone.js", (t) => {
  t.teardown(() => Reflect.deleteProperty(globalThis, 'Zone'))
  for (const Zone of [{ root: {} }, { root: 'Europe' }, 'Europe/Berlin', null]) {
    Object.assign(globalThis, { Zone })
    const sink = bufferedSink(() => taken)
    of(1).pipe(respanTrace('T', { sink })).subscribe()
    t.like(sink.stats(), { accepted: 1, dropped: 0 })
  }
})
