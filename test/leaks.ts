// What is left behind: nothing.

import { getEventListeners, once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { attempt, fromPromptVersion, respanGenerate, respanTrace } from 'respan-rx'
import { memorySink } from 'respan-rx/testing'
import { catchError, EMPTY, lastValueFrom, mergeMap, of, range, take, toArray } from 'rxjs'
import { runChild } from './helpers/child.js'
import type { Leftovers } from './helpers/children/churn.js'
import { event, listen, sendEvents, sendJson, serve } from './helpers/server.js'

const text = (content: string): string => event({ model: 'm', choices: [{ index: 0, delta: { content } }] })
const STOP = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
const USAGE = event({
  choices: [],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
})
const DONE = 'data: [DONE]\n\n'
const WHOLE = text('Hel') + text('lo') + STOP + USAGE + DONE
const RESPONSE = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' } }] }

test.serial(
  '1,000 runs on one signal leave no listener on it, and never have more than one for each generator',
  async (t) => {
    const { signal } = new AbortController()
    const server = await serve(t, (response, _, number) => {
      if (number % 4 === 0) sendJson(response, {}, { status: 400 })
      else if (number % 4 === 1) sendEvents(response, text('Hel'))
      else sendEvents(response, WHOLE)
    })
    let most = 0
    const generate = respanGenerate({
      model: 'm',
      stream: true,
      baseUrl: server.url,
      signal,
      retry: { count: 0 },
      flatten: mergeMap,
      concurrency: 20,
    })
    const run = (traced: boolean) =>
      lastValueFrom(
        range(1, 500).pipe(
          mergeMap((number) => {
            const reply$ = range(number, 1).pipe(
              mergeMap(() => ['Hi']),
              attempt(generate),
            )
            const left$ = number % 3 === 0 ? reply$.pipe(take(2)) : reply$
            return traced ? left$.pipe(respanTrace('run', { sink: memorySink() })) : left$
          }, 20),
          mergeMap(async (value) => {
            most = Math.max(most, getEventListeners(signal, 'abort').length)
            return value
          }),
          toArray(),
        ),
      )
    await run(false)
    await run(true)
    t.is(server.received.length, 1_000)
    t.is(most, 1)
    t.is(getEventListeners(signal, 'abort').length, 0)
  },
)

test.serial('twenty operators that run on one signal have one listener on it', async (t) => {
  const { signal } = new AbortController()
  let most = 0
  const server = await serve(t, (response) => {
    most = Math.max(most, getEventListeners(signal, 'abort').length)
    sendJson(response, RESPONSE)
  })
  const connection = { baseUrl: server.url, signal, retry: { count: 0 } }
  const each$ = range(1, 20).pipe(
    mergeMap((number) =>
      number % 2 === 0
        ? of('Hi').pipe(respanGenerate({ ...connection, model: 'm' }))
        : fromPromptVersion('p', connection).pipe(catchError(() => EMPTY)),
    ),
  )
  await lastValueFrom(each$)
  t.is(server.received.length, 20)
  t.is(most, 1)
  t.is(getEventListeners(signal, 'abort').length, 0)
})

interface Listening {
  readonly url: string
  /** Closes the connections on which no answer is under way, and resolves when there is none left. */
  readonly vacated: () => Promise<void>
}

const serveAndCount = async (
  t: ExecutionContext,
  answer: (response: ServerResponse, body: string) => unknown,
): Promise<Listening> => {
  const open = new Set<Socket>()
  const answering = new Set<Socket>()
  const server = createServer(async (request, response) => {
    const { socket } = request
    answering.add(socket)
    response.on('close', () => answering.delete(socket))
    request.on('error', () => undefined)
    // Who leaves before all is sent gets no answer.
    const body = await textOf(request).catch(() => undefined)
    if (body !== undefined) await answer(response, body)
  })
  server.keepAliveTimeout = 600_000
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  return {
    url: await listen(t, server),
    vacated: async () => {
      while (open.size > 0) {
        for (const socket of open) if (!answering.has(socket)) socket.destroy()
        await pause()
      }
    },
  }
}

const pause = (): Promise<void> => new Promise(setImmediate)

/** Does something else for each number: well, badly, slowly, or never to the end. */
const behave = async (response: ServerResponse, number: number, attempt: number): Promise<void> => {
  const stream = (): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
  }
  switch (number % 9) {
    case 0:
      if (number % 2 === 0) return
      stream()
      response.write(text('Hel'))
      return
    case 1:
      if (attempt === 1) return sendJson(response, {}, { status: 503, headers: { 'retry-after-ms': '1' } })
      return sendEvents(response, WHOLE)
    case 2:
      if (attempt === 1) return void response.socket?.destroy()
      return sendJson(response, RESPONSE)
    case 3:
      stream()
      response.write(text('Hel'), () => response.socket?.resetAndDestroy())
      return
    case 4:
      return sendJson(response, {}, { status: 400 })
    case 5:
      return sendEvents(response, text('Hel'), 'data: {"choices": [}\n\n')
    case 6:
      return sendJson(response, RESPONSE)
    case 7:
      stream()
      for (const piece of [text('Hel'), text('lo'), STOP, USAGE, DONE]) {
        await pause()
        response.write(piece)
      }
      response.end()
      return
    default:
      await pause()
      return sendEvents(response, WHOLE)
  }
}

