// node tools/foreign/test.mjs, after `npm run build` and `npm ci --ignore-scripts` in this folder: our generators through
// a gateway that nobody here wrote (@portkey-ai/gateway), in front of a provider that nobody here wrote
// (@copilotkit/aimock). In CI only: it installs 95 packages.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { LLMock } from '@copilotkit/aimock'
import { lastValueFrom, of, toArray } from 'rxjs'
import {
  attempt,
  memorySink,
  openaiGenerate,
  respanGenerate,
  respanTrace,
  tokens,
  wholeReply,
} from '../../dist/index.js'

const TEXT = 'Tea is an infusion of leaves, drunk everywhere.'
const USAGE = { prompt_tokens: 11, completion_tokens: 12, total_tokens: 23 }

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

const provider = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 4, logLevel: 'silent' })
provider.onMessage('tea', { content: TEXT, model: 'gpt-4o-mini-2024-07-18', usage: USAGE })
provider.onMessage('weather', {
  toolCalls: [{ name: 'get_weather', arguments: '{"city":"Paris"}', id: 'a' }],
})
provider.onMessage('nothing', { error: { message: 'No tea left', code: 'no_tea' }, status: 400 })
provider.onMessage('broken', { content: TEXT }, { truncateAfterChunks: 4, latency: 5 })
await provider.start()

const gateway = fork(path('node_modules/@portkey-ai/gateway/build/start-server.js'), ['--headless'], {
  execArgv: ['--import', new URL('preload.mjs', import.meta.url).href],
  stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
})

// It reports the stream that is broken on purpose; of interest only when something else goes wrong.
let complaints = ''
gateway.stderr.on('data', (bytes) => {
  complaints += bytes
})

try {
  const [port] = await Promise.race([
    once(gateway, 'message'),
    once(gateway, 'exit').then(([code]) => assert.fail(`the gateway ended (${code})`)),
  ])

  const connection = {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKey: 'mock',
    retry: { count: 0 },
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${provider.url}/v1` },
  }
  const model = 'gpt-4o-mini'

  for (const generate of [openaiGenerate, respanGenerate]) {
    const whole = generate({ model, ...connection })
    const stream = generate({ model, stream: true, ...connection })
    const tools = { params: { tools: [{ type: 'function', function: { name: 'get_weather' } }] } }
    const run = (prompt, ...operators) => lastValueFrom(of(prompt).pipe(...operators))

    for (const reply of [await run('tea', whole), await run('tea', stream, wholeReply())]) {
      assert.deepEqual(reply.replies, [TEXT])
      const [{ model: answering, finish_reason, usage }] = reply.meta
      assert.equal(answering, 'gpt-4o-mini-2024-07-18')
      assert.equal(finish_reason, 'stop')
      assert.deepEqual(usage, USAGE)
    }

    const pieces = await run('tea', stream, tokens(), toArray())
    assert.equal(pieces.join(''), TEXT)
    assert.ok(pieces.length > 5, `${pieces.length} tokens`)

    const calling = [
      generate({ model, ...connection, ...tools }),
      generate({ model, stream: true, ...connection, ...tools }),
    ]
    for (const [reply] of [
      [await run('weather', calling[0])],
      [await run('weather', calling[1], wholeReply())],
    ]) {
      const [call] = reply.messages[0].tool_calls
      assert.equal(reply.meta[0].finish_reason, 'tool_calls')
      assert.deepEqual(call.function, { name: 'get_weather', arguments: '{"city":"Paris"}' })
    }

    for (const refused of [await run('nothing', attempt(whole)), await run('nothing', attempt(stream))]) {
      assert.equal(refused.left?._tag, 'HttpError')
      assert.equal(refused.left.status, 400)
      assert.match(refused.left.message, /No tea left/)
    }

    const sink = memorySink()
    const cut = await run('broken', attempt(stream), respanTrace('broken', { sink }))
    assert.equal(cut.left?._tag, 'StreamInterrupted')
    assert.ok(TEXT.startsWith(cut.left.partial.replies[0]))
    assert.equal(sink.spans()[0].status, 'truncated')
  }
  console.log('Both generators work through @portkey-ai/gateway in front of @copilotkit/aimock.')
} catch (error) {
  process.stderr.write(complaints)
  throw error
} finally {
  gateway.kill()
  await provider.stop()
}
