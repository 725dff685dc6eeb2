// node tools/runtimes/workerd.mjs, after `npm run build` and `npm ci` in this folder: the library in workerd, the runtime
// of Cloudflare's Workers, in front of the local gateway.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'
import { startLocal } from '../../dist/local/index.js'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

await build({
  input: path('worker.mjs'),
  platform: 'browser',
  output: { file: path('build/worker.js'), codeSplitting: false },
})

const local = await startLocal({ apiKey: 'a-key', maxTraces: 1_000 })
const workerd = spawn(
  path('node_modules/workerd/bin/workerd'),
  ['serve', '--control-fd=3', path('workerd.capnp')],
  { env: { RESPAN_BASE_URL: local.baseUrl }, stdio: ['ignore', 'inherit', 'pipe', 'pipe'] },
)
let printed = ''
workerd.stderr.on('data', (bytes) => {
  printed += bytes
  process.stderr.write(bytes)
})

/** Waits until something is so: what is delivered comes after the answer. */
const until = async (isSo) => {
  const end = Date.now() + 15_000
  while (!isSo()) {
    assert.ok(Date.now() < end, `${local.spans().length} spans have arrived; printed: ${printed}`)
    await setTimeout(10)
  }
}

/** What a request answers, and the trace of three spans that it leaves. */
const traceOf = async (query) => {
  const before = local.spans().length
  const text = await (await fetch(`${url}${query}`)).text()
  await until(() => local.spans().length >= before + 3)
  const spans = local.spans().slice(before)
  return { text, spans: spans.map(({ span_name, metadata }) => [span_name, metadata?.cancelled === 'true']) }
}

let url
try {
  const [listening] = await Promise.race([
    once(workerd.stdio[3], 'data'),
    once(workerd, 'exit').then(([code]) => assert.fail(`workerd ended (${code})`)),
  ])
  url = `http://127.0.0.1:${JSON.parse(listening).port}/`

  const whole = await traceOf('')
  assert.match(whole.text, /tea/)
  assert.ok(whole.text.length > 100, whole.text)
  assert.deepEqual(whole.spans, [
    ['wait', false],
    ['respanGenerate', false],
    ['Worker', false],
  ])

  const cut = await traceOf('?count=2')
  assert.equal(cut.text, whole.text.slice(0, cut.text.length))
  assert.ok(cut.text.length < whole.text.length, cut.text)
  assert.deepEqual(cut.spans, [
    ['wait', false],
    ['respanGenerate', true],
    ['Worker', false],
  ])

  // All by one sink, while the requests that share it come and go.
  for (let round = 0; round < 5; round++) {
    const before = local.spans().length
    await Promise.all(
      Array.from({ length: 100 }, () => fetch(`${url}?whole`).then((answer) => answer.text())),
    )
    await until(() => local.spans().length === before + 300)
  }

  // What a request has not flushed goes out with the next flush.
  const before = local.spans().length
  await (await fetch(`${url}?unflushed`)).text()
  await (await fetch(url)).text()
  await until(() => local.spans().length === before + 6)

  // What is to be told is printed, though a Worker's process prints no warnings.
  assert.equal(await (await fetch(`${url}?broken`)).text(), 'traced')
  await until(() => printed.includes('[RESPAN_SINK]'))

  console.log('A Worker streams, cancels, keeps its parents, delivers and warns.')
} finally {
  workerd.kill('SIGKILL')
  await local.close()
}