test.serial(
  '10,000 subscriptions and unsubscriptions at random moments leave no timer, socket, listener or rejection',
  async (t) => {
    t.timeout(120_000)
    const attempts = new Map<number, number>()
    const { url, vacated } = await serveAndCount(t, async (response, body) => {
      const number = Number(/case (\d+)/.exec(body)?.[1])
      if (body.startsWith('[')) return sendJson(response, {})
      const attempt = (attempts.get(number) ?? 0) + 1
      attempts.set(number, attempt)
      await behave(response, number, attempt)
    })
    const child = runChild<'over' | Leftovers>(t, 'churn', [], url, '20260311', '10000')
    t.is(await child.report(), 'over')
    // Connections that are kept for later are nobody's leak; what was broken off must go by itself.
    await vacated()
    child.send('closed')
    const report = await child.report()
    if (report === 'over') return t.fail()
    const { ends, stats, ...leftovers } = report
    t.deepEqual(leftovers, { resources: [], listeners: 0, rejections: [], warnings: [] })
    t.is(
      Object.values(ends).reduce((sum, count) => sum + count, 0),
      10_000,
    )
    // Each of the endings came often enough to mean something.
    for (const end of ['left', 'completed', 'failed']) t.true((ends[end] ?? 0) > 500, `${end}: ${ends[end]}`)
    t.is(stats.delivered, stats.accepted)
    t.true(stats.accepted > 5_000)
  },
)

test.serial('memory in use after 10,000 runs is what it was before', async (t) => {
  t.timeout(120_000)
  const { url } = await serveAndCount(t, (response) => sendEvents(response, WHOLE))
  const child = runChild<{ growth: number; delivered: number }>(t, 'retained', ['--expose-gc'], url, '10000')
  const { growth, delivered } = await child.report()
  // Root, prompt, generation and two tokens, 11,000 times.
  t.is(delivered, 55_000)
  // Of 2,500 runs; less than a hundred bytes for each: nothing is kept of one.
  t.true(growth < 250_000, `${growth} bytes`)
})

test.serial(
  'a promise that is kept from inside a component keeps nothing of what came in and out',
  async (t) => {
    const child = runChild<{ growth: number; held: number }>(t, 'held', ['--expose-gc'], '500')
    const { growth, held } = await child.report()
    t.is(held, 1_000)
    // Of 100,000 characters that came in, and as many that came out.
    t.true(growth < 20_000, `${growth} bytes for each`)
  },
)

test.serial('a promise that is kept from inside a component keeps no span that came after it', async (t) => {
  const child = runChild<{ growth: number; held: number }>(t, 'siblings', ['--expose-gc'], '20000')
  const { growth, held } = await child.report()
  t.is(held, 1)
  t.true(growth < 100, `${growth} bytes for each`)
})

test.serial('who keeps book of what is alive by async_hooks is told that a run is over', async (t) => {
  const child = runChild<{ made: number; living: number }>(t, 'watched', ['--expose-gc'], '1000')
  const { made, living } = await child.report()
  t.true(made > 1_000)
  // A few may wait for the next collection.
  t.true(living < made / 100, `${living} of ${made}`)
})

test.serial('spans that come and go are left to the collector of what is young', async (t) => {
  const child = runChild<{ growth: number; delivered: number }>(
    t,
    'overlapping',
    ['--expose-gc', '--initial-heap-size=512'],
    '5000',
  )
  const { growth, delivered } = await child.report()
  // Root and component, 10,000 times.
  t.is(delivered, 20_000)
  // Of 10,000 characters that came in.
  t.true(growth < 1_000, `${growth} bytes for each`)
})

test.serial('a span that waits keeps nothing of what was cut off its content', async (t) => {
  const child = runChild<{ growth: number; queued: number }>(t, 'cut', ['--expose-gc'], '100')
  const { growth, queued } = await child.report()
  // Root and two components, 200 times.
  t.is(queued, 600)
  // Of 200,000 characters that came out of one component and into the next.
  t.true(growth < 20_000, `${growth} bytes for each`)
})

test.serial('a stream that waits keeps nothing of the text that its last piece was', async (t) => {
  const child = runChild<{ growth: number; waiting: number; bytes: number }>(
    t,
    'waiting',
    ['--expose-gc'],
    '20',
  )
  const { growth, waiting, bytes } = await child.report()
  t.is(waiting, 40)
  t.true(bytes > 130_000)
  // The words of the reply, and what a request takes.
  t.true(growth < bytes / 2, `${growth} bytes for each`)
})

const PIECE = 16_384
const PIECES = 6_144

for (const traced of ['untraced', 'traced'])
  test.serial(`a reply of 96 MB streams through a heap of 80 MB, ${traced}`, async (t) => {
    const piece = text('x'.repeat(PIECE))
    const { url } = await serveAndCount(t, async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let sent = 0; sent < PIECES; sent += 1) if (!response.write(piece)) await once(response, 'drain')
      response.end(STOP + USAGE + DONE)
    })
    const child = runChild<{
      characters: number
      meta: ReadonlyArray<{ usage?: { total_tokens: number } }>
      outputs: ReadonlyArray<{ name: string; status: string; length: number }>
    }>(t, 'longReply', ['--max-old-space-size=80'], url, traced)
    const { characters, meta, outputs } = await child.report()
    t.is(characters, 96 * 2 ** 20)
    t.is(meta[0]?.usage?.total_tokens, 3)
    if (traced === 'untraced') t.deepEqual(outputs, [])
    else {
      t.deepEqual(
        outputs.map(({ name, status }) => [name, status]),
        [
          ['respanGenerate', 'ok'],
          ['long', 'ok'],
        ],
      )
      for (const { length } of outputs) t.true(length > 900_000 && length < 1_100_000)
    }
  })
