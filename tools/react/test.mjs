// node tools/react/test.mjs, after `npm run build` and `npm ci` in this folder: an app as Vite makes them, with the code of
// the README, in Debian's Chromium (CHROMIUM names another one), from Vite's server and as it is built; and a bundle of
// the files that React Native's Metro finds.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import react from '@vitejs/plugin-react'
import { resolve as metroResolve } from 'metro-resolver'
import { chromium } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { build as rolldown } from 'rolldown'
import { build, createServer, preview } from 'vite'
import { unpack } from '../unpack.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const root = path('../..')
// Here, so that it finds React and Vite.
const project = path('build')

/** The files of the README's block, by the name that each begins with; what they import is at hand there. */
const readmeFiles = () => {
  const [, block] = /### React\n[\s\S]*?```tsx\n([\s\S]*?)```/.exec(
    readFileSync(join(root, 'README.md'), 'utf8'),
  )
  const [, , respan, , answer] = /^(\/\/ respan\.ts)\n([\s\S]*?)(\/\/ Answer\.tsx)\n([\s\S]*)$/.exec(block)
  return {
    'src/respan.ts': `
import { bufferedSink, respanGenerate, respanTransport } from 'respan-rx'
import { indexedDbSpool } from 'respan-rx/browser'
${respan}`,
    'src/Answer.tsx': `
import { useEffect, useState } from 'react'
import { respanTrace, snapshots } from 'respan-rx'
import { of } from 'rxjs'
import { ask, sink } from './respan'
${answer}`,
  }
}

rmSync(project, { recursive: true, force: true })
mkdirSync(join(project, 'src'), { recursive: true })
const files = {
  'package.json': JSON.stringify({ name: 'app', private: true, type: 'module' }),
  'index.html':
    '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/src/main.tsx"></script>',
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023', 'dom'],
      module: 'esnext',
      moduleResolution: 'bundler',
      jsx: 'react-jsx',
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      skipLibCheck: false,
      noEmit: true,
    },
    include: ['src'],
  }),
  ...readmeFiles(),
  'src/main.tsx': `
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App'
import { sink } from './respan'

Object.assign(globalThis, { sink })
const element = document.getElementById('root')
if (element !== null) createRoot(element).render(<StrictMode><App /></StrictMode>)`,
  'src/App.tsx': `
import { Component, type ReactNode, Suspense, use, useCallback, useRef, useState, useSyncExternalStore } from 'react'
import { flushSync } from 'react-dom'
import { isRespanError, respanGenerate, respanTrace, snapshots, traceEach } from 'respan-rx'
import { lastValueFrom, type Observable, of, Subject, switchMap } from 'rxjs'
import { Answer } from './Answer'
import { ask, sink } from './respan'

/** The usual hook: the latest value of an observable that stays the same from one render to the next. */
const useObservable = <T,>(source: Observable<T>, initial: T): T => {
  const latest = useRef(initial)
  const subscribe = useCallback(
    (changed: () => void) => {
      const run = source.subscribe((value) => {
        latest.current = value
        changed()
      })
      return () => run.unsubscribe()
    },
    [source],
  )
  return useSyncExternalStore(subscribe, () => latest.current)
}

const Search = () => {
  const [query$] = useState(() => new Subject<string>())
  const [answer$] = useState(() =>
    query$.pipe(traceEach('Search', { flatten: switchMap, sink }, ask, snapshots())),
  )
  const answer = useObservable(answer$, '')
  return (
    <>
      <input onChange={({ target }) => query$.next(target.value)} />
      <p>{answer}</p>
    </>
  )
}

class Boundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {}
  static getDerivedStateFromError = (error: unknown) => ({ error })
  override render = () => {
    const { error } = this.state
    return error === undefined ? this.props.children : <p>{isRespanError(error) ? error._tag : 'unknown'}</p>
  }
}

const baseUrl = '/api/respan'
const replyOf = (model: string): Promise<string> =>
  lastValueFrom(of('Hi').pipe(respanGenerate({ model, baseUrl }), respanTrace('Suspended', { sink }))).then(
    ({ replies: [text = ''] }) => text,
  )
const Reply = ({ promise }: { promise: Promise<string> }) => <p>{use(promise)}</p>

const Asked = ({ model }: { model: string }) => {
  const [promise, setPromise] = useState<Promise<string>>()
  return (
    <Boundary>
      <button onClick={() => setPromise(replyOf(model))}>ask</button>
      <Suspense fallback="waiting">{promise !== undefined && <Reply promise={promise} />}</Suspense>
    </Boundary>
  )
}

/** Gone in the tick of its first piece. */
const Hasty = () => {
  const [gone, setGone] = useState(false)
  const [text$] = useState(() => of('Hi').pipe(ask, snapshots(), respanTrace('Hasty', { sink })))
  return gone ? <p>gone</p> : <Pieces text$={text$} onPiece={() => flushSync(() => setGone(true))} />
}
const Pieces = ({ text$, onPiece }: { text$: Observable<string>; onPiece: () => void }) => {
  const subscribe = useCallback(
    () => {
      const run = text$.subscribe(onPiece)
      return () => run.unsubscribe()
    },
    [text$],
  )
  return useSyncExternalStore(subscribe, () => '')
}

const PARTS: Readonly<Record<string, ReactNode>> = {
  answer: <Answer question="Tell me about tea." />,
  broken: <Boundary><Answer question="break" /></Boundary>,
  search: <Search />,
  reply: <Asked model="gpt-4o-mini" />,
  refused: <Asked model="refused" />,
  hasty: <Hasty />,
}

export const App = () => {
  const [shown, setShown] = useState(true)
  return (
    <>
      <button id="leave" onClick={() => setShown(false)}>leave</button>
      {shown && PARTS[location.search.slice(1)]}
    </>
  )
}`,
  // What an app of React Native imports, at least.
  'native.js': `
import { bufferedSink, respanGenerate, respanTrace, respanTransport, tokens } from 'respan-rx'
import { of } from 'rxjs'

const { baseUrl } = globalThis
const sink = bufferedSink(respanTransport({ baseUrl }))
const pieces = []
of('Hi')
  .pipe(respanGenerate({ model: 'gpt-4o-mini', stream: true, baseUrl }), tokens(), respanTrace('Native', { sink }))
  .subscribe({ next: (piece) => pieces.push(piece), complete: () => sink.flush().then(() => console.log(pieces.join(''))) })`,
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)

