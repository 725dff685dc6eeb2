import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import ts from 'typescript'
import { moduleFile } from './helpers/moduleFile.js'

const run = promisify(execFile)

// What an entry exports is a promise: a change of these lists is a decision, and belongs into the changelog.

interface Entry {
  readonly file: string
  readonly values: string
  readonly types: string
}

const ENTRIES: Readonly<Record<string, Entry>> = {
  'respan-rx': {
    file: 'index',
    values: `
      Aborted AssistantMessage ChatChunk ChatMessage ChatParams ChatRequest ChatResponse ContentPart
      Environment ErrorBody Fields GatewayError HttpError IngestRequest IngestResponse InvalidInput
      InvalidResponse LogType Logprobs MissingApiKey NetworkError PromptReference PromptSummary
      PromptVersion RateLimited RequestBreakdown RespanAttributes ResponseFormat SpanPayload
      StreamInterrupted Timeout Tool ToolCall ToolChoice TraceAttributes Usage assistant attempt
      bufferedSink buildPrompt checkPromptVariables component consoleSink currentSpan decode
      defaultSink foldSpans fromChat fromLines fromNdjson fromPromptVersion fromPrompts isRespanError isRetryable
      matchError memorySink messageText noopSink openaiGateway openaiGenerate redacted renderTrace
      respanGateway respanGenerate respanTrace respanTransport sinkMonoid snapshots system tokens
      toolResult traceEach traced user version wholeReply withFallback withSpan
    `,
    types: `
      AssistantChatMessage Attempt BufferPolicy BuildPrompt BuildPromptOptions ByModel ByOpenaiModel ByPrompt
      ByTypedPrompt Bytes CallDetails ChoiceOption Component ComponentOptions Connection ConsoleOptions
      CurrentSpan DecodeFailure DeliveryWarning DeveloperMessage Each FallbackOptions Flatten Flattening
      FlushReport FromChatOptions Gateway GatewayEvent GenerateInput Generation Ids LineOptions
      ListedPrompt MessageContent NdjsonFailure OpenaiGenerate PerItem PromptInput PromptSettings PromptVersionOptions
      Receipt Redact RenderOptions Reply ReplyEvent ReplyMeta RespanConnection RespanError RespanGenerate
      RetryPolicy Sending Sink SinkError SinkStats Span SpanEnded SpanError SpanEvent SpanFirstOutput
      SpanStarted SpanStatus SpanTotals SpanType Spool SpoolHost SpoolPlace SpoolRecord SpoolStore
      SpoolStrength Streaming SystemMessage TimeoutPhase ToolMessage TraceEach TraceEachOptions TraceOptions
      TraceStart TracedOptions Transport UsageSource UserMessage Variables
    `,
  },
  'respan-rx/local': {
    file: 'local/index',
    values: `
      startLocal
    `,
    types: `
      Fault Local LocalOptions LocalPrompt LocalPromptVersion LocalRequest Upstream
    `,
  },
  'respan-rx/node': {
    file: 'node/index',
    values: `
      fileSpool flushOnSignals
    `,
    types: `
      EndingSignal FileSpoolOptions
    `,
  },
  'respan-rx/browser': {
    file: 'browser/index',
    values: `
      indexedDbSpool
    `,
    types: `
      IndexedDbSpoolOptions
    `,
  },
  'respan-rx/testing': {
    file: 'testing/index',
    values: `
      deterministicClock deterministicIds marbleGateway marbles memorySink virtualClock
    `,
    types: `
      MarbleGateway MarbleHelpers MarbleOptions MarbleScript MarbleScripts MarbleToolCall MarbleValue
      ReportedUsage RequestSubscription
    `,
  },
}

const words = (text: string): ReadonlyArray<string> => text.trim().split(/\s+/)

const declarationOf = (file: string): string =>
  readFileSync(new URL(`../dist/${file}.d.ts`, import.meta.url), 'utf8')

/** The names that a module exports as types only. */
const exportedTypes = (file: string): ReadonlyArray<string> =>
  ts
    .createSourceFile(file, declarationOf(file), ts.ScriptTarget.Latest)
    .statements.flatMap((statement) => {
      if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) return []
      if (!ts.isNamedExports(statement.exportClause)) return []
      const { isTypeOnly, exportClause } = statement
      return exportClause.elements.flatMap((element) =>
        isTypeOnly || element.isTypeOnly ? [element.name.text] : [],
      )
    })
    .sort()

