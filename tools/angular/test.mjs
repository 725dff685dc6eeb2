// node tools/angular/test.mjs, on Node 22 or newer, after `npm run build` and `npm ci` in this folder: an application of
// Angular, compiled by its own compiler, rendered on a server and used in Debian's Chromium (CHROMIUM names another one),
// with zone.js and without it. Its services are the README's block.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defaultGatherDiagnostics, performCompilation, readConfiguration } from '@angular/compiler-cli'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { startLocal } from '../../dist/local/index.js'
import { unpack } from '../unpack.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const root = path('../..')
const project = path('build')

// ── the project

const [, block] = /### Angular[\s\S]*?```ts\n([\s\S]*?)```/.exec(
  readFileSync(join(root, 'README.md'), 'utf8'),
)

const imports = `
import { DOCUMENT, isPlatformBrowser } from '@angular/common'
import { DestroyRef, InjectionToken, inject, PLATFORM_ID } from '@angular/core'
import { attempt, bufferedSink, respanGenerate, respanTransport, snapshots, traceEach } from 'respan-rx'
import { indexedDbSpool } from 'respan-rx/browser'
import { switchMap } from 'rxjs'`

rmSync(project, { recursive: true, force: true })
mkdirSync(project)
cpSync(path('app'), join(project, 'app'), { recursive: true })
writeFileSync(join(project, 'app/readme.ts'), `${imports}\n${block}\nexport { baseUrl }\n`)
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'chat', private: true, type: 'module' }))
unpack(project)

// ── types

const found = []
performCompilation({
  ...readConfiguration(join(project, 'app')),
  // None of these keeps the rest from being compiled.
  gatherDiagnostics: (program) => {
    found.push(...defaultGatherDiagnostics(program))
    return []
  },
})
assert.deepEqual(
  found.map(({ file, messageText }) => [
    basename(file?.fileName ?? ''),
    /^[^.]+/.exec(messageText.messageText ?? messageText)?.[0],
  ]),
  [
    ['wrong.ts', "Property 'right' does not exist on type 'Either<RespanError, string>'"],
    ['wrong.ts', "Property 'text' does not exist on type 'ReplyEvent'"],
  ],
)
console.log('Types, in the strictest templates: ok')

// ── bundles, made as Angular's own build makes them

const bundle = async (contents, outfile, isZoned, options) => {
  const { warnings } = await build({
    stdin: { contents: `import '@angular/compiler'\n${contents}`, resolveDir: path('.') },
    bundle: true,
    format: 'esm',
    outfile: join(project, outfile),
    mainFields: ['es2020', 'es2015', 'module', 'main'],
    conditions: ['es2020', 'es2015', 'module'],
    define: {
      ZONE: String(isZoned),
      ngDevMode: 'false',
      ngServerMode: String(options.platform === 'node'),
    },
    // So that zone.js sees each await.
    ...(isZoned ? { supported: { 'async-await': false, 'async-generator': false, 'for-await': false } } : {}),
    logLevel: 'error',
    ...options,
  })
  assert.deepEqual(warnings, [])
}

// ── what happens

/** As long as a render, a page or a delivery may take, ms. */
const LIMIT = 30_000

/** Waits until something is so. */
const until = async (isSo) => {
  const end = Date.now() + LIMIT
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `It took more than ${LIMIT} ms.`)
    await setTimeout(10)
  }
}

/** The traces among some spans, or the children of one, by their names. */
const shapes = (spans, parent = null) =>
  spans
    .filter(({ span_parent_id: id }) => (id ?? null) === parent)
    .map(({ span_name: name, span_unique_id: id }) => `${name}(${shapes(spans, id).join(' ')})`)
    .sort()

/** In a page: the spans in its database. */
const written = () =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open('respan-rx')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const database = opening.result
      const counting = database.transaction('spans').objectStore('spans').count()
      counting.onsuccess = () => {
        database.close()
        resolve(counting.result)
      }
    }
  })

const RENDERED = ['answer(respanGenerate())', 'first of a pair(digest())', 'second of a pair(digest())']

const RENDERS = 10

// ── an application in use

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})

const use = async (isZoned) => {
  const zone = (name) => (isZoned ? `import '${name}'\n` : '')
  await bundle(`${zone('zone.js/node')}import './server.mjs'`, 'server.js', isZoned, {
    platform: 'node',
    external: ['node:*'],
  })
  await bundle(`${zone('zone.js')}import './build/out/page.js'`, 'page.js', isZoned, { target: 'es2022' })

  const local = await startLocal({ apiKey: 'a-key', chunkDelay: 5 })
  const server = fork(join(project, 'server.js'), {
    env: {
      ...process.env,
      RESPAN_BASE_URL: local.baseUrl,
      RESPAN_API_KEY: 'a-key',
      PAGE: join(project, 'page.js'),
    },
  })
  try {
    const [port] = await Promise.race([
      once(server, 'message'),
      once(server, 'exit').then(([code]) => assert.fail(`The server ended (${code}).`)),
    ])
    const url = `http://127.0.0.1:${port}/`

    // A render waits for the answers, and not for the sink.
    const signal = AbortSignal.timeout(LIMIT)
    const pages = await Promise.all(
      Array.from({ length: RENDERS }, () => fetch(url, { signal }).then((answer) => answer.text())),
    )
    for (const text of pages) {
      assert.match(text, /id="rendered">[^<]*tea[^<]*\.</)
      assert.match(text, /id="pair">64</)
    }
    await until(() => local.spans().length >= RENDERS * 6)
    assert.deepEqual(
      shapes(local.spans()),
      RENDERED.flatMap((shape) => Array(RENDERS).fill(shape)),
    )

    // Nor does a page.
    const page = await browser.newPage()
    const problems = []
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(url)
    await until(() => page.evaluate(() => globalThis.handles !== undefined))
    await page.evaluate(() => {
      globalThis.handles.app.whenStable().then(() => {
        globalThis.handles.isStable = true
      })
    })
    await until(() => page.evaluate(() => globalThis.handles.isStable === true))

    if (isZoned) {
      const before = await page.evaluate(() => globalThis.handles.rounds())
      for (let count = 0; count < 20; count++) await page.evaluate(() => globalThis.handles.trace())
      await until(() => page.evaluate(written).then((count) => count === 26))
      await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
      assert.equal((await page.evaluate(() => globalThis.handles.rounds())) - before, 20)
    }

    // Its last answer is one that stands still.
    const before = local.spans().length
    local.fault({ hangAfter: 4 })
    await page.evaluate(() => globalThis.handles.ask('coffee'))
    await page.locator('#answer').waitFor()
    await page.evaluate(() => globalThis.handles.app.destroy())
    const cancelled = () =>
      local
        .spans()
        .slice(before)
        .filter(({ metadata }) => metadata?.cancelled === 'true')
    await until(() => cancelled().length === 2)
    assert.deepEqual(problems, [])
    await page.close()
    console.log(`Rendered, hydrated, left, ${isZoned ? 'with' : 'without'} zone.js: ok`)
  } finally {
    server.kill()
    await local.close()
  }
}

await use(true)
await use(false)
await browser.close()