unpack(project)

const tsc = join(root, 'node_modules/typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', project], { stdio: ['ignore', 'inherit', 'inherit'] })
console.log('  ✔ compiles as strictly as it can be')

const { startLocal } = await import('../../dist/local/index.js')
const local = await startLocal({
  apiKey: 'key-of-the-server',
  chunkDelay: 5,
  faults: [{ model: 'refused', status: 400 }],
})

// As the README has it, for another server.
const proxy = {
  '/api/respan': {
    target: new URL(local.baseUrl).origin,
    rewrite: (address) => address.replace('/respan', ''),
    headers: { authorization: 'Bearer key-of-the-server' },
  },
}
const config = {
  configFile: false,
  root: project,
  logLevel: 'error',
  plugins: [react()],
  server: { host: '127.0.0.1', port: 0, proxy },
  preview: { host: '127.0.0.1', port: 0, proxy },
}

/** Without a key: what speaks to it is no page. */
const anybody = await startLocal()

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})

const endOf = ({ span_name, status_code, metadata }) =>
  `${span_name} ${metadata?.cancelled === 'true' ? 'cancelled' : status_code}`

/** Waits until no request is under way, while the page is there that made it. */
const settled = async () => {
  const end = Date.now() + 10_000
  while (local.requests.some(({ outcome }) => outcome === 'pending')) {
    assert.ok(Date.now() < end, 'a request goes on')
    await setTimeout(10)
  }
}

/** A page with one part of the app, what it reports, and what it did. */
const open = async (origin, part) => {
  const from = { spans: local.spans().length, requests: local.requests.length }
  const context = await browser.newContext()
  const page = await context.newPage()
  const complaints = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  await page.goto(`${origin}?${part}`)
  return {
    page,
    complaints,
    text: () => page.locator('p').textContent(),
    until: (isSo, argument) => page.waitForFunction(isSo, argument),
    /** The ends of all spans, each of them sent once, and what became of the requests. */
    done: async () => {
      assert.equal(await page.evaluate(async () => (await globalThis.sink.flush())._tag), 'Right')
      await settled()
      await context.close()
      const spans = local.spans().slice(from.spans)
      assert.equal(new Set(spans.map(({ span_unique_id }) => span_unique_id)).size, spans.length)
      const chats = local.requests.slice(from.requests).filter(({ path }) => path.endsWith('/completions'))
      return { ends: spans.map(endOf), outcomes: chats.map(({ outcome }) => outcome) }
    },
  }
}

const hasText = () => (document.querySelector('p')?.textContent ?? '') !== ''

/** The next answer is still on its way, whatever comes first. */
const HANGS = { hangAfter: 5, times: 1 }

