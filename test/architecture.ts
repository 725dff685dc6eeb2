import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import ts from 'typescript'

/** Which module imports which, by path from the folder; packages by their name. */
type Graph = ReadonlyMap<string, ReadonlyArray<string>>

const folderOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

const posix = (path: string): string => path.split(sep).join('/')

const graphOf = (name: string, ending: '.ts' | '.js' | '.d.ts'): Graph => {
  const folder = folderOf(name)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith(ending) && (ending === '.d.ts' || !file.endsWith('.d.ts')),
  )
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), 'utf8'), true, true)
      const imported = importedFiles.map(({ fileName }) =>
        fileName.startsWith('.')
          ? posix(relative(folder, join(folder, dirname(file), fileName))).replace(/\.js$/, ending)
          : fileName,
      )
      return [posix(file), imported]
    }),
  )
}

const GROUND = ['version', 'util', 'errors', 'codecs']
const FIRST_FLOOR = [...GROUND, 'tracing', 'http', 'templates']

/** What each part of the house may import beside itself. */
const MAY_IMPORT: Readonly<Record<string, ReadonlyArray<string>>> = {
  version: [],
  util: [],
  fp: [],
  errors: GROUND,
  codecs: GROUND,
  tracing: GROUND,
  http: GROUND,
  templates: GROUND,
  sources: [...GROUND, 'tracing', 'http'],
  sinks: [...GROUND, 'tracing', 'http'],
  operators: [...FIRST_FLOOR, 'sources', 'sinks'],
  index: [...FIRST_FLOOR, 'sources', 'sinks', 'operators'],
  testing: [...FIRST_FLOOR, 'sources', 'sinks', 'operators'],
  local: [...FIRST_FLOOR, 'sources', 'sinks', 'operators'],
  node: [...GROUND, 'tracing', 'http', 'sinks'],
  browser: [...GROUND, 'tracing', 'http', 'sinks'],
}

const partOf = (file: string): string => (file.split('/')[0] ?? '').replace(/\.ts$/, '')

const forbidden = (graph: Graph): ReadonlyArray<string> =>
  [...graph].flatMap(([file, imported]) => {
    const part = partOf(file)
    const allowed = MAY_IMPORT[part]
    if (allowed === undefined) return [`${file} is in no part of the house`]
    return imported
      .filter((other) => graph.has(other) && partOf(other) !== part && !allowed.includes(partOf(other)))
      .map((other) => `${file} imports ${other}`)
  })

const unresolved = (graph: Graph): ReadonlyArray<string> =>
  [...graph].flatMap(([file, imported]) =>
    imported
      // A package's own files end in `.js`.
      .filter((other) => other.endsWith('.ts') && !graph.has(other))
      .map((other) => `${file} imports ${other}`),
  )

const reachable = (graph: Graph, from: string): ReadonlySet<string> => {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const other of graph.get(file) ?? []) visit(other)
  }
  for (const other of graph.get(from) ?? []) visit(other)
  return seen
}

const cycles = (graph: Graph): ReadonlyArray<string> =>
  [...graph.keys()].filter((file) => reachable(graph, file).has(file))

const isBuiltin = (name: string): boolean => name.startsWith('node:') || builtinModules.includes(name)

const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

const packagesIn = (graph: Graph, from: string): ReadonlyArray<string> =>
  [...new Set([...reachable(graph, from)].filter((name) => !graph.has(name)).map(packageOf))].sort()

const source = graphOf('src', '.ts')
const built = graphOf('dist', '.js')

test('imports go one way', (t) => {
  t.true(source.size > 50)
  t.deepEqual(unresolved(source), [])
  t.deepEqual(forbidden(source), [])
})

test('an import upwards or across is noticed', (t) => {
  const graph: Graph = new Map([
    ['codecs/a.ts', ['sources/b.ts']],
    ['sources/b.ts', ['sinks/c.ts', 'codecs/a.ts']],
    ['sinks/c.ts', ['operators/d.ts', 'local/e.ts', 'rxjs']],
    ['operators/d.ts', ['index.ts']],
    ['local/e.ts', ['testing/f.ts', 'operators/d.ts']],
    ['testing/f.ts', []],
    ['index.ts', ['operators/d.ts']],
    ['elsewhere/g.ts', []],
  ])
  t.deepEqual(forbidden(graph), [
    'codecs/a.ts imports sources/b.ts',
    'sources/b.ts imports sinks/c.ts',
    'sinks/c.ts imports operators/d.ts',
    'sinks/c.ts imports local/e.ts',
    'operators/d.ts imports index.ts',
    'local/e.ts imports testing/f.ts',
    'elsewhere/g.ts is in no part of the house',
  ])
})

test('no import goes round in a circle', (t) => {
  t.deepEqual(cycles(built), [])
})

test('a circle is noticed', (t) => {
  const graph: Graph = new Map([
    ['a.js', ['b.js']],
    ['b.js', ['c.js']],
    ['c.js', ['b.js']],
  ])
  t.deepEqual(cycles(graph), ['b.js', 'c.js'])
})

test('the library reaches neither Node nor its own local gateway, and only the packages it names', (t) => {
  const core = reachable(built, 'index.js')
  t.true(core.has('operators/respanTrace.js'))
  t.deepEqual(
    [...core].filter((name) => isBuiltin(name) || /^(?:local|testing|node|browser)\//.test(name)),
    [],
  )
  t.deepEqual(packagesIn(built, 'index.js'), [
    '#fp',
    '@huggingface/jinja',
    'eventsource-parser',
    'io-ts',
    'ky',
    'rxjs',
  ])
})

test('the helpers for tests reach no Node builtin and no test runner either', (t) => {
  t.deepEqual(
    [...reachable(built, 'testing/index.js')].filter(
      (name) => isBuiltin(name) || /ava|vitest|jest/.test(name),
    ),
    [],
  )
})

test('what users compile against names no engine, no internal import, and only the packages they install', (t) => {
  const declared = graphOf('dist', '.d.ts')
  t.deepEqual(unresolved(declared), [])
  for (const entry of ['index', 'testing/index', 'local/index', 'node/index', 'browser/index'].map(
    (name) => `${name}.d.ts`,
  )) {
    const packages = packagesIn(declared, entry)
    t.deepEqual(
      packages.filter((name) => !['fp-ts', 'io-ts', 'rxjs'].includes(name)),
      [],
      entry,
    )
  }
})

test('the local gateway does reach Node, so the walk sees builtins', (t) => {
  t.true([...reachable(built, 'local/index.js')].some(isBuiltin))
  t.true(packagesIn(built, 'local/index.js').includes('hono'))
})
