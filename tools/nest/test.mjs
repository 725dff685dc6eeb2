// node tools/nest/test.mjs, after `npm run build` and `npm ci` in this folder: a NestJS server with the controller that the
// README has, as ES modules and as CommonJS, on Express and on Fastify, in front of the local gateway.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startLocal } from '../../dist/local/index.js'
import { unpack } from '../unpack.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const root = path('../..')
// Here, so that it finds Nest, and the same RxJS as Nest does.
const project = path('build')

/** The controller of the README. Its fence is `typescript`, because test/readme.ts has no Nest. */
const [, controller] = /```typescript\n(@Controller\(\)\n[\s\S]*?)```/.exec(
  readFileSync(join(root, 'README.md'), 'utf8'),
)

const IMPORTS = `
import { BadGatewayException, Controller, Inject, Query, Sse } from '@nestjs/common'
import { type Gateway, isRespanError, respanGenerate, respanTrace, type Sink, tokens } from 'respan-rx'
import { catchError, map, of, throwError } from 'rxjs'
import { GATEWAY, SINK } from './tokens.js'
`

const tsconfig = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    isolatedModules: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    outDir: 'dist',
    rootDir: '.',
  },
}

rmSync(project, { recursive: true, force: true })
mkdirSync(project)
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'served', private: true }))
unpack(project)

const KEY = 'sk-canary-7d1f0a9be4c2'
const local = await startLocal({ apiKey: KEY, maxTraces: 1_000 })

/** Waits until something is so: what becomes of a request that is left comes after it. */
const until = async (isSo) => {
  const end = Date.now() + 15_000
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `It is not so: ${isSo}`)
    await setTimeout(10)
  }
}

const chats = () => local.requests.filter(({ path: of }) => of.endsWith('/chat/completions'))

const shown = ({ span_name: name, status_code: status, metadata }) =>
  `${name}${metadata?.cancelled === 'true' ? ' cancelled' : ''}${status === 200 ? '' : ` ${status}`}`

const compile = (type) => {
  const folder = join(project, type)
  mkdirSync(folder)
  copyFileSync(path('app.ts'), join(folder, 'app.ts'))
  const files = {
    'package.json': JSON.stringify({ type }),
    'tsconfig.json': JSON.stringify(tsconfig),
    'tokens.ts': "export const GATEWAY = Symbol('GATEWAY')\nexport const SINK = Symbol('SINK')\n",
    'answer.controller.ts': IMPORTS + controller,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', folder], { stdio: ['ignore', 'inherit', 'inherit'] })
  return join(folder, 'dist/app.js')
}

const start = async (script, server) => {
  const env = { ...process.env, RESPAN_BASE_URL: local.baseUrl, RESPAN_API_KEY: KEY, NO_COLOR: '1' }
  const child = spawn(process.execPath, [script, server], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const errors = []
  child.stderr.on('data', (data) => errors.push(String(data)))
  const ended = once(child, 'close')
  const [url] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => assert.fail(errors.join(''))),
  ])
  return { child, ended, errors, url }
}

