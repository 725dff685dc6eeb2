import { execFile } from 'node:child_process'
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import * as respanRx from 'respan-rx'
import * as browser from 'respan-rx/browser'
import { startLocal } from 'respan-rx/local'
import * as node from 'respan-rx/node'
import * as testing from 'respan-rx/testing'
import * as rxjs from 'rxjs'
import ts from 'typescript'
import { moduleFile } from './helpers/moduleFile.js'

const run = promisify(execFile)

const blocksOf = (markdown: string): ReadonlyArray<string> =>
  Array.from(markdown.matchAll(/```ts\n([\s\S]*?)```/g), ([, code = '']) => code)

test('the first block of the README runs as it stands, and its trace is delivered when it ends', async (t) => {
  const local = await startLocal({ apiKey: 'key-of-the-readme' })
  t.teardown(local.close)
  const script = moduleFile(t, blocksOf(await readFile('README.md', 'utf8'))[0] ?? '')
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

test('a program is watched on a local gateway by its address alone, without a key', async (t) => {
  const local = await startLocal()
  t.teardown(local.close)
  const script = moduleFile(t, blocksOf(await readFile('README.md', 'utf8'))[0] ?? '')
  const { RESPAN_API_KEY: _, ...env } = process.env
  const address = `http://127.0.0.1:${local.port}`
  const { stdout, stderr } = await run(process.execPath, [script], {
    env: { ...env, RESPAN_BASE_URL: address },
  })
  t.is(stderr, '')
  t.true(stdout.startsWith(`${address}/traces/`))
  t.regex(await (await fetch(`${address}/traces`)).text(), /My Workflow/)
})

test('each code of a process warning is in the README', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'))
  const sources = await Promise.all(files.map((file) => readFile(join('src', file), 'utf8')))
  const codes = sources.flatMap((source) =>
    Array.from(source.matchAll(/(?:warn\(|reporterOf\(|code: )'(RESPAN_\w+)'/g), ([, code = '']) => code),
  )
  t.true(codes.includes('RESPAN_TRACE'))
  t.deepEqual(
    codes.filter((code) => !readme.includes(`\`${code}\``)),
    [],
  )
})

test('the block for whoever has no key yet runs as it stands', async (t) => {
  const block = blocksOf(await readFile('README.md', 'utf8')).find((code) => code.includes('startLocal'))
  const { RESPAN_API_KEY: _, ...env } = process.env
  const { stdout, stderr } = await run(process.execPath, [moduleFile(t, block ?? '')], { env })
  t.is(stderr, '')
  t.regex(stdout, /tea/)
})

/** What a block prints that is run as it stands, with what it uses at hand; what it ends with is subscribed to. */
const printed = async (
  t: ExecutionContext,
  includes: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const block = blocksOf(await readFile('README.md', 'utf8')).find((code) => code.includes(includes)) ?? ''
  const { statements } = ts.createSourceFile('block.ts', block, ts.ScriptTarget.ES2022)
  const [last] = statements.slice(-1).filter(ts.isExpressionStatement)
  const end = last !== undefined && ts.isCallExpression(last.expression) ? last.expression.end : undefined
  const observed = '.subscribe((value) => console.log(JSON.stringify(value)))'
  const whole = end === undefined ? block : block.slice(0, end) + observed + block.slice(end)
  const named = (module: object): string =>
    Object.keys(module)
      .filter((name) => new RegExp(`\\b${name}\\(`).test(block))
      .join(', ')
  const imports = [
    `import { ${named(respanRx)} } from 'respan-rx'`,
    `import { ${named(rxjs)} } from 'rxjs'`,
    "import * as t from 'io-ts'",
  ]
  const code = `${imports.join('\n')}\n${whole}`
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  })
  const script = moduleFile(t, outputText)
  const { stdout, stderr } = await run(process.execPath, [script], { env: { ...process.env, ...env } })
  t.is(stderr, '')
  return stdout
}

test('the block with a tool asks, answers the call, and asks again', async (t) => {
  const local = await startLocal()
  t.teardown(local.close)
  const env = { RESPAN_BASE_URL: local.baseUrl, RESPAN_API_KEY: 'key-of-the-readme' }
  const reply = JSON.parse(await printed(t, 'toolResult(call.id', env))
  t.is(typeof reply.replies[0], 'string')
  const roles = local.requests.map(
    ({ body }) => respanRx.ChatRequest.is(body) && body.messages?.map(({ role }) => role),
  )
  t.deepEqual(roles, [['user'], ['user', 'assistant', 'tool']])
})

test('the block with a schema decodes what it asked for', async (t) => {
  const local = await startLocal()
  t.teardown(local.close)
  const env = { RESPAN_BASE_URL: local.baseUrl, RESPAN_API_KEY: 'key-of-the-readme' }
  t.like(JSON.parse(await printed(t, 'Where is the Louvre?', env)), {
    _tag: 'Right',
    right: { city: 'Louvre' },
  })
})

test('the block with faults prints what became of the requests', async (t) => {
  // Three tries, the one that is cut, and a delivery.
  t.is(await printed(t, 'cutAfter: 3'), "5 [ [ 'respanGenerate', 502 ], [ 'cut', 200 ] ]\n")
})

test('reads no .env file by itself, and what Node reads of one', async (t) => {
  const local = await startLocal({ apiKey: 'key-of-the-file' })
  t.teardown(local.close)
  const script = `
    import { attempt, respanGenerate } from 'respan-rx'
    import { of } from 'rxjs'
    of('Hi')
      .pipe(attempt(respanGenerate({ model: 'm' })))
      .subscribe((either) => console.log(either.left?._tag ?? either._tag))`
  const file = moduleFile(t, script)
  const cwd = dirname(file)
  await writeFile(join(cwd, '.env'), `RESPAN_API_KEY=key-of-the-file\nRESPAN_BASE_URL=${local.baseUrl}\n`)
  const { RESPAN_API_KEY: _, RESPAN_BASE_URL: __, ...env } = process.env
  const outcome = async (...flags: ReadonlyArray<string>): Promise<string> =>
    (await run(process.execPath, [...flags, file], { cwd, env })).stdout
  t.is(await outcome(), 'MissingApiKey\n')
  t.is(await outcome('--env-file=.env'), 'Right\n')
})

test('a process may end while a local gateway is open that does not hold it', async (t) => {
  const code = `
    import { startLocal } from 'respan-rx/local'
    const { baseUrl } = await startLocal({ unref: true })
    const { status } = await fetch(baseUrl + '/models/public')
    console.log(status)`
  const { stdout } = await run(process.execPath, [moduleFile(t, code)], { timeout: 30_000 })
  t.is(stdout, '200\n')
})

// What the blocks leave to the reader's own code; Angular's own types are those of tools/angular/test.mjs.
const READERS_OWN = `
  const t: typeof import('io-ts')
  const test: typeof import('ava').default
  const apiKey: string
  const model: string
  const template: string
  const query$: import('rxjs').Observable<string>
  const question$: import('rxjs').Observable<string>
  const later$: import('rxjs').Observable<never>
  const search: (question: string) => Promise<ReadonlyArray<string>>
  const retrieve: import('respan-rx').Component<string, { question: string; documents: ReadonlyArray<string> }>
  const rank: import('rxjs').MonoTypeOperatorFunction<ReadonlyArray<string>>
  const Variables: import('io-ts').Mixed
  const createReadStream: typeof import('node:fs').createReadStream
  const isRight: typeof import('fp-ts/lib/Either.js').isRight
  const testScheduler: import('rxjs/testing').TestScheduler
  const run: import('rxjs').Subscription
  const sink: import('respan-rx').Sink
  const startLocal: typeof import('respan-rx/local').startLocal
  const indexedDbSpool: typeof import('respan-rx/browser').indexedDbSpool
  interface Token<A> { readonly of?: A }
  const InjectionToken: new <A>(name: string, options: { readonly factory: () => A }) => Token<A>
  const inject: <A>(token: Token<A>) => A
  const DOCUMENT: Token<Document>
  const PLATFORM_ID: Token<object>
  const DestroyRef: Token<{ readonly onDestroy: (work: () => void) => void }>
  const isPlatformBrowser: (platform: object) => boolean
  const marbleGateway: typeof import('respan-rx/testing').marbleGateway
  const marbles: typeof import('respan-rx/testing').marbles`

const exportsOf = (module: object, specifier: string): ReadonlyArray<string> =>
  Object.keys(module)
    // Newer Nodes name what CommonJS exports as a whole, too.
    .filter((name) => name !== 'default' && name !== 'module.exports')
    .map((name) => `const ${name}: typeof import('${specifier}').${name}`)

/** The compiler's complaints about each block, as a module of its own in which the library and rxjs are at hand. */
const complaints = async (folder: string, blocks: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const globals = join(folder, 'globals.d.ts')
  const atHand = [READERS_OWN, ...exportsOf(respanRx, 'respan-rx'), ...exportsOf(rxjs, 'rxjs')]
  await writeFile(globals, `export {}\ndeclare global {\n${atHand.join('\n')}\n}\n`)
  const files = blocks.map((_, index) => join(folder, `block-${index + 1}.ts`))
  await Promise.all(blocks.map((code, index) => writeFile(files[index] ?? '', `${code}\nexport {}\n`)))
  const program = ts.createProgram([globals, ...files], {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    types: ['node'],
    skipLibCheck: true,
    noEmit: true,
  })
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

/** The examples of the public functions' doc comments, but those that leave something out. */
const examples = async (): Promise<ReadonlyArray<string>> => {
  const files = (await readdir('src', { recursive: true })).filter((file) => !file.startsWith('codecs'))
  const sources = await Promise.all(
    files.filter((file) => file.endsWith('.ts')).map((file) => readFile(join('src', file), 'utf8')),
  )
  return sources
    .flatMap((source) => Array.from(source.matchAll(/@example\n((?: \* .+\n)+)/g), ([, code = '']) => code))
    .filter((code) => !code.includes('…'))
    .map((code) => `export const example = async (question: string) => {\n${code.replaceAll(/^ \* /gm, '')}}`)
}

// Before the others, since the compiler lets none of their time limits be kept.
test.serial(
  'every block of the README and every example of a doc comment compiles, and a wrong one would not',
  async (t) => {
    const folder = await mkdtemp(join('build', 'readme-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const blocks = blocksOf(await readFile('README.md', 'utf8'))
    t.true(blocks.length > 5)
    const given = await examples()
    t.true(given.length > 5)
    const wrong = "respanGenerate({ modle: 'm' })"
    const [complaint, ...others] = await complaints(folder, [...blocks, ...given, wrong])
    t.regex(complaint ?? '', /'modle' does not exist/)
    t.deepEqual(others, [])
  },
)

for (const file of ['README.md', 'CONTRIBUTING.md'])
  test(`every file that ${file} links to exists`, async (t) => {
    const markdown = await readFile(file, 'utf8')
    const targets = Array.from(markdown.matchAll(/\]\((?!https?:)([^)#]+)/g), ([, target = '']) => target)
    t.true(targets.length > 5)
    for (const target of targets) await t.notThrowsAsync(access(target), target)
  })

test('the README names every function of every entry point', async (t) => {
  const markdown = await readFile('README.md', 'utf8')
  const names = [respanRx, browser, node, testing, { startLocal }].flatMap(Object.keys)
  const isFunction = (name: string): boolean => /^[a-z]/.test(name) && name !== 'version'
  t.deepEqual(
    names.filter((name) => isFunction(name) && !markdown.includes(`\`${name}`)),
    [],
  )
})