/** What holds on Vite's server, where StrictMode mounts twice, and in what is built. */
const tests = (mountsTwice) => {
  const twice = (ends) => (mountsTwice ? ends.map((end) => end.replace(/\d+$/, 'cancelled')) : [])
  return {
    'an effect streams: of the mount that StrictMode undoes nothing is asked, and its trace is cancelled':
      async (start) => {
        const { complaints, until, text, done } = await start('answer')
        await until((atLeast) => globalThis.sink.stats().accepted === atLeast, mountsTwice ? 4 : 2)
        assert.match(await text(), /tea/)
        const run = ['respanGenerate 200', 'Answer 200']
        assert.deepEqual(await done(), { ends: [...twice(run), ...run], outcomes: ['completed'] })
        assert.deepEqual(complaints, [])
      },

    'a component that is left aborts its request': async (start) => {
      local.fault(HANGS)
      const { page, complaints, until, done } = await start('answer')
      await until(hasText)
      await page.click('#leave')
      const run = ['respanGenerate cancelled', 'Answer cancelled']
      assert.deepEqual(await done(), { ends: [...twice(run), ...run], outcomes: ['aborted'] })
      assert.deepEqual(complaints, [])
    },

    'a component that is gone in the tick of a token aborts its request': async (start) => {
      local.fault(HANGS)
      const { complaints, until, done } = await start('hasty')
      await until(() => document.querySelector('p')?.textContent === 'gone')
      const run = ['respanGenerate cancelled', 'Hasty cancelled']
      assert.deepEqual(await done(), { ends: [...twice(run), ...run], outcomes: ['aborted'] })
      assert.deepEqual(complaints, [])
    },

    'an error in an effect reaches the boundary': async (start) => {
      local.fault({ status: 400, times: 1 })
      const { until, text, done } = await start('broken')
      await until(() => document.querySelector('p')?.textContent === 'HttpError')
      assert.equal(await text(), 'HttpError')
      const { ends } = await done()
      assert.deepEqual(ends.slice(-2), ['respanGenerate 400', 'Answer 400'])
    },

    'a search box: a new query aborts the request of the old one': async (start) => {
      local.fault(HANGS)
      const { page, complaints, until, done } = await start('search')
      await page.fill('input', 'Tell me about tea.')
      await until(hasText)
      await page.fill('input', 'Tell me about bread.')
      await until(() => globalThis.sink.stats().accepted === 4)
      assert.match(await page.locator('p').textContent(), /bread/)
      assert.deepEqual(await done(), {
        ends: ['respanGenerate cancelled', 'Search cancelled', 'respanGenerate 200', 'Search 200'],
        outcomes: ['aborted', 'completed'],
      })
      assert.deepEqual(complaints, [])
    },

    'a promise suspends, and one that fails reaches the boundary': async (start) => {
      const reply = await start('reply')
      await reply.page.getByText('ask').click()
      await reply.until(() => document.querySelector('p') !== null)
      assert.deepEqual(await reply.done(), {
        ends: ['respanGenerate 200', 'Suspended 200'],
        outcomes: ['completed'],
      })
      assert.deepEqual(reply.complaints, [])
      const refused = await start('refused')
      await refused.page.getByText('ask').click()
      await refused.until(() => document.querySelector('p')?.textContent === 'HttpError')
      assert.deepEqual((await refused.done()).ends, ['respanGenerate 400', 'Suspended 400'])
    },
  }
}

/** Saves a file in which another question is asked, while the answer to the first one is held up. */
const hotUpdate = async (start) => {
  local.fault(HANGS)
  const { complaints, until, text, done } = await start('answer')
  await until(hasText)
  writeFileSync(join(project, 'src/App.tsx'), files['src/App.tsx'].replace('about tea', 'about bread'))
  await until(() => globalThis.sink.stats().accepted === 6)
  assert.match(await text(), /bread/)
  const left = ['respanGenerate cancelled', 'Answer cancelled']
  // The mount that StrictMode undoes, the one that the update ends, and the one after it.
  assert.deepEqual(await done(), {
    ends: [...left, ...left, 'respanGenerate 200', 'Answer 200'],
    outcomes: ['aborted', 'completed'],
  })
  assert.deepEqual(complaints, [])
}