const check = async (script, server) => {
  const { child, ended, errors, url } = await start(script, server)
  let seen = local.spans().length
  /** The spans that came since this was asked: `name`, `name cancelled`, `name 503`. */
  const next = () => {
    const since = local.spans().slice(seen)
    seen += since.length
    return since.map(shown).sort()
  }
  /** The same, when there are so many. */
  const spans = async (count) => {
    await until(async () => {
      await fetch(`${url}/flush`, { method: 'POST' })
      return local.spans().length - seen >= count
    })
    return next()
  }
  const get = async (where, headers = {}) => {
    const answer = await fetch(`${url}/${where}`, { headers })
    return { status: answer.status, text: await answer.text() }
  }
  const fault = async (what, work) => {
    const end = local.fault(what)
    try {
      await work()
    } finally {
      end()
    }
  }
  try {
    const whole = await get('whole/tea', { 'x-id': 'tea' })
    assert.match(JSON.parse(whole.text).replies[0], /tea/)
    assert.deepEqual(await spans(3), ['before', 'respanGenerate', 'whole'])

    const streamed = await get('answer?question=tea')
    assert.ok(streamed.text.match(/^data: /gm).length > 10, streamed.text)
    assert.deepEqual(await spans(2), ['answer', 'respanGenerate'])

    // Before the headers, and in the middle of a stream.
    for (const [where, what] of [
      ['whole/nobody', { delay: 600_000 }],
      ['answer?question=tea', { hangAfter: 3 }],
    ])
      await fault(what, async () => {
        const asked = chats().length
        const leaving = new AbortController()
        const left = fetch(`${url}/${where}`, { signal: leaving.signal }).then((answer) => answer.text())
        await until(() => chats().length > asked && chats().at(-1).chunks === (what.hangAfter ?? 0))
        leaving.abort()
        await assert.rejects(left)
        await until(() => chats().at(-1).outcome === 'aborted')
      })
    assert.deepEqual(await spans(5), [
      'answer cancelled',
      'before',
      'respanGenerate cancelled',
      'respanGenerate cancelled',
      'whole cancelled',
    ])

    await fault({ status: 503, body: { error: { message: `The key ${KEY} is no good.` } } }, async () => {
      const unmapped = await get('whole/nobody')
      assert.deepEqual(unmapped, {
        status: 500,
        text: '{"statusCode":500,"message":"Internal server error"}',
      })
      const filtered = await get('filtered', { 'x-id': 'filtered' })
      assert.deepEqual(filtered, { status: 502, text: '{"statusCode":502,"message":"HttpError"}' })
      await until(() => errors.join('').includes('is no good.'))
      assert.ok(!errors.join('').includes(KEY), errors.join(''))
      assert.deepEqual(await spans(6), [
        'before',
        'before',
        'respanGenerate 503',
        'respanGenerate 503',
        'whole 503',
        'whole 503',
      ])
    })

    await fault({ cutAfter: 3 }, async () => {
      const { status, text } = await get('answer?question=tea')
      assert.equal(status, 200)
      assert.match(text, /^data: .+[\s\S]*\nevent: error\n[\s\S]*\ndata: StreamInterrupted\n/m)
      assert.deepEqual(await spans(2), ['answer 502', 'respanGenerate 502'])
    })

    const wrong = await fetch(`${url}/jobs`, { method: 'POST' })
    assert.deepEqual([wrong.status, (await wrong.json()).message], [400, ': expected { id: string }'])

    const ids = Array.from({ length: 20 }, (_, index) => `request-${index}`)
    await Promise.all(ids.map((id) => get(`whole/${id}`, { 'x-id': id })))
    const headers = (id) => ({ 'content-type': 'application/json', 'x-id': id })
    const post = (id) =>
      fetch(`${url}/jobs`, { method: 'POST', headers: headers(id), body: JSON.stringify({ id }) })
    await Promise.all(ids.map(post))
    assert.equal((await spans(120)).length, 120)
    assert.deepEqual(JSON.parse((await get('strangers')).text), [])

    await get('whole/tea', { 'x-id': 'tea' })
    await fault({ hangAfter: 3 }, async () => {
      const left = get('answer?question=tea')
      await until(() => chats().at(-1).outcome === 'pending' && chats().at(-1).chunks > 0)
      child.kill('SIGTERM')
      await assert.rejects(left)
      await until(() => child.exitCode !== null || child.signalCode !== null)
      assert.deepEqual(next(), [
        'answer cancelled',
        'before',
        'respanGenerate',
        'respanGenerate cancelled',
        'whole',
      ])
    })
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

try {
  for (const type of ['module', 'commonjs']) {
    const script = compile(type)
    for (const server of ['express', 'fastify']) {
      await check(script, server)
      console.log(`${type}, ${server}: ok`)
    }
  }
} finally {
  await local.close()
}
