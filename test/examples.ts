import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { startLocal } from 'respan-rx/local'
import { moduleFile } from './helpers/moduleFile.js'

const run = promisify(execFile)

const printed = async (script: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const { RESPAN_API_KEY: _, RESPAN_BASE_URL: __, OPENAI_API_KEY: ___, ...env } = process.env
  const { stdout, stderr } = await run(process.execPath, [script, ...args], { env })
  return stdout + stderr
}

const example = (name: string): Promise<string> => printed('build/examples/run.js', name)

const URL = /Trace URL: http:\/\/127\.0\.0\.1:\d+\/traces\/[0-9a-f]{32}/

test('npm start prints the tokens, the tree and the URL, and ends by itself without a terminal', async (t) => {
  const text = await printed('build/examples/start.js')
  t.regex(text, /No RESPAN_API_KEY/)
  t.regex(text, /artificial intelligence/)
  t.regex(
    text,
    /My Workflow +workflow .*\n├─ buildPrompt +task .*\n└─ respanGenerate +generation .*tokens.*gpt-4o-mini/,
  )
  t.regex(text, /Delivered\.\nTrace URL: http.*\n\nNo terminal: the page is gone when this ends\.\n$/)
})

test('npm start shows the tree in a terminal that does not know its width', async (t) => {
  const script = moduleFile(
    t,
    `process.stdout.columns = 0
await import(${JSON.stringify(pathToFileURL(resolve('build/examples/start.js')).href)})`,
  )
  t.regex(await printed(script), /\nMy Workflow +workflow .*\n├─ buildPrompt /)
})

test('npm start says what to do about a key that is refused, and shows the failed trace', async (t) => {
  const local = await startLocal({ apiKey: 'right' })
  t.teardown(local.close)
  const env = { ...process.env, RESPAN_API_KEY: 'wrong', RESPAN_BASE_URL: local.baseUrl }
  // On a slow machine its sink would send what has ended before the request has failed.
  const unhurried = moduleFile(
    t,
    `const { setTimeout } = globalThis
globalThis.setTimeout = (work, delay) => setTimeout(work, delay > 100 ? 600_000 : delay)
await import(${JSON.stringify(pathToFileURL(resolve('build/examples/start.js')).href)})`,
  )
  const failed = await t.throwsAsync<Error & { readonly stdout: string; readonly stderr: string }>(
    run(process.execPath, [unhurried], { env }),
  )
  t.regex(failed?.stdout ?? '', /└─ respanGenerate +generation .* error 401 HttpError.*\nDelivering/)
  t.is(
    local.requests.filter(({ path }) => path.endsWith('/traces/ingest')).length,
    1,
    'it is not tried all over again',
  )
  t.regex(failed?.stderr ?? '', /^HTTP 401: .*\(check the Respan API key: RESPAN_API_KEY or apiKey\)$/m)
  t.notRegex(failed?.stderr ?? '', /\n +at /)
})

test('gateway: the reply and its tokens', async (t) => {
  const text = await example('gateway')
  t.regex(text, /machine learning/)
  t.regex(text, /gpt-4o-mini-.*: \d+ tokens/)
  t.notRegex(text, /the page/u, 'there is no trace to show')
})

test('prompt: the stored prompt, with its variable', async (t) => {
  const text = await example('prompt')
  t.regex(text, /streaming/)
  t.notRegex(text, /the page/u, 'there is no trace to show')
})

test('tracing: a call past the gateway, with a link', async (t) => {
  const text = await example('tracing')
  t.regex(text, URL)
  t.regex(text, /No terminal: the page is gone when this ends\.\n$/)
  t.regex(text, /artificial intelligence/)
})

test('tracing-gateway: both, token by token', async (t) => {
  const text = await example('tracing-gateway')
  t.regex(text, URL)
  t.regex(text, /reactive programming/)
})

test('everything: a fallback, load balancing and the cost, as a tree', async (t) => {
  const text = await example('everything')
  t.regex(text, URL)
  t.regex(text, /Summed up by gpt-4o\S* for 0\.\d+ USD/)
  t.regex(text, /├─ retriever +task/)
  t.regex(text, /├─ draft +generation .*\$0\.\d+ +claude-sonnet-4-5\S* +ok/)
  t.regex(text, /└─ summary +generation .*\$0\.\d+ +gpt-4o\S* +ok/)
})
