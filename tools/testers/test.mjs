// node tools/testers/test.mjs <node 22>, after `npm run build` and `npm ci` in this folder: a project's tests with Vitest
// (on that Node) and with Jest (on this one), in the ways that the README tells, and its pages rendered by Vite.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [node22] = process.argv.slice(2)
const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const root = path('../..')
// Here, so that it finds the runners.
const project = path('build')

const run = (command, args, { cwd = project, env = {} } = {}) =>
  execFileSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })

const inVirtualTime = `
test('in virtual time', () =>
  marbles((actual, expected) => expect(actual).toEqual(expected), ({ cold, expectObservable }) => {
    const gateway = marbleGateway('--a-b-|')
    const token$ = cold('q|').pipe(respanGenerate({ model: 'm', stream: true, gateway }), tokens())
    expectObservable(token$).toBe('--a-b-|')
  }))`

const overHttp = `
test('over HTTP', async () => {
  const local = await startLocal()
  const ask = respanGenerate({ model: 'gpt-4o-mini', gateway: local.gateway })
  const { replies } = await lastValueFrom(of('Tell me about tea.').pipe(ask, respanTrace('Tea', { sink: local.sink })))
  expect(replies[0]).toMatch(/tea/)
  await local.sink.flush()
  expect(local.spans().length).toBe(2)
  await local.close()
  const late = respanGenerate({ model: 'gpt-4o-mini', baseUrl: local.baseUrl, retry: { count: 0 } })
  await expect(lastValueFrom(of('Tell me about tea.').pipe(late))).rejects.toThrow(/ECONN|UND_ERR_SOCKET/)
})`

const IMPORTS = {
  'respan-rx': 'respanGenerate, respanTrace, tokens',
  'respan-rx/testing': 'marbleGateway, marbles',
  'respan-rx/local': 'startLocal',
  rxjs: 'lastValueFrom, of',
}
const imports = Object.entries(IMPORTS).map(([name, names]) => `import { ${names} } from '${name}'`)
const requires = Object.entries(IMPORTS).map(([name, names]) => `const { ${names} } = require('${name}')`)

const module = (...parts) => [...imports, ...parts].join('\n')

/** The configuration that the README has for CommonJS. */
const [, jestConfig] = /```js\n(module\.exports = \{\n {2}transformIgnorePatterns[\s\S]*?)```/.exec(
  readFileSync(join(root, 'README.md'), 'utf8'),
)

/** A framework's development server that renders with the library, and takes it through Vite as if it were the project's own. */
const rendering = `
import { createServer } from 'vite'
const server = await createServer({
  configFile: false,
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false },
  optimizeDeps: { noDiscovery: true },
  ssr: { noExternal: ['respan-rx'] },
})
const { tell } = await server.ssrLoadModule('/tell.js')
await tell()
await server.close()`

rmSync(project, { recursive: true, force: true })
mkdirSync(project)
const files = {
  'package.json': JSON.stringify({ name: 'tested', private: true }),
  'vitest.config.mjs':
    "export default { test: { globals: true, environment: 'happy-dom', include: ['*.vitest.mjs'] } }",
  'node.vitest.mjs': `// @vitest-environment node\n${module(inVirtualTime, overHttp)}`,
  'jsdom.vitest.mjs': `// @vitest-environment jsdom\n${module(inVirtualTime, overHttp)}`,
  'happy-dom.vitest.mjs': module(inVirtualTime),
  'tell.js': module(`
export const tell = async () => {
  const local = await startLocal()
  const ask = respanGenerate({ model: 'gpt-4o-mini', gateway: local.gateway })
  await lastValueFrom(of('Tell me about tea.').pipe(ask, respanTrace('Tea', { sink: local.sink })))
  await local.close()
}`),
  'render.mjs': rendering,
  'modules.config.mjs': "export default { testMatch: ['**/*.test.mjs'], transform: {} }",
  'modules.test.mjs': module(inVirtualTime, overHttp),
  'common.config.js': jestConfig,
  'common.test.js': [...requires, inVirtualTime, overHttp].join('\n'),
  // As Nest's own command writes them.
  'typed.config.js':
    "module.exports = { ...require('./common.config.js'), transform: { '^.+\\\\.(t|j)s$': 'ts-jest' } }",
  'tsconfig.json': JSON.stringify({
    compilerOptions: { module: 'nodenext', target: 'es2023', isolatedModules: true, strict: true },
  }),
  'typed.test.ts': module(inVirtualTime, overHttp),
  'babel.config.json': JSON.stringify({ presets: [['@babel/preset-env', { targets: { node: 'current' } }]] }),
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)

const { devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tarball = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], {
  cwd: root,
}).trim()
const peers = Object.keys(peerDependencies).map((name) => `${name}@${devDependencies[name]}`)
run('npm', [
  'install',
  '--silent',
  '--no-audit',
  '--no-fund',
  '--no-package-lock',
  join(project, tarball),
  ...peers,
])

run(node22, [path('node_modules/vitest/vitest.mjs'), 'run'])
console.log('Vitest: ok')

run(node22, ['render.mjs'])
console.log('Vite, on a server: ok')

const jest = path('node_modules/jest/bin/jest.js')
run(process.execPath, [jest, '--config', 'modules.config.mjs'], {
  env: { NODE_OPTIONS: '--experimental-vm-modules' },
})
console.log('Jest, ES modules: ok')
run(process.execPath, [jest, '--config', 'common.config.js', 'common.test.js'])
console.log('Jest, CommonJS: ok')
run(process.execPath, [jest, '--config', 'typed.config.js', 'typed.test.ts'])
console.log('ts-jest, CommonJS: ok')
