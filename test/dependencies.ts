import { readFileSync } from 'node:fs'
import test from 'ava'
import * as io from 'io-ts'
import { decode } from '../dist/codecs/decode.js'

const Lock = io.type(
  { packages: io.record(io.string, io.partial({ hasInstallScript: io.boolean, dev: io.boolean })) },
  'package-lock.json',
)

const Manifest = io.type({ scripts: io.record(io.string, io.string) }, 'package.json')

const read = <A>(codec: io.Decoder<unknown, A>, path: string): A => {
  const decoded = decode(codec)(JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')))
  if (decoded._tag === 'Left') throw new Error(`${path}: ${decoded.left.path}`)
  return decoded.right
}

test('no dependency runs a script when it is installed', (t) => {
  const { packages } = read(Lock, 'package-lock.json')
  t.true(Object.values(packages).some(({ dev }) => dev !== true))
  t.deepEqual(
    Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path),
    [],
  )
})

test('nor does the package itself', (t) => {
  const { scripts } = read(Manifest, 'package.json')
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) t.false(name in scripts, name)
})
