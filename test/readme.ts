import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { startLocal } from 'respan-rx/local'

const run = promisify(execFile)

const firstBlock = (markdown: string): string => /```ts\n([\s\S]*?)```/.exec(markdown)?.[1] ?? ''

test('the first block of the README runs as it stands, and its trace is delivered when it ends', async (t) => {
  const local = await startLocal({ apiKey: 'key-of-the-readme' })
  t.teardown(local.close)
  // Inside the project, so that it finds the package by its own name.
  const folder = await mkdtemp(join('build', 'readme-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const script = join(folder, 'first-block.mjs')
  await writeFile(script, firstBlock(await readFile('README.md', 'utf8')))
  const env = { ...process.env, RESPAN_BASE_URL: local.baseUrl, RESPAN_API_KEY: 'key-of-the-readme' }
  const { stdout, stderr } = await run(process.execPath, [script], { env })
  t.is(stderr, '')
  const [url = '', reply = ''] = stdout.split('\n')
  t.regex(url, /^http:\/\/127\.0\.0\.1:\d+\/traces\/[0-9a-f]{32}$/)
  t.regex(reply, /artificial intelligence/)
  t.regex(stdout, /total_tokens: \d+/)
  t.deepEqual(
    local
      .spans()
      .map(({ span_name, log_type }) => [span_name, log_type])
      .sort(),
    [
      ['My Workflow', 'workflow'],
      ['buildPrompt', 'task'],
      ['respanGenerate', 'chat'],
    ],
  )
  t.regex(await (await fetch(url)).text(), /My Workflow/)
})
