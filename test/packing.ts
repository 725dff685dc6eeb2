import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import * as io from 'io-ts'
import { decode } from '../dist/codecs/decode.js'

const run = promisify(execFile)

const Package = io.type({ imports: io.record(io.string, io.type({ default: io.string })) })

const Packed = io.array(io.type({ files: io.array(io.type({ path: io.string })) }), 'npm pack')

test('what the compiler remembers of a build is gone when the build is', (t) => {
  for (const folder of ['dist', 'build', 'build/examples'])
    t.true(existsSync(`${folder}/tsconfig.tsbuildinfo`), folder)
  t.deepEqual(
    readdirSync('.').filter((file) => file.endsWith('.tsbuildinfo')),
    [],
  )
})

test('the package has what is built, and nothing that only the compiler reads', async (t) => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
  const packed = decode(Packed)(JSON.parse(stdout))
  if (packed._tag === 'Left') return t.fail(packed.left.path)
  const paths = packed.right.flatMap(({ files }) => files.map(({ path }) => path))
  for (const path of ['dist/index.js', 'dist/index.d.ts', 'dist/bundle/index.js', 'README.md', 'LICENSE'])
    t.true(paths.includes(path), path)
  t.deepEqual(
    paths.filter((path) => path.endsWith('.tsbuildinfo')),
    [],
  )
  const modules = paths.filter((path) => /^dist\/(?!bundle\/).*\.js$/.test(path))
  const sourceOf = (path: string): string => path.replace(/^dist/, 'src').replace(/js$/, 'ts')
  t.deepEqual(
    modules.filter((path) => !existsSync(sourceOf(path))),
    [],
  )
})

test('what Node loads has no internal import, which Metro resolves for a server as it does for an app', (t) => {
  const files = readdirSync('dist/bundle', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  )
  t.true(files.includes('index.js'))
  t.deepEqual(
    files.filter((file) => / from "#/.test(readFileSync(join('dist/bundle', file), 'utf8'))),
    [],
  )
})

test('what an internal import is by default is a file of the package: Metro knows no other', (t) => {
  const described = decode(Package)(JSON.parse(readFileSync('package.json', 'utf8')))
  if (described._tag === 'Left') return t.fail(described.left.path)
  const targets = Object.entries(described.right.imports).map(([pattern, { default: target }]) => ({
    prefix: pattern.replace('*', ''),
    target,
  }))
  const sources = readdirSync('dist', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && !file.startsWith('bundle'))
    .map((file) => readFileSync(join('dist', file), 'utf8'))
  const names = new Set(
    sources.flatMap((source) => Array.from(source.matchAll(/ from '(#[^']+)'/g), ([, name = '']) => name)),
  )
  t.true(names.has('#fp/Either'))
  const files = [...names].flatMap((name) =>
    targets
      .filter(({ prefix }) => name.startsWith(prefix))
      .map(({ prefix, target }) => target.replace('*', name.slice(prefix.length))),
  )
  t.is(files.length, names.size)
  t.deepEqual(
    files.filter((file) => !file.startsWith('./') || !existsSync(file)),
    [],
  )
})
