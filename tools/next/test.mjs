// node tools/next/test.mjs, after `npm run build` and `npm ci` in this folder: a server of Next.js, built and started, with
// the code of the README: tokens as the body of a response, read to the end, left and broken off, a page that asks, and what
// is delivered after a response, and by the signal that ends the server.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { toBody } from '../toBody.mjs'
import { unpack } from '../unpack.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const root = path('../..')
// Here, so that it finds Next.js.
const project = path('build')

const files = {
  'package.json': JSON.stringify({ name: 'app', private: true, type: 'module' }),
  // What the library needs stands above the project.
  'next.config.js': `export default { cacheComponents: true, partialPrefetching: true, turbopack: { root: ${JSON.stringify(root)} } }`,
  'toBody.js': toBody(),
  'answer.js': `
import { respanGenerate, respanTrace, tokens } from 'respan-rx'
import { of } from 'rxjs'

export const answer = (model) =>
  of('Tell me about tea.').pipe(respanGenerate({ model, stream: true }), tokens(), respanTrace(model))
`,
  'instrumentation.js': `
export const register = async () => {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { defaultSink } = await import('respan-rx')
  const { flushOnSignals } = await import('respan-rx/node')
  flushOnSignals(defaultSink())
}
`,
  'app/answer/[model]/route.js': `
import { after } from 'next/server'
import { defaultSink } from 'respan-rx'
import { finalize } from 'rxjs'
import { answer } from '../../../answer.js'
import { toBody } from '../../../toBody.js'

export const POST = async (request, { params }) => {
  const { model } = await params
  let end
  const ended = new Promise((resolve) => { end = resolve })
  after(ended.then(() => defaultSink().flush()))
  return new Response(toBody(answer(model).pipe(finalize(end)), request.signal))
}
`,
  'app/unflushed/route.js': `
import { answer } from '../../answer.js'
import { toBody } from '../../toBody.js'

export const POST = async (request) => new Response(toBody(answer('unflushed'), request.signal))
`,
  'app/layout.js': `
export default ({ children }) => <html lang="en"><body>{children}</body></html>
`,
  'app/page.js': `
import { connection } from 'next/server'
import { firstValueFrom, reduce } from 'rxjs'
import { Suspense } from 'react'
import { answer } from '../answer.js'

const Answer = async () => {
  await connection()
  return <p>{await firstValueFrom(answer('page').pipe(reduce((all, text) => all + text, '')))}</p>
}

export default () => <Suspense><Answer /></Suspense>
`,
}

rmSync(project, { recursive: true, force: true })
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(project, name)), { recursive: true })
  writeFileSync(join(project, name), text)
}
unpack(project)

const { startLocal } = await import(pathToFileURL(join(root, 'dist/bundle/local/index.js')).href)
const local = await startLocal({
  faults: [
    { model: 'slow', hangAfter: 3 },
    { model: 'silent', hangAfter: 0 },
    { model: 'cut', cutAfter: 3 },
  ],
})

const env = {
  ...process.env,
  NEXT_TELEMETRY_DISABLED: '1',
  NEXT_MANUAL_SIG_HANDLE: 'true',
  RESPAN_API_KEY: 'none',
  RESPAN_BASE_URL: local.baseUrl,
}
const next = join(path('node_modules/next'), 'dist/bin/next')
execFileSync(process.execPath, [next, 'build'], { cwd: project, env, stdio: ['ignore', 'ignore', 'inherit'] })
assert.deepEqual(local.requests, [], 'nothing is asked while it is built')

const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

const port = await freePort()
const app = spawn(process.execPath, [next, 'start', '-p', String(port), '-H', '127.0.0.1'], {
  cwd: project,
  env,
  stdio: ['ignore', 'pipe', 'pipe'],
})
let said = ''
const ready = new Promise((resolve) => {
  for (const stream of [app.stdout, app.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
      if (said.includes('Ready')) resolve()
    })
})
const exited = once(app, 'exit')
process.on('exit', () => app.kill('SIGKILL'))
await Promise.race([ready, exited])
assert.equal(app.exitCode, null, said)

/** Until something holds; what hangs ends the test with what the server said. */
const until = async (what, holds) => {
  const end = performance.now() + 30_000
  while (!holds()) {
    assert.ok(performance.now() < end, `${what}\n${said}`)
    await setImmediate()
  }
}

const ask = (name, signal) => fetch(`http://127.0.0.1:${port}/${name}`, { method: 'POST', signal })

/** How the spans of a trace ended, once the root has been delivered. */
const spansOf = async (name) => {
  const spans = () => local.spans().filter(({ trace_name }) => trace_name === name)
  await until(`the spans of ${name}`, () => spans().some(({ span_parent_id: parent }) => parent === null))
  return spans().map(({ metadata, status_code }) =>
    metadata?.cancelled === 'true' ? 'cancelled' : status_code,
  )
}

const whole = await ask('answer/whole')
assert.match(await whole.text(), /tea[\s\S]{100}/)
assert.deepEqual(await spansOf('whole'), [200, 200])

for (const model of ['slow', 'silent']) {
  const leaving = new AbortController()
  const answering = ask(`answer/${model}`, leaving.signal)
  if (model === 'slow') assert.ok((await (await answering).body.getReader().read()).value.length > 0)
  await until(`the request of ${model}`, () => local.requests.some((request) => request.model === model))
  leaving.abort()
  if (model === 'silent')
    await assert.rejects(
      answering.then((response) => response.text()),
      { name: 'AbortError' },
    )
  assert.deepEqual(await spansOf(model), ['cancelled', 'cancelled'])
  await until(`the end of ${model}`, () => local.requests.every(({ outcome }) => outcome !== 'pending'))
  assert.equal(local.requests.find((request) => request.model === model).outcome, 'aborted')
}

await assert.rejects(ask('answer/cut').then((response) => response.text()))
assert.deepEqual(await spansOf('cut'), [502, 502])

assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /tea[\s\S]{100}/)
assert.match(await (await ask('unflushed')).text(), /tea[\s\S]{100}/)
app.kill('SIGTERM')
await exited
assert.deepEqual(await spansOf('unflushed'), [200, 200])
assert.deepEqual(await spansOf('page'), [200, 200])

console.log('Next.js: ok')
await local.close()
