import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { defaultSink as packed } from 'respan-rx'
import { defaultSink } from '../../dist/sinks/defaultSink.js'
import { moduleFile } from '../helpers/moduleFile.js'
import { sendJson, serve } from '../helpers/server.js'
import { idOf, range } from '../helpers/spans.js'

const KEY = 'canary-5f0c2d9e8b7a4160'

const dist = new URL('../../dist/', import.meta.url).href

/** What a script starts with: sinks, and a way to have spans end at them. */
const PRELUDE = `
import { bufferedSink } from '${dist}sinks/bufferedSink.js'
import { defaultSink } from '${dist}sinks/defaultSink.js'
import { respanTransport } from '${dist}sinks/respanTransport.js'
const finish = (sink, ...numbers) => numbers.forEach((number) => {
  const head = { traceId: 'f'.repeat(32), spanId: number.toString(16).padStart(16, '0'), at: Date.now() }
  sink.next({ ...head, _tag: 'SpanStarted', parentId: undefined, name: 'x', type: 'task', path: '', workflow: 'w', trace: 'w' })
  sink.next({ ...head, _tag: 'SpanEnded', status: 'ok' })
})
`

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs a script in a Node process of its own until that ends. */
const run = async (t: ExecutionContext, script: string, env: Record<string, string> = {}): Promise<Ended> => {
  const source = `${PRELUDE}\n${script}`
  const child = spawn(process.execPath, [moduleFile(t, source)], {
    env: { ...process.env, RESPAN_API_KEY: '', RESPAN_BASE_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Less than flushTimeout.
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.on('data', (data) => {
    output += data
  })
  const [code] = await once(child, 'close')
  return { code, output }
}

const idsIn = (bodies: ReadonlyArray<{ readonly body: string }>): ReadonlyArray<string> =>
  bodies.flatMap(({ body }) => {
    const spans: ReadonlyArray<{ readonly span_unique_id: string }> = JSON.parse(body)
    return spans.map(({ span_unique_id }) => span_unique_id)
  })

// ── a script that simply ends

test('a script that simply ends delivers, at once, and nothing holds it', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const { code, output } = await run(
    t,
    `
    const slow = bufferedSink(respanTransport(), { maxDelay: 600_000 })
    finish(slow, 1, 2, 3)
    finish(defaultSink(), 4)
    process.on('exit', () => console.log(process.listenerCount('beforeExit'), JSON.stringify(slow.stats())))
    `,
    { RESPAN_BASE_URL: server.url, RESPAN_API_KEY: KEY },
  )
  t.is(code, 0)
  t.deepEqual([...idsIn(server.received)].sort(), range(1, 4).map(idOf))
  t.true(output.includes('0 {"accepted":3,"delivered":3,'), output)
  t.true(server.received.every(({ headers }) => headers.authorization === `Bearer ${KEY}`))
})

test('what ends while a script delivers is delivered, too', async (t) => {
  const server = await serve(t, (response) => setTimeout(() => sendJson(response, {}), 50))
  const { code } = await run(
    t,
    `
    const sink = defaultSink()
    finish(sink, 1)
    process.once('beforeExit', () => setTimeout(() => finish(sink, 2), 10))
    `,
    { RESPAN_BASE_URL: server.url },
  )
  t.is(code, 0)
  t.deepEqual(idsIn(server.received), [idOf(1), idOf(2)])
})

test('an end that is told while spans are given up gives up none twice', async (t) => {
  const { output } = await run(
    t,
    `
    import { NEVER } from 'rxjs'
    let last = () => undefined
    const two = new Promise((resolve) => { last = resolve })
    const sink = bufferedSink(([span]) => {
      if (span.spanId.endsWith('2')) last()
      return NEVER
    }, { maxBatchSize: 1, maxInFlight: 2 })
    finish(sink, 1, 2)
    await two
    const { inFlight } = sink.stats()
    sink.stats$.subscribe(({ dropped }) => dropped === 1 && process.emit('exit', 0))
    process.emit('exit', 0)
    const { dropped, inFlight: left } = sink.stats()
    console.log('in flight', inFlight, 'dropped', dropped, 'left', left)
    process.exit()
    `,
  )
  t.true(output.includes('in flight 2 dropped 2 left 0'), output)
})

test('an end that is told while a batch departs keeps it here', async (t) => {
  const { output } = await run(
    t,
    `
    import { NEVER } from 'rxjs'
    let sent = 0
    const sink = bufferedSink(() => {
      sent++
      return NEVER
    })
    sink.stats$.subscribe(({ inFlight }) => inFlight === 1 && process.emit('exit', 0))
    finish(sink, 1)
    await sink.flush()
    const { dropped, inFlight } = sink.stats()
    console.log('sent', sent, 'dropped', dropped, 'in flight', inFlight)
    process.exit()
    `,
  )
  t.true(output.includes('sent 0 dropped 1 in flight 0'), output)
})

test('a script waits for a disk that does not answer, as long as a flush does', async (t) => {
  const { code, output } = await run(
    t,
    `
    import { NEVER, of } from 'rxjs'
    const store = { write: () => [], read: () => NEVER, remove: () => {}, adopt: () => NEVER, close: () => {} }
    const spool = { name: 'mute', strength: 'on-failure', open: () => store }
    const sink = bufferedSink(() => of({ rejected: [] }), { spool, flushTimeout: 100 })
    await sink.flush()
    console.log('flushed')
    `,
  )
  t.true(output.includes('flushed'), output)
  t.is(code, 0)
})

test('a script waits for a retry', async (t) => {
  const server = await serve(t, (response, _, number) => {
    response.writeHead(number < 3 ? 503 : 200)
    response.end()
  })
  const { output } = await run(t, `finish(bufferedSink(respanTransport(), { retry: { delay: 100 } }), 1)`, {
    RESPAN_BASE_URL: server.url,
  })
  t.is(server.received.length, 3)
  t.false(output.includes('RESPAN'))
})

for (const [title, status, env] of [
  ['the key', 401, { RESPAN_API_KEY: KEY }],
  ['its requests for five minutes', 429, {}],
] as const)
  test(`a script whose server refuses ${title} ends at once, and says what it lost`, async (t) => {
    const server = await serve(t, (response) => {
      response.writeHead(status, { 'retry-after': '300' })
      response.end(`{"detail":"no ${KEY}"}`)
    })
    const { code, output } = await run(t, `finish(defaultSink(), 1, 2)`, {
      RESPAN_BASE_URL: server.url,
      ...env,
    })
    t.is(code, 0)
    t.regex(
      output,
      new RegExp(`\\[RESPAN_DELIVERY\\].* 2 spans not delivered before the process ended: .*HTTP ${status}`),
    )
    if ('RESPAN_API_KEY' in env) t.false(output.includes(KEY))
  })

test('a script whose server never answers ends after flushTimeout', async (t) => {
  const server = await serve(t, () => undefined)
  const { code, output } = await run(t, `finish(bufferedSink(respanTransport(), { flushTimeout: 300 }), 1)`, {
    RESPAN_BASE_URL: server.url,
  })
  t.is(code, 0)
  t.true(output.includes('1 span not delivered before the process ended'), output)
})

test('a script that awaits a flush is kept alive for it, also while nothing but a retry is waited for', async (t) => {
  const server = await serve(t, (response, _, number) => {
    response.writeHead(number === 1 ? 503 : 200, { 'retry-after': '1' })
    response.end()
  })
  const { code, output } = await run(
    t,
    `
    const sink = bufferedSink(respanTransport())
    finish(sink, 1)
    console.log(JSON.stringify(await sink.flush()))
    `,
    { RESPAN_BASE_URL: server.url },
  )
  t.is(code, 0)
  t.true(output.includes('"_tag":"Right","right":{"delivered":1,'), output)
})

test('a closed sink holds nothing', async (t) => {
  const server = await serve(t, (response) => sendJson(response, {}))
  const { output } = await run(
    t,
    `
    const sink = bufferedSink(respanTransport())
    finish(sink, 1)
    await sink.close()
    finish(sink, 2)
    console.log('listeners', process.listenerCount('beforeExit'), process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length)
    `,
    { RESPAN_BASE_URL: server.url },
  )
  t.true(output.includes('listeners 0 0'), output)
  t.is(server.received.length, 1)
})

test('importing sinks does nothing', async (t) => {
  const { output } = await run(
    t,
    `console.log('idle', process.listenerCount('beforeExit'), process.getActiveResourcesInfo().includes('Timeout'))`,
  )
  t.true(output.includes('idle 0 false'), output)
})

// ── without a key

test('without a key spans count as dropped, with one warning that says how to mend it', async (t) => {
  const { code, output } = await run(
    t,
    `
    const sink = defaultSink()
    finish(sink, 1, 2)
    const outcome = await sink.flush()
    finish(sink, 3)
    await sink.flush()
    console.log(outcome._tag, outcome.left.failures[0].error._tag, JSON.stringify(sink.stats()), sink.traceUrl)
  `,
  )
  t.is(code, 0)
  t.is(output.match(/RESPAN_MISSING_API_KEY/g)?.length, 1)
  t.true(output.includes('set RESPAN_API_KEY in the environment'))
  t.true(output.includes('Left MissingApiKey {"accepted":3,"delivered":0,"dropped":3,'), output)
  t.true(output.includes('undefined'))
})

test('a base URL that is none in the environment does not throw: it is told, and spans are dropped', async (t) => {
  const { code, output } = await run(t, `finish(defaultSink(), 1, 2)`, { RESPAN_BASE_URL: 'not a url' })
  t.is(code, 0)
  t.regex(output, /\[RESPAN_DELIVERY\].*2 spans dropped: InvalidInput: RESPAN_BASE_URL: expected an http/)
})

// ── one for each environment

test.serial('is one sink for each key and base URL', (t) => {
  const { RESPAN_API_KEY, RESPAN_BASE_URL } = process.env
  t.teardown(() => {
    for (const [name, value] of Object.entries({ RESPAN_API_KEY, RESPAN_BASE_URL }))
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
  })
  Object.assign(process.env, { RESPAN_API_KEY: 'key-one', RESPAN_BASE_URL: 'https://api.respan.ai' })
  const first = defaultSink()
  t.is(defaultSink(), first)
  t.is(first.traceUrl?.('1'), 'https://platform.respan.ai/platform/traces?trace_unique_id=1')
  process.env.RESPAN_API_KEY = 'key-two'
  const second = defaultSink()
  t.not(second, first)
  process.env.RESPAN_BASE_URL = 'http://127.0.0.1:1'
  const third = defaultSink()
  t.not(third, second)
  t.is(third.traceUrl?.('1'), 'http://127.0.0.1:1/traces/1')
  Object.assign(process.env, { RESPAN_API_KEY: ' key-one ', RESPAN_BASE_URL: 'https://api.respan.ai' })
  t.is(defaultSink(), first)
})

test('is the same for each copy of the library that a bundler or a hot reload makes', async (t) => {
  t.is(packed(), defaultSink())
  const again: { readonly defaultSink: typeof defaultSink } = await import(
    `${dist}sinks/defaultSink.js?again`
  )
  t.not(again.defaultSink, defaultSink)
  t.is(again.defaultSink(), defaultSink())
})

test.serial('a key is not in the global object as it is printed', (t) => {
  const { RESPAN_API_KEY } = process.env
  process.env.RESPAN_API_KEY = 'nobody-sees-it'
  for (const sinkOf of [defaultSink, packed]) sinkOf()
  if (RESPAN_API_KEY === undefined) delete process.env.RESPAN_API_KEY
  else process.env.RESPAN_API_KEY = RESPAN_API_KEY
  t.false(inspect(globalThis, { depth: 9 }).includes('nobody-sees-it'))
})
