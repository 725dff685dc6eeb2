import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { fileSpool } from '../dist/node/fileSpool.js'
import { bufferedSink } from '../dist/sinks/bufferedSink.js'
import { respanTransport } from '../dist/sinks/respanTransport.js'
import { latch, sendEvents, sendJson, serve, type TestServer } from './helpers/server.js'

// Each of these starts a real process with 100 spans in a sink, ends it, and counts what a real server has got: from
// the process itself, and from the next one that shares its spool.

const STRENGTHS = ['none', 'on-failure', 'always'] as const

type Strength = (typeof STRENGTHS)[number]

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

interface Child {
  readonly kill: (signal: NodeJS.Signals) => void
  /** What it had accepted when it said so. */
  readonly accepted: Promise<number>
  readonly ended: Promise<Ended>
}

const folder = (t: ExecutionContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'respan-rx-exits-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return join(path, 'spool')
}

const start = (
  t: ExecutionContext,
  [script, ...args]: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
): Child => {
  const path = fileURLToPath(new URL(`../test/fixtures/exits/${script}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  let said: (accepted: number) => void = () => undefined
  const accepted = new Promise<number>((resolve) => {
    said = resolve
  })
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString()
    const number = /^accepted (\d+)$/m.exec(stdout)?.[1]
    if (number !== undefined) said(Number(number))
  })
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  const ended = once(child, 'close').then(() => {
    said(0)
    return { code: child.exitCode, signal: child.signalCode, stderr }
  })
  return { kill: (signal) => child.kill(signal), accepted, ended }
}

const ingest = (t: ExecutionContext, isDown: () => boolean = () => false): Promise<TestServer> =>
  serve(t, (response) => (isDown() ? response.destroy() : sendJson(response, { message: 'ok' })))

const isSpan = (value: unknown): value is { readonly span_unique_id: string } =>
  typeof value === 'object' &&
  value !== null &&
  'span_unique_id' in value &&
  typeof value.span_unique_id === 'string'

/** Ids of the spans that a server has got, as often as it has got them. */
const idsAt = ({ received }: TestServer): ReadonlyArray<string> =>
  received.flatMap(({ body }) => {
    const spans: unknown = JSON.parse(body)
    return Array.isArray(spans) ? spans.filter(isSpan).map(({ span_unique_id: id }) => id) : []
  })

/** The next process that shares the spool. */
const next = async (server: TestServer, spool: string): Promise<void> => {
  const sink = bufferedSink(respanTransport({ apiKey: 'a-key', baseUrl: server.url }), {
    spool: fileSpool(spool),
  })
  await sink.close()
}

interface Case {
  readonly script: ReadonlyArray<string>
  readonly strength: Strength
  readonly signal?: NodeJS.Signals
  /** Spans that the server has when the process has ended. */
  readonly byItself: number
  /** Spans that it has after the next process, each of them once. */
  readonly inTheEnd: number
  /** How it ends. */
  readonly exit: number | NodeJS.Signals
  readonly tells?: RegExp
}

/** Few processes at a time: starting one is most of its work. */
const LANES = 4
const lanes: Array<Promise<unknown>> = Array.from({ length: LANES }, () => Promise.resolve())
let taken = 0

const inLane = (work: () => Promise<void>): Promise<void> => {
  const lane = taken++ % LANES
  const done = (lanes[lane] ?? Promise.resolve()).then(work)
  lanes[lane] = done.catch(() => undefined)
  return done
}

const check = async (
  t: ExecutionContext,
  { script, strength, signal, byItself, inTheEnd, exit, tells }: Case,
): Promise<void> => {
  const server = await ingest(t)
  const spool = folder(t)
  const child = start(t, script, {
    BASE_URL: server.url,
    ...(strength === 'none' ? {} : { SPOOL: spool, STRENGTH: strength }),
  })
  t.is(await child.accepted, 100)
  if (signal !== undefined) child.kill(signal)
  const ended = await child.ended
  t.is(ended.signal ?? ended.code, exit)
  if (tells !== undefined) t.regex(ended.stderr, tells)
  t.is(idsAt(server).length, byItself)
  if (strength === 'none') return
  await next(server, spool)
  t.is(idsAt(server).length, inTheEnd)
  t.is(new Set(idsAt(server)).size, inTheEnd)
  t.deepEqual(readdirSync(spool), [])
}

const LOST =
  /\[RESPAN_DELIVERY\] Warning: respan \(http:\/\/127\.0\.0\.1:\d+\): 100 spans lost when the process ended\./

const rows: ReadonlyArray<readonly [title: string, row: Case]> = [
  [
    'falls off the end: delivers first',
    { script: ['process', 'end'], strength: 'none', byItself: 100, inTheEnd: 100, exit: 0 },
  ],
  [
    'falls off the end, with a spool: delivers first, and leaves nothing behind',
    { script: ['process', 'end'], strength: 'on-failure', byItself: 100, inTheEnd: 100, exit: 0 },
  ],
  [
    'falls off the end, spool always: delivers first, and leaves nothing behind',
    { script: ['process', 'end'], strength: 'always', byItself: 100, inTheEnd: 100, exit: 0 },
  ],
  [
    'process.exit: loses what is queued, and tells',
    { script: ['process', 'exit'], strength: 'none', byItself: 0, inTheEnd: 0, exit: 0, tells: LOST },
  ],
  [
    'process.exit, with a spool: the next process delivers',
    { script: ['process', 'exit'], strength: 'on-failure', byItself: 0, inTheEnd: 100, exit: 0 },
  ],
  [
    'process.exit, spool always: the next process delivers',
    { script: ['process', 'exit'], strength: 'always', byItself: 0, inTheEnd: 100, exit: 0 },
  ],
  [
    'uncaught exception: loses what is queued, and tells',
    { script: ['process', 'uncaught'], strength: 'none', byItself: 0, inTheEnd: 0, exit: 1, tells: LOST },
  ],
  [
    'uncaught exception, with a spool: the next process delivers',
    { script: ['process', 'uncaught'], strength: 'on-failure', byItself: 0, inTheEnd: 100, exit: 1 },
  ],
  [
    'unhandled rejection: loses what is queued, and tells',
    { script: ['process', 'rejection'], strength: 'none', byItself: 0, inTheEnd: 0, exit: 1, tells: LOST },
  ],
  [
    'unhandled rejection, with a spool: the next process delivers',
    { script: ['process', 'rejection'], strength: 'on-failure', byItself: 0, inTheEnd: 100, exit: 1 },
  ],
  ...(['uncaught', 'rejection'] as const).map((ending): readonly [string, Case] => [
    `${ending}, spool always: the next process delivers`,
    { script: ['process', ending], strength: 'always', byItself: 0, inTheEnd: 100, exit: 1 },
  ]),
  ...(['SIGTERM', 'SIGINT'] as const).flatMap(
    (signal): ReadonlyArray<readonly [string, Case]> => [
      [
        `${signal}: loses what is queued`,
        { script: ['process', 'wait'], strength: 'none', signal, byItself: 0, inTheEnd: 0, exit: signal },
      ],
      [
        `${signal}, with a spool: loses what is in memory, since nothing tells a library of a signal`,
        {
          script: ['process', 'wait'],
          strength: 'on-failure',
          signal,
          byItself: 0,
          inTheEnd: 0,
          exit: signal,
        },
      ],
      [
        `${signal}, spool always: the next process delivers`,
        { script: ['process', 'wait'], strength: 'always', signal, byItself: 0, inTheEnd: 100, exit: signal },
      ],
      ...STRENGTHS.map((strength): readonly [string, Case] => [
        `${signal}, flushOnSignals, spool ${strength}: delivers first, and ends by the signal`,
        { script: ['process', 'listening'], strength, signal, byItself: 100, inTheEnd: 100, exit: signal },
      ]),
    ],
  ),
  [
    'SIGTERM, flushOnSignals for two sinks: the one that has nothing to do does not end the process before the other',
    {
      script: ['process', 'both'],
      strength: 'none',
      signal: 'SIGTERM',
      byItself: 100,
      inTheEnd: 100,
      exit: 'SIGTERM',
    },
  ],
  [
    'kill -9: loses what is queued',
    {
      script: ['process', 'wait'],
      strength: 'none',
      signal: 'SIGKILL',
      byItself: 0,
      inTheEnd: 0,
      exit: 'SIGKILL',
    },
  ],
  [
    'kill -9, with a spool: loses what is in memory',
    {
      script: ['process', 'wait'],
      strength: 'on-failure',
      signal: 'SIGKILL',
      byItself: 0,
      inTheEnd: 0,
      exit: 'SIGKILL',
    },
  ],
  [
    'kill -9, spool always: the next process delivers',
    {
      script: ['process', 'wait'],
      strength: 'always',
      signal: 'SIGKILL',
      byItself: 0,
      inTheEnd: 100,
      exit: 'SIGKILL',
    },
  ],
  ...STRENGTHS.map((strength): readonly [string, Case] => [
    `a worker thread falls off its end, spool ${strength}: delivers first`,
    { script: ['worker', 'end'], strength, byItself: 100, inTheEnd: 100, exit: 0 },
  ]),
  [
    'a worker thread calls process.exit: loses what is queued, and tells',
    { script: ['worker', 'exit'], strength: 'none', byItself: 0, inTheEnd: 0, exit: 0, tells: LOST },
  ],
  ...(['on-failure', 'always'] as const).map((strength): readonly [string, Case] => [
    `a worker thread calls process.exit, spool ${strength}: the next process delivers`,
    { script: ['worker', 'exit'], strength, byItself: 0, inTheEnd: 100, exit: 0 },
  ]),
  [
    'a worker thread is terminated: loses what is queued',
    { script: ['worker', 'terminate'], strength: 'none', byItself: 0, inTheEnd: 0, exit: 0 },
  ],
  [
    'a worker thread is terminated, with a spool: loses what is in memory',
    { script: ['worker', 'terminate'], strength: 'on-failure', byItself: 0, inTheEnd: 0, exit: 0 },
  ],
  [
    'a worker thread is terminated, spool always: the next process delivers',
    { script: ['worker', 'terminate'], strength: 'always', byItself: 0, inTheEnd: 100, exit: 0 },
  ],
  ...STRENGTHS.map((strength): readonly [string, Case] => [
    `a serverless function is frozen after a flush in its finally, spool ${strength}: everything was delivered`,
    { script: ['freeze'], strength, signal: 'SIGKILL', byItself: 100, inTheEnd: 100, exit: 'SIGKILL' },
  ]),
]

for (const [title, row] of rows) test(title, (t) => inLane(() => check(t, row)))

for (const strength of ['on-failure', 'always'] as const)
  for (const ending of ['end', 'listening'])
    test(`the server is down and the process ${ending === 'end' ? 'falls off its end' : 'gets a SIGTERM'}, spool ${strength}: the next one delivers`, (t) =>
      inLane(async () => {
        let isDown = true
        const server = await ingest(t, () => isDown)
        const spool = folder(t)
        const child = start(t, ['process', ending], {
          BASE_URL: server.url,
          SPOOL: spool,
          STRENGTH: strength,
        })
        t.is(await child.accepted, 100)
        if (ending === 'listening') child.kill('SIGTERM')
        const { code, signal } = await child.ended
        t.is(signal ?? code, ending === 'listening' ? 'SIGTERM' : 0)
        t.true(server.received.length > 0)
        const before = server.received.length
        isDown = false
        await next(server, spool)
        const ids = idsAt({ ...server, received: server.received.slice(before) })
        t.is(ids.length, 100)
        t.is(new Set(ids).size, 100)
      }))

for (const ending of ['end', 'listening'])
  test(`the server is down and the process ${ending === 'end' ? 'falls off its end' : 'gets a SIGTERM'}: loses what is queued, and tells`, (t) =>
    inLane(async () => {
      const server = await ingest(t, () => true)
      const child = start(t, ['process', ending], { BASE_URL: server.url })
      t.is(await child.accepted, 100)
      if (ending === 'listening') child.kill('SIGTERM')
      const { code, signal, stderr } = await child.ended
      t.is(signal ?? code, ending === 'listening' ? 'SIGTERM' : 0)
      t.regex(stderr, /100 spans (dropped|not delivered before the process ended)/)
    }))

for (const strength of ['none', 'on-failure'] as const)
  test(`the server never answers, and a second SIGTERM ends the process at once, spool ${strength}: ${strength === 'none' ? 'loses what is queued' : 'the next one delivers'}`, (t) =>
    inLane(async () => {
      const asked = latch()
      let hangs = true
      const server = await serve(t, (response) => {
        asked.open()
        if (!hangs) sendJson(response, { message: 'ok' })
      })
      const spool = folder(t)
      const child = start(t, ['process', 'listening'], {
        BASE_URL: server.url,
        ...(strength === 'none' ? {} : { SPOOL: spool, STRENGTH: strength }),
      })
      t.is(await child.accepted, 100)
      child.kill('SIGTERM')
      await asked.opened
      child.kill('SIGTERM')
      t.is((await child.ended).signal, 'SIGTERM')
      if (strength === 'none') return
      const before = server.received.length
      hangs = false
      await next(server, spool)
      t.is(new Set(idsAt({ ...server, received: server.received.slice(before) })).size, 100)
    }))

for (const ending of ['keep', 'unsubscribe'])
  test(`a run streams at SIGTERM: ${ending === 'keep' ? 'there is no span of it' : 'unsubscribed first, it is delivered as cancelled'}`, (t) =>
    inLane(async () => {
      const server = await serve(t, (response, { path }) => {
        if (path.endsWith('/ingest')) return sendJson(response, { message: 'ok' })
        sendEvents(response)
        response.write(
          `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content: 'partly' } }] })}\n\n`,
        )
      })
      const child = start(t, ['stream', ending], { BASE_URL: server.url })
      t.is(await child.accepted, 0)
      child.kill('SIGTERM')
      t.like(await child.ended, { signal: 'SIGTERM', stderr: '' })
      const delivered = server.received.filter(({ path }) => path.endsWith('/ingest'))
      const spans = delivered.flatMap(({ body }) => JSON.parse(body))
      t.deepEqual(
        spans.map(({ span_name, output, metadata: { cancelled } }) => [span_name, output, cancelled]),
        ending === 'keep'
          ? []
          : [
              ['respanGenerate', '{"role":"assistant","content":"partly"}', 'true'],
              ['run', 'partly', 'true'],
            ],
      )
    }))
