// node tools/bundle.mjs: what Node loads, dist/bundle: the sources in a few files, because each module of an import
// costs Node half a millisecond. Other bundlers get what tsc makes, module by module, and leave out what an application
// does not use.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'rolldown'

const DIRECTORY = 'dist/bundle'
const BUNDLE = /^\.\/dist\/bundle\/(.+)\.js$/

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const names = Object.values(exports).flatMap(({ node }) => BUNDLE.exec(node)?.slice(1) ?? [])

const { output } = await build({
  input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
  // Every package.
  external: /^[^./#]/,
  // As package.json maps it for Node, where Metro, which may make a server of an app, doesn't follow.
  plugins: [
    {
      name: 'fp',
      resolveId: (id) =>
        id.startsWith('#fp/') ? { id: id.replace('#fp', 'fp-ts/lib').concat('.js'), external: true } : null,
    },
  ],
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts'] } },
  write: false,
  output: { dir: DIRECTORY, sourcemap: true, chunkFileNames: 'shared/[name].js' },
})

const contentOf = (file) => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

// Only what has changed is written: somebody may be loading the rest.
const files = new Map(output.map((file) => [join(DIRECTORY, file.fileName), file.code ?? file.source]))
for (const [file, content] of files) {
  if (contentOf(file) === content) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}
for (const entry of readdirSync(DIRECTORY, { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name)
  if (entry.isFile() && !files.has(file)) rmSync(file)
}
