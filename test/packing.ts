import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import test from 'ava'
import * as io from 'io-ts'
import { decode } from '../dist/codecs/decode.js'

const run = promisify(execFile)

const Packed = io.array(io.type({ files: io.array(io.type({ path: io.string })) }), 'npm pack')

test('what the compiler remembers of a build is gone when the build is', (t) => {
  for (const folder of ['dist', 'build', 'build/examples'])
    t.true(existsSync(`${folder}/tsconfig.tsbuildinfo`), folder)
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
})