/** What is built has the request's client in a chunk of its own, and nothing that the app does not use. */
const built = () => {
  const folder = join(project, 'dist/assets')
  const chunks = readdirSync(folder).filter((file) => file.endsWith('.js'))
  const main = chunks.find((file) => file.startsWith('index-'))
  const texts = new Map(chunks.map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
  const holds = (text) => chunks.filter((file) => texts.get(file).includes(text))
  // Words of ky, of the spool, and of what is not used: templates, the local gateway, marbles.
  assert.equal(holds('throwHttpErrors').length, 2)
  assert.deepEqual(
    holds('.retryCount').filter((file) => file === main),
    [],
  )
  assert.deepEqual(holds('IndexedDB is not available.'), [main])
  for (const unused of ['Unknown statement type', 'Origin not allowed', 'marbles end with'])
    assert.deepEqual(holds(unused), [], unused)
}

/** The package that a file is in, as Metro describes it. */
const packageOf = (file) => {
  for (let folder = file; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest))
      return {
        rootPath: folder,
        packageJson: JSON.parse(readFileSync(manifest, 'utf8')),
        packageRelativePath: relative(folder, file),
      }
  }
  return null
}

/** Where Metro finds an import, set as React Native sets it. */
const metroFile = (name, originModulePath) => {
  const { filePath } = metroResolve(
    {
      allowHaste: false,
      assetExts: new Set(),
      customResolverOptions: {},
      dev: false,
      extraNodeModules: null,
      fileSystemLookup: (file) =>
        existsSync(file)
          ? { exists: true, type: statSync(file).isDirectory() ? 'd' : 'f', realPath: file }
          : { exists: false },
      doesFileExist: existsSync,
      getPackage: (manifest) => (existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : null),
      getPackageForModule: packageOf,
      isESMImport: true,
      mainFields: ['react-native', 'browser', 'main'],
      nodeModulesPaths: [],
      originModulePath,
      preferNativePlatform: true,
      redirectModulePath: (file) => file,
      resolveAsset: () => undefined,
      resolveHasteModule: () => undefined,
      resolveHastePackage: () => undefined,
      sourceExts: ['js', 'json'],
      unstable_conditionNames: ['react-native'],
      unstable_conditionsByPlatform: {},
      unstable_enablePackageExports: true,
      unstable_logWarning: () => undefined,
    },
    name,
    'ios',
  )
  return filePath
}

/** As it is written for the page: nothing of it runs before an effect, and there are none on a server. */
const rendered = async (vite) => {
  const { Answer } = await vite.ssrLoadModule('/src/Answer.tsx')
  assert.equal(renderToString(createElement(Answer, { question: 'Tea?' })), '<p></p>')
}

let passed = 0
let failed = 0
const check = async (title, work) => {
  try {
    await work()
    passed++
    console.log(`  ✔ ${title}`)
  } catch (thrown) {
    failed++
    console.log(`  ✘ ${title}\n`, thrown)
  }
}

const originOf = ({ httpServer }) => `http://127.0.0.1:${httpServer.address().port}/`

const server = await createServer(config)
await server.listen()
const onServer = (part) => open(originOf(server), part)
for (const [title, work] of Object.entries(tests(true)))
  await check(`on Vite's server: ${title}`, () => work(onServer))
await check('a server that renders the page first loads the files of the page', () => rendered(server))
await check("on Vite's server: a hot update ends the run, and begins another one", () => hotUpdate(onServer))
await server.close()
// A hot update has changed one.
writeFileSync(join(project, 'src/App.tsx'), files['src/App.tsx'])

// Vite's server has set it.
delete process.env.NODE_ENV
await build(config)
await check('what is built loads the client with the first request, and has only what is used', built)
const previewed = await preview(config)
const onPreview = (part) => open(originOf(previewed), part)
for (const [title, work] of Object.entries(tests(false)))
  await check(`built: ${title}`, () => work(onPreview))
await previewed.close()
await browser.close()

await check('React Native: what Metro finds runs without the globals that are missing there', async () => {
  const bundle = join(project, 'native.cjs')
  await rolldown({
    input: join(project, 'native.js'),
    plugins: [{ name: 'metro', resolveId: (name, importer) => importer && metroFile(name, importer) }],
    output: { file: bundle, format: 'cjs', codeSplitting: false },
  })
  const { stdout } = await promisify(execFile)(process.execPath, [
    path('native.mjs'),
    anybody.baseUrl,
    bundle,
  ])
  assert.match(stdout, /How can I help/)
  assert.deepEqual(anybody.spans().map(endOf), ['respanGenerate 200', 'Native 200'])
})
await anybody.close()
await local.close()

console.log(`\n  ${passed} tests passed`)
if (failed > 0) {
  console.log(`  ${failed} test${failed === 1 ? '' : 's'} failed`)
  process.exitCode = 1
}