/** What a file of the bundle imports of the bundle, and so on. */
const bundleOf = (file: string, seen: ReadonlySet<string> = new Set()): ReadonlySet<string> => {
  if (seen.has(file)) return seen
  const source = readFileSync(new URL(`../dist/bundle/${file}`, import.meta.url), 'utf8')
  const { importedFiles } = ts.preProcessFile(source)
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => join(dirname(file), fileName))
    .reduce<ReadonlySet<string>>((all, next) => bundleOf(next, all), new Set([...seen, file]))
}

for (const [entry, { file, values, types }] of Object.entries(ENTRIES)) {
  test(`${entry} exports these values`, async (t) => {
    t.deepEqual(Object.keys(await import(entry)).sort(), words(values))
  })

  test(`${entry} is the same where bundlers take it module by module`, async (t) => {
    t.deepEqual(Object.keys(await import(`../dist/${file}.js`)).sort(), words(values))
  })

  test(`${entry} exports these types beside them`, (t) => {
    t.deepEqual(exportedTypes(file), words(types))
  })

  test(`${entry} exports by name only`, (t) => {
    t.notRegex(declarationOf(file), /export \*/)
    t.regex(declarationOf(file), /export \{/)
  })
}

test('what goes in and comes out is shown by its name', (t) => {
  const file = fileURLToPath(new URL('../test/sample.ts', import.meta.url))
  const text = `
    import { fromPrompts, fromPromptVersion, type Reply, type traceEach, type UserMessage } from 'respan-rx'
    export const prompts = fromPrompts()
    export const version = fromPromptVersion('p')
    export const contentOf = ({ content }: UserMessage) => content
    export declare const operator: Parameters<typeof traceEach>[2]
    export const usageOf = ({ meta }: Reply) => meta[0]?.usage
  `
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, strict: true }
  const host = ts.createCompilerHost(options)
  const program = ts.createProgram([file], options, {
    ...host,
    getSourceFile: (name, ...rest) =>
      name === file
        ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022)
        : host.getSourceFile(name, ...rest),
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
  const shown = (module === undefined ? [] : checker.getExportsOfModule(module)).map((symbol) =>
    checker.typeToString(checker.getTypeOfSymbol(symbol)),
  )
  t.deepEqual(shown, [
    'Observable<ListedPrompt>',
    'Observable<PromptVersion>',
    '({ content }: UserMessage) => string | readonly ContentPart[]',
    'OperatorFunction<unknown, unknown>',
    '({ meta }: Reply) => Usage | undefined',
  ])
})

// A library that exports one of ours again gets a declaration of it, where a name that can't be imported is an error.
test('declarations made of ours need only names that are exported', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'library-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const modules = join(directory, 'node_modules')
  mkdirSync(join(modules, 'respan-rx'), { recursive: true })
  for (const part of ['dist', 'package.json']) symlinkSync(resolve(part), join(modules, 'respan-rx', part))
  for (const name of ['@types', 'fp-ts', 'io-ts', 'rxjs'])
    symlinkSync(resolve('node_modules', name), join(modules, name))
  const lines = Object.entries(ENTRIES).flatMap(([entry, { values }], index) => [
    `import * as entry${index} from '${entry}'`,
    ...words(values).map((name) => `export const ${name}${index} = entry${index}.${name}`),
  ])
  const file = join(directory, 'library.mts')
  writeFileSync(file, lines.join('\n'))
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    declaration: true,
    // What is linked is taken for installed.
    preserveSymlinks: true,
  })
  const source = program.getSourceFile(file)
  const problems = [...program.getSemanticDiagnostics(source), ...program.getDeclarationDiagnostics(source)]
  t.deepEqual(
    problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')),
    [],
  )
})

/** The parts of a type, of an optional parameter too. */
const partsOf = (type: ts.Type): ReadonlyArray<ts.Type> => (type.isUnion() ? type.types : [type])

test('an editor explains each option that a function takes', (t) => {
  const files = Object.values(ENTRIES).map(({ file }) => resolve('dist', `${file}.d.ts`))
  const program = ts.createProgram(files, { module: ts.ModuleKind.NodeNext, strict: true })
  const checker = program.getTypeChecker()
  const isTaken = ({ flags }: ts.Type): boolean =>
    (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Never)) === 0
  const optionsOf = (fn: ts.Signature): ReadonlyArray<readonly [string, boolean]> =>
    fn.parameters
      .filter(({ name }) => /^(options|connection|policy|__\d+)$/.test(name))
      .flatMap((parameter) => partsOf(checker.getTypeOfSymbol(parameter)))
      .flatMap((type) => checker.getPropertiesOfType(type))
      .filter((option) => partsOf(checker.getTypeOfSymbol(option)).some(isTaken))
      .map((option) => [option.name, option.getDocumentationComment(checker).length > 0])
  const exported = files.flatMap((file) => {
    const source = program.getSourceFile(file)
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
    return module === undefined ? [] : checker.getExportsOfModule(module)
  })
  const options = exported.flatMap((symbol) =>
    checker
      .getTypeOfSymbol(checker.getAliasedSymbol(symbol))
      .getCallSignatures()
      .flatMap(optionsOf)
      .map(([name, isExplained]) => [`${symbol.name} ${name}`, isExplained] as const),
  )
  t.true(options.length > 100)
  t.deepEqual(
    options.filter(([, isExplained]) => !isExplained).map(([name]) => name),
    [],
  )
})

test('an editor explains the options of a generator in each of its forms', (t) => {
  const file = fileURLToPath(new URL('../test/sample.ts', import.meta.url))
  const text = `
    import * as t from 'io-ts'
    import { openaiGenerate, respanGenerate } from 'respan-rx'
    openaiGenerate({ model: 'm', params: {} })
    respanGenerate({ model: 'm', params: () => ({}), attributes: {} })
    respanGenerate({ promptId: 'p', params: {}, attributes: () => ({}) })
    respanGenerate({ promptId: 'p', variables: t.type({}), params: {}, attributes: {} })
  `
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({ module: ts.ModuleKind.NodeNext, strict: true }),
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const content = name === file ? text : ts.sys.readFile(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => dirname(file),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
  })
  for (const { index } of text.matchAll(/(?:params|attributes):/g)) {
    const comments = service.getQuickInfoAtPosition(file, index)?.documentation
    t.regex(ts.displayPartsToString(comments), /under their wire names: a value, or a function of the input/)
  }
})

test('bundlers find the modules before what Node loads, also those for servers', (t) => {
  const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  for (const conditions of Object.values<string | Record<string, string>>(exports)) {
    if (typeof conditions === 'string') continue
    t.deepEqual(Object.keys(conditions), ['types', 'module', 'node', 'default'])
    t.is(conditions.module, conditions.default)
  }
})

test('Node loads a few files, however many modules there are', async (t) => {
  t.regex(import.meta.resolve('respan-rx'), /\/dist\/bundle\/index\.js$/)
  const imported = [...bundleOf('index.js')]
  t.true(imported.length < 10, imported.join())
})

test('the entries share what they have in common: there is one of each module', async (t) => {
  const { memorySink } = await import('respan-rx')
  t.is((await import('respan-rx/testing')).memorySink, memorySink)
})

test('importing asks for none of the Web APIs that a page made for tests lacks', async (t) => {
  const lacking = [
    'TextEncoder',
    'TextDecoder',
    'fetch',
    'Request',
    'Response',
    'Headers',
    'ReadableStream',
    'crypto',
  ]
  const entries = Object.keys(ENTRIES).filter((name) => name !== 'respan-rx/local')
  const script = `
    for (const name of ${JSON.stringify(lacking)}) delete globalThis[name]
    for (const entry of ${JSON.stringify(entries)}) await import(entry)
  `
  await t.notThrowsAsync(run(process.execPath, [moduleFile(t, script)]))
})

test('other modules can not be imported', async (t) => {
  await t.throwsAsync(import(['respan-rx', 'dist', 'errors.js'].join('/')), {
    code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
  })
})
